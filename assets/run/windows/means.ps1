# What this server is, and what it has of that which runs need.
$system = Get-CimInstance -ClassName Win32_OperatingSystem
'system {0} {1}, PowerShell {2}' -f $system.Caption.Trim(), $system.Version, $PSVersionTable.PSVersion
if (Test-NofmAdministrator) { 'uid 0' } else { 'uid 1' }
$create = (Get-CimClass -ClassName Win32_Process).CimClassMethods['Create']
if ($null -ne $create) { 'detaches' }
if ((Get-NofmSha256 ([IO.Path]::Combine($PSHOME, 'powershell.exe'))).Length -eq 64) { 'sums' }
