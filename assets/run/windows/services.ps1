# How $services stand: a line "NUMBER STATE" for each.
$number = 0
foreach ($word in $services) {
    $found = @(Find-NofmService $word)
    $state = if ($found.Count -eq 0) {
        'missing'
    } else {
        switch ($found[0].Status) {
            'Running' { 'active' }
            'Stopped' { 'inactive' }
            default { "$_".ToLowerInvariant() }
        }
    }
    '{0} {1}' -f $number, $state
    $number += 1
}
