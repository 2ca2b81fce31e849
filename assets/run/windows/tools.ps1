# What the questions sent to a Windows server share. Windows PowerShell 5.1, nothing installed.
#
# What a question is about stands in variables before its text: $path, $sum, $services … Every value is one string literal.

# Not SHA256Managed, which refuses to work where the system is held to FIPS.
function Get-NofmSha256([string]$File) {
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $stream = [IO.File]::Open($File, [IO.FileMode]::Open, [IO.FileAccess]::Read, $share)
    $hash = New-Object Security.Cryptography.SHA256CryptoServiceProvider
    try {
        return [BitConverter]::ToString($hash.ComputeHash($stream)).Replace('-', '').ToLowerInvariant()
    } finally {
        $hash.Dispose()
        $stream.Dispose()
    }
}

# Whether this login has the rights of an administrator now, and not only could have them.
function Test-NofmAdministrator {
    $who = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    return $who.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

# When this system was booted, as a number. A clock that is set right moves what the system calls its boot time, but
# not when the first of its processes was made.
function Get-NofmBoot {
    $first = Get-CimInstance -ClassName Win32_Process -Filter "Name = 'wininit.exe'" |
        Sort-Object -Property CreationDate | Select-Object -First 1
    if ($null -eq $first -or $null -eq $first.CreationDate) { throw 'nothing tells when this server was booted' }
    return [string]$first.CreationDate.ToUniversalTime().Ticks
}
