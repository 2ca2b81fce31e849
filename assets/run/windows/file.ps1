# Size and age of file $path, by the server's own clock, and its SHA-256 when $sum says so.
try {
    $attributes = [IO.File]::GetAttributes($path)
} catch {
    # What may not be looked at would pass for absent.
    $why = $_.Exception.GetBaseException()
    if ($why -isnot [IO.FileNotFoundException] -and $why -isnot [IO.DirectoryNotFoundException]) { throw }
    'absent'
    exit 0
}
if ($attributes -band [IO.FileAttributes]::Directory) { throw "$path is no file" }
$file = New-Object IO.FileInfo $path
'size {0}' -f $file.Length
'age {0}' -f [long][Math]::Floor(([DateTime]::UtcNow - $file.LastWriteTimeUtc).TotalSeconds)
if ($sum) { 'sha256 {0}' -f (Get-NofmSha256 $path) }
