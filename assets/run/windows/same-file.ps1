# What a command begins with that must see the very file whose SHA-256 is $sum. Any other file ends the command before
# it began.
if (-not [IO.File]::Exists($path)) {
    "$path is not there: it has to be copied to this server again"
    exit 97
}
try {
    $has = Get-NofmSha256 $path
} catch {
    "whether $path is the file that was sent cannot be told: $($_.Exception.GetBaseException().Message)"
    exit 97
}
if ($has -cne $sum) {
    "$path is not the file that was sent: its SHA-256 is $has and should be $sum; nothing was started"
    exit 97
}
