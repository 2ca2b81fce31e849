# Writes a file into folder $path and removes it; or opens file $path for writing, changing nothing.
try {
    if ([IO.Directory]::Exists($path)) {
        $test = [IO.Path]::Combine($path, ".nofm-write-test.$PID")
        $stream = [IO.File]::Create($test, 4096, [IO.FileOptions]::DeleteOnClose)
        try { $stream.WriteByte(10) } finally { $stream.Dispose() }
        'writable'
    } elseif ([IO.File]::Exists($path)) {
        [IO.File]::Open($path, [IO.FileMode]::Open, [IO.FileAccess]::Write, [IO.FileShare]::ReadWrite).Dispose()
        'writable'
    } else {
        'absent'
    }
} catch {
    [Console]::Error.WriteLine($_.Exception.GetBaseException().Message)
    'refused'
}
