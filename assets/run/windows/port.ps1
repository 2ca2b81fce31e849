# Whether $port of $address takes connections from here.
$socket = New-Object Net.Sockets.Socket ([Net.Sockets.SocketType]::Stream), ([Net.Sockets.ProtocolType]::Tcp)
try {
    $asked = $socket.BeginConnect($address, $port, $null, $null)
    if ($asked.AsyncWaitHandle.WaitOne(5000)) {
        $socket.EndConnect($asked)
        'open'
    } else {
        'closed'
    }
} catch {
    $why = $_.Exception.GetBaseException()
    $answers = [Net.Sockets.SocketError]::ConnectionRefused, [Net.Sockets.SocketError]::TimedOut,
        [Net.Sockets.SocketError]::HostUnreachable, [Net.Sockets.SocketError]::NetworkUnreachable
    if ($why -is [Net.Sockets.SocketException] -and $answers -contains $why.SocketErrorCode) {
        'closed'
    } else {
        'unknown {0}' -f $why.Message
    }
} finally {
    $socket.Close()
}
