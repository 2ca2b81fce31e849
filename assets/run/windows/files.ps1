# The files that fit $pattern, in which all but * and ? means itself.
Get-Item -Path $pattern -Force -ErrorAction SilentlyContinue |
    Where-Object { $_ -is [IO.FileInfo] } |
    ForEach-Object { $_.FullName }
