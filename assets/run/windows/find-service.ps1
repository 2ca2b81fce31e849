# The service of that name; none where there is none. A name ending in ? may be missing.
function Find-NofmService([string]$Word) {
    $name = $Word -replace '\?$', ''
    # Some services cannot be looked at by anybody; the others still can.
    return @(Get-Service -ErrorAction SilentlyContinue | Where-Object { $_.Name -eq $name })
}
