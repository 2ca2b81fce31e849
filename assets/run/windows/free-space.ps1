# Free space on the volume where $path is, or would be. A volume may be mounted in a folder of another.
$whole = [IO.Path]::GetFullPath($path).TrimEnd('\') + '\'
$volume = Get-CimInstance -ClassName Win32_Volume |
    Where-Object { $_.Name -and $whole.StartsWith($_.Name, [StringComparison]::OrdinalIgnoreCase) } |
    Sort-Object -Property { $_.Name.Length } -Descending |
    Select-Object -First 1
if ($null -eq $volume -or $null -eq $volume.FreeSpace) { throw "no volume here holds $path" }
'free {0}' -f $volume.FreeSpace
