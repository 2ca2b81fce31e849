# Stops $stop, then starts $start, in the order given, and ends at the first that cannot be.
function Set-NofmService([string]$Verb, [string]$Word) {
    $found = @(Find-NofmService $Word)
    if ($found.Count -eq 0) {
        if ($Word.EndsWith('?')) { return }
        throw "cannot $Verb ${Word}: there is no such service"
    }
    $service = $found[0]
    "$Verb $($service.Name)"
    # Services that depend on it are not stopped along: which they are is the profile's to say.
    if ($Verb -eq 'stop') {
        Stop-Service -InputObject $service
        $service.WaitForStatus('Stopped', [TimeSpan]::FromMinutes(10))
    } else {
        Start-Service -InputObject $service
        $service.WaitForStatus('Running', [TimeSpan]::FromMinutes(10))
    }
}
foreach ($word in $stop) { Set-NofmService 'stop' $word }
foreach ($word in $start) { Set-NofmService 'start' $word }
