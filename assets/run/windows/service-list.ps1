# Every service with its display name. One that is disabled cannot be started; it counts while it runs.
foreach ($service in Get-Service -ErrorAction SilentlyContinue) {
    $disabled = $service.StartType -eq 'Disabled' -and $service.Status -eq 'Stopped'
    'Id={0}' -f $service.Name
    'Description={0}' -f $service.DisplayName
    'LoadState={0}' -f $(if ($disabled) { 'masked' } else { 'loaded' })
    ''
}
