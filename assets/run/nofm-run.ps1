# The run protocol on Windows: how a step runs on a server, detached from the connection that started it.
#
# The counterpart of nofm-run.sh, with the same promises, states and answers (see src/transport/talk.rs). Windows
# PowerShell 5.1. Sent along with every call; nothing is installed. A run is a folder `runs\ID` below the state folder:
#   claim         made by whoever claims the run; of several who try, one succeeds
#   body          what is to run, compared with its length and SHA-256 before the run is claimed
#   supervise     this text, which the supervisor runs
#   supervisor    process id, start time and boot of the supervisor
#   go            go.started or go.revoked under its final name: the point of no return, taken once
#   out           what the body prints, both streams in one
#   status        "done rc=N", written when everything before it is on the disk
#   log           what the supervisor itself says
#
# What runs apart from the connection reads its text from its input, as the connection does, and by the same loader:
# $nofmLoader is that loader, $nofmIn the input and $nofmBytes this very text.
# Nothing here ever ends a process, but for a question of our own that takes too long.

$nofmState = [IO.Path]::Combine([Environment]::GetFolderPath('CommonApplicationData'), 'nofm')
$nofmRuns = [IO.Path]::Combine($nofmState, 'runs')
$nofmOut = [Console]::OpenStandardOutput()
$nofmUtf8 = New-Object Text.UTF8Encoding $false
$nofmPiece = 262144
$nofmShare = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
# 0x80070020: another process has the file open.
$nofmSharingViolation = -2147024864
$nofmShell = [IO.Path]::Combine($PSHOME, 'powershell.exe')
# Not -EncodedCommand, with which Windows PowerShell would write warnings as XML.
$nofmFlags = "-NoLogo -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -Command `"$nofmLoader`""

function Write-NofmLine([string]$Text) {
    $bytes = $nofmUtf8.GetBytes($Text + "`n")
    $nofmOut.Write($bytes, 0, $bytes.Length)
    $nofmOut.Flush()
}

function Write-NofmAnswer([string]$Words) {
    Write-NofmLine "A $Words"
    exit 0
}

function Write-NofmRefusal([string]$Kind, [string]$Why) {
    Write-NofmLine ("X $Kind $Why" -replace '[\r\n]+', ' ')
    exit 1
}

# A frame of output: its head, the bytes, and the marker of the call.
function Write-NofmPiece([long]$Offset, [byte[]]$Bytes, [int]$From, [int]$Count) {
    Write-NofmLine "O $Offset $Count"
    $nofmOut.Write($Bytes, $From, $Count)
    Write-NofmLine "`n$nofmMarker"
}

function Get-NofmPath([string]$Name) {
    return [IO.Path]::Combine($nofmRun, $Name)
}

# Puts a small file on the disk, and with it all that was done to the file system before, whose log comes first.
function Set-NofmFile([string]$Path, [byte[]]$Bytes) {
    $file = [IO.File]::Open($Path, [IO.FileMode]::Create, [IO.FileAccess]::Write, [IO.FileShare]::Read)
    try {
        $file.Write($Bytes, 0, $Bytes.Length)
        $file.Flush($true)
    } finally {
        $file.Dispose()
    }
}

function Set-NofmLine([string]$Path, [string]$Text) {
    Set-NofmFile $Path ($nofmUtf8.GetBytes($Text + "`n"))
}

# Puts file $Path, which somebody else wrote, on the disk.
function Sync-NofmFile([string]$Path) {
    $file = [IO.File]::Open($Path, [IO.FileMode]::Open, [IO.FileAccess]::Write, $nofmShare)
    try { $file.Flush($true) } finally { $file.Dispose() }
}

# Gives file $From the name $To, unless there is such a file: then the answer is $false. Whoever just looks through new
# files, as scanners do, may be in the way for a moment.
function Move-NofmFile([string]$From, [string]$To) {
    for ($tried = 1; $true; $tried += 1) {
        try {
            [IO.File]::Move($From, $To)
            return $true
        } catch {
            if ([IO.File]::Exists($To)) { return $false }
            if ($tried -eq 20) { throw }
            Start-Sleep -Milliseconds 100
        }
    }
}

# The first line of a file of the run; nothing where there is no such file.
function Get-NofmLine([string]$Name) {
    $path = Get-NofmPath $Name
    if (-not [IO.File]::Exists($path)) { return '' }
    $file = [IO.File]::Open($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, $nofmShare)
    $reader = New-Object IO.StreamReader $file, $nofmUtf8
    try { return [string]$reader.ReadLine() } finally { $reader.Dispose() }
}

# The next $Count bytes of the input; none when it ends before.
function Read-NofmBytes([int]$Count) {
    $bytes = New-Object byte[] $Count
    $at = 0
    while ($at -lt $Count) {
        $got = $nofmIn.Read($bytes, $at, $Count - $at)
        if ($got -le 0) { Write-NofmRefusal 'torn' "$at of $Count bytes arrived" }
        $at += $got
    }
    return , $bytes
}

# When a process was made, as a number; nothing when there is no such process.
function Get-NofmBorn([int]$Id) {
    $process = Get-Process -Id $Id -ErrorAction SilentlyContinue
    if ($null -eq $process) { return '' }
    return [string]$process.StartTime.ToUniversalTime().Ticks
}

# The folder of run id $Id.
function Get-NofmRun([string]$Id) {
    if ($Id -cnotmatch '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$' -or $Id.EndsWith('.')) {
        Write-NofmRefusal 'badid' "a run id is 1 to 120 letters, digits, '.', '_', '-', with no dot at its ends"
    }
    return [IO.Path]::Combine($nofmRuns, $Id)
}

# Sees to it that the state folder is there, and that nobody but administrators can write there: what lies there is run
# with their rights, and everybody may make folders beside it.
function Assert-NofmState {
    if (-not (Test-NofmAdministrator)) {
        $who = [Security.Principal.WindowsIdentity]::GetCurrent().Name
        Write-NofmRefusal 'denied' "$who has not the rights of an administrator here; log in as one"
    }
    $system = New-Object Security.Principal.SecurityIdentifier 'S-1-5-18'
    $administrators = New-Object Security.Principal.SecurityIdentifier 'S-1-5-32-544'
    if (-not [IO.Directory]::Exists($nofmState)) {
        $access = New-Object Security.AccessControl.DirectorySecurity
        $access.SetOwner($administrators)
        $access.SetAccessRuleProtection($true, $false)
        $below = [Security.AccessControl.InheritanceFlags]'ContainerInherit, ObjectInherit'
        foreach ($who in $system, $administrators) {
            $access.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $who, 'FullControl', $below, 'None', 'Allow'))
        }
        [void][IO.Directory]::CreateDirectory($nofmState, $access)
    }
    $access = [IO.Directory]::GetAccessControl($nofmState)
    $sid = [Security.Principal.SecurityIdentifier]
    $others = @($access.GetAccessRules($true, $true, $sid) | Where-Object {
            $_.AccessControlType -eq 'Allow' -and $_.IdentityReference -ne $system -and $_.IdentityReference -ne $administrators
        })
    $owner = $access.GetOwner($sid)
    if ($others.Count -gt 0 -or ($owner -ne $system -and $owner -ne $administrators)) {
        Write-NofmRefusal 'denied' "$nofmState may be changed by others than administrators; see what lies there and remove it"
    }
    [void][IO.Directory]::CreateDirectory($nofmRuns)
}

# How the run stands, in words.
function Get-NofmState {
    if (-not [IO.File]::Exists((Get-NofmPath 'claim'))) { return 'absent' }
    $status = Get-NofmStatus
    if ($status) { return $status }
    $go = Get-NofmLine 'go'
    if (-not $go) { return 'claimed' }
    if ($go -ceq 'revoked') { return 'revoked' }
    $id, $born, $boot = (Get-NofmLine 'supervisor') -split ' '
    if ($boot -cne $nofmBoot) { return 'lost why=reboot' }
    if ($born -and $born -ceq (Get-NofmBorn $id)) { return 'running' }
    # It may have come to its end since the first look.
    $status = Get-NofmStatus
    if ($status) { return $status }
    return 'lost why=supervisor-gone'
}

# How the run ended; nothing when it did not.
function Get-NofmStatus {
    if (-not [IO.File]::Exists((Get-NofmPath 'status'))) { return '' }
    $status = Get-NofmLine 'status'
    if ($status -cmatch '^done rc=-?[0-9]+$') { return $status }
    return 'lost why=status-unreadable'
}

# What the loader reads: a line that says how long the text is, and the text.
function Get-NofmEnvelope([byte[]]$Bytes) {
    $head = $nofmUtf8.GetBytes("$($Bytes.Length)`n")
    $whole = New-Object byte[] ($head.Length + $Bytes.Length)
    $head.CopyTo($whole, 0)
    $Bytes.CopyTo($whole, $head.Length)
    return , $whole
}

# This text, up to the call at its end.
function Get-NofmSource {
    $text = $nofmUtf8.GetString($nofmBytes).TrimEnd([char]10)
    return $text.Substring(0, $text.LastIndexOf([char]10) + 1)
}

# A command line that runs what file $From of the run holds, and adds what it prints to file $To.
function Get-NofmCommand([string]$From, [string]$To) {
    $cmd = [IO.Path]::Combine([Environment]::SystemDirectory, 'cmd.exe')
    $in, $out = (Get-NofmPath $From), (Get-NofmPath $To)
    return "`"$cmd`"", "/d /v:off /s /c `"`"$nofmShell`" $nofmFlags <`"$in`" >>`"$out`" 2>&1`""
}

# Claims the run; $false where it was claimed before.
function New-NofmClaim {
    [void][IO.Directory]::CreateDirectory($nofmRun)
    $claim = Get-NofmPath 'claim'
    try {
        [IO.File]::Open($claim, [IO.FileMode]::CreateNew, [IO.FileAccess]::Write, $nofmShare).Dispose()
        return $true
    } catch {
        if ([IO.File]::Exists($claim)) { return $false }
        throw
    }
}

# Sees to it that the run never starts; $false where it did.
function Block-NofmRun {
    $revoked = Get-NofmPath "go.revoked.$PID"
    Set-NofmLine $revoked 'revoked'
    $blocked = Move-NofmFile $revoked (Get-NofmPath 'go')
    if ($blocked) { Sync-NofmFile (Get-NofmPath 'go') } else { [IO.File]::Delete($revoked) }
    return $blocked
}

# Starts a supervisor which is no child of this connection, and has the environment that a command of it would have.
function Start-NofmSupervisor {
    $environment = [Environment]::GetEnvironmentVariables()
    $words = @($environment.Keys | ForEach-Object { "$_=$($environment[$_])" })
    $startup = New-CimInstance -CimClass (Get-CimClass -ClassName Win32_ProcessStartup) -ClientOnly -Property @{
        ShowWindow           = [uint16]0
        EnvironmentVariables = [string[]]$words
    }
    $made = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{
        CommandLine               = (Get-NofmCommand 'supervise' 'log') -join ' '
        CurrentDirectory          = [IO.Path]::GetPathRoot([Environment]::SystemDirectory)
        ProcessStartupInformation = [CimInstance]$startup
    }
    if ($made.ReturnValue -ne 0) { throw "Win32_Process.Create answered $($made.ReturnValue)" }
}

# start ID LENGTH SHA256, the body on the input.
function Start-NofmRun([string]$Id, [int]$Length, [string]$Sum, [string]$Columns) {
    if ($Columns) { Write-NofmRefusal 'missing' 'a terminal that can be held there for an attended step' }
    Assert-NofmState
    if ([IO.File]::Exists((Get-NofmPath 'claim'))) { Write-NofmAnswer "already $(Get-NofmState)" }
    $body = Read-NofmBytes $Length
    $hash = New-Object Security.Cryptography.SHA256CryptoServiceProvider
    $has = [BitConverter]::ToString($hash.ComputeHash($body)).Replace('-', '').ToLowerInvariant()
    if ($has -cne $Sum) { Write-NofmRefusal 'differs' "its SHA-256 is $has here and should be $Sum" }
    if (-not (New-NofmClaim)) { Write-NofmAnswer "already $(Get-NofmState)" }
    Set-NofmFile (Get-NofmPath 'body') (Get-NofmEnvelope $body)
    $supervise = $nofmUtf8.GetBytes((Get-NofmSource) + "nofm @('supervise', '$Id')`n")
    Set-NofmFile (Get-NofmPath 'supervise') (Get-NofmEnvelope $supervise)
    try {
        Start-NofmSupervisor
    } catch {
        # Whether it starts all the same is not left open.
        if (Block-NofmRun) { throw }
    }
    for ($waited = 0; $waited -lt 200 -and -not [IO.File]::Exists((Get-NofmPath 'go')); $waited += 1) {
        Start-Sleep -Milliseconds 100
    }
    Write-NofmAnswer "fresh $(Get-NofmState)"
}

# supervise ID, apart from any connection.
function Invoke-NofmSupervisor {
    Set-NofmLine (Get-NofmPath 'supervisor') "$PID $(Get-NofmBorn $PID) $nofmBoot"
    Set-NofmLine (Get-NofmPath 'go.started') 'started'
    # Room for the status, should the body fill the disk.
    $reserve = Get-NofmPath 'reserve'
    Set-NofmFile $reserve (New-Object byte[] 4096)
    Set-NofmFile (Get-NofmPath 'out') (New-Object byte[] 0)
    $go = Get-NofmPath 'go'
    if (-not (Move-NofmFile (Get-NofmPath 'go.started') $go)) { exit 0 }
    # The claim is on the disk before anything runs, or a power cut would make it as if it never was.
    Sync-NofmFile $go
    $start = New-Object Diagnostics.ProcessStartInfo
    $start.FileName, $start.Arguments = Get-NofmCommand 'body' 'out'
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.WorkingDirectory = [IO.Path]::GetPathRoot([Environment]::SystemDirectory)
    $child = [Diagnostics.Process]::Start($start)
    $child.WaitForExit()
    $status = "done rc=$($child.ExitCode)"
    # What the body left behind may still hold its output open.
    try { Sync-NofmFile (Get-NofmPath 'out') } catch { $_.Exception.Message }
    [IO.File]::Delete($reserve)
    Set-NofmLine (Get-NofmPath 'status.new') $status
    [void](Move-NofmFile (Get-NofmPath 'status.new') (Get-NofmPath 'status'))
    Sync-NofmFile (Get-NofmPath 'status')
}

# revoke ID
function Revoke-NofmRun {
    Assert-NofmState
    [void](New-NofmClaim)
    [void](Block-NofmRun)
    Write-NofmAnswer (Get-NofmState)
}

# follow ID OFFSET: the state and the output as they change, until the end.
function Watch-NofmRun([long]$Offset) {
    $at, $was, $idle, $file = $Offset, '', 0, $null
    $bytes = New-Object byte[] $nofmPiece
    while ($true) {
        $now = Get-NofmState
        if ($now -cne $was) {
            Write-NofmLine "S $now"
            $was = $now
        }
        # The size is taken after the state, so that nothing printed before the end is missed.
        if ($null -eq $file -and [IO.File]::Exists((Get-NofmPath 'out'))) {
            $file = [IO.File]::Open((Get-NofmPath 'out'), [IO.FileMode]::Open, [IO.FileAccess]::Read, $nofmShare)
        }
        if ($null -ne $file) {
            $size = $file.Length
            if ($size -lt $at) {
                $at = [long]0
                Write-NofmLine 'R 0'
            }
            $file.Position = $at
            while ($at -lt $size) {
                $got = $file.Read($bytes, 0, [int][Math]::Min([long]$nofmPiece, $size - $at))
                if ($got -le 0) { break }
                Write-NofmPiece $at $bytes 0 $got
                $at += $got
                $idle = 0
            }
        }
        if ($now -cmatch '^(done|lost|revoked|absent)') { Write-NofmAnswer $now }
        # Rests longer the longer nothing happened, up to a second; says every five of them that it is there.
        $idle += 1
        if ($idle -le 20) {
            Start-Sleep -Milliseconds 100
        } else {
            if ($idle % 5 -eq 0) { Write-NofmLine 'K' }
            Start-Sleep -Seconds 1
        }
    }
}

# ask MOST SECONDS LENGTH, the question on the input: runs it apart, and tells both its outputs, at most MOST bytes of
# each, and its exit status.
function Invoke-NofmQuestion([int]$Most, [int]$Seconds, [int]$Length) {
    $question = Get-NofmEnvelope (Read-NofmBytes $Length)
    $start = New-Object Diagnostics.ProcessStartInfo
    $start.FileName = $nofmShell
    $start.Arguments = $nofmFlags
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $until = [DateTime]::UtcNow.AddSeconds($Seconds)
    $child = [Diagnostics.Process]::Start($start)
    $child.StandardInput.BaseStream.Write($question, 0, $question.Length)
    $child.StandardInput.Close()
    $streams = $child.StandardOutput.BaseStream, $child.StandardError.BaseStream
    $pieces = (New-Object byte[] 65536), (New-Object byte[] 65536)
    $kept = (New-Object IO.MemoryStream), (New-Object IO.MemoryStream)
    $reads = [Threading.Tasks.Task[]](0, 1 | ForEach-Object { $streams[$_].ReadAsync($pieces[$_], 0, 65536) })
    $open, $more, $rest = 2, 'whole', 0
    while ($open -gt 0) {
        if ([DateTime]::UtcNow -gt $until) {
            $child.Kill()
            Write-NofmRefusal 'late' "the question had no answer within $Seconds s"
        }
        $one = [Threading.Tasks.Task]::WaitAny($reads, 250)
        if ($one -lt 0) {
            # What the question left behind may hold its outputs open for ever.
            if ($child.HasExited) { $rest += 1 }
            if ($rest -gt 2) { break }
            continue
        }
        $got = $reads[$one].Result
        if ($got -le 0) {
            $open -= 1
            $reads[$one] = (New-Object 'Threading.Tasks.TaskCompletionSource[int]').Task
            continue
        }
        $room = $Most - [int]$kept[$one].Length
        if ($got -gt $room) { $more = 'cut' }
        $kept[$one].Write($pieces[$one], 0, [Math]::Max(0, [Math]::Min($got, $room)))
        $reads[$one] = $streams[$one].ReadAsync($pieces[$one], 0, 65536)
    }
    while (-not $child.WaitForExit(250)) {
        if ([DateTime]::UtcNow -gt $until) {
            $child.Kill()
            Write-NofmRefusal 'late' "the question did not end within $Seconds s"
        }
    }
    foreach ($stream in $kept) {
        $bytes = $stream.ToArray()
        for ($at = 0; $at -lt $bytes.Length; $at += $nofmPiece) {
            Write-NofmPiece $at $bytes $at ([Math]::Min($nofmPiece, $bytes.Length - $at))
        }
        Write-NofmLine 'S end'
    }
    Write-NofmAnswer "$($child.ExitCode) $more"
}

# Opens file $Path for nobody but us; nothing when somebody else has it, after a rest for one whose connection just broke.
function Open-NofmPart([string]$Path) {
    for ($waited = 0; $waited -lt 10; $waited += 1) {
        try {
            return [IO.File]::Open($Path, [IO.FileMode]::OpenOrCreate, [IO.FileAccess]::ReadWrite, [IO.FileShare]::None)
        } catch {
            if ($_.Exception.GetBaseException().HResult -ne $nofmSharingViolation) { throw }
            Start-Sleep -Milliseconds 500
        }
    }
    return $null
}

# put PATH LENGTH SHA256 MODE, the content on the input from the byte on that was asked for. What arrived before the
# connection broke is kept beside the file, for the next try. Who may read it is a matter of the folder.
function Receive-NofmFile([string]$Path, [long]$Length, [string]$Sum) {
    Assert-NofmState
    if ([IO.Directory]::Exists($Path)) { Write-NofmRefusal 'denied' "$Path is a folder; name the file" }
    $folder = [IO.Path]::GetDirectoryName($Path)
    [void][IO.Directory]::CreateDirectory($folder)
    if ([IO.File]::Exists($Path) -and (New-Object IO.FileInfo $Path).Length -eq $Length -and (Get-NofmSha256 $Path) -ceq $Sum) {
        Write-NofmAnswer 'have'
    }
    $parts = ".$([IO.Path]::GetFileName($Path)).nofm-part"
    $staged = [IO.Path]::Combine($folder, "$parts.$Sum")
    $file = Open-NofmPart $staged
    if ($null -eq $file) {
        # Whoever writes there may never notice that its connection is gone.
        $staged = [IO.Path]::Combine($folder, "$parts.$PID")
        $file = [IO.File]::Open($staged, [IO.FileMode]::Create, [IO.FileAccess]::ReadWrite, [IO.FileShare]::None)
    }
    if ($file.Length -gt $Length) { $file.SetLength(0) }
    $at = $file.Length
    $begun = $at
    $file.Position = $at
    Write-NofmLine "S send $at"
    $bytes = New-Object byte[] $nofmPiece
    try {
        while ($at -lt $Length) {
            $got = $nofmIn.Read($bytes, 0, [int][Math]::Min([long]$nofmPiece, $Length - $at))
            if ($got -le 0) { break }
            $file.Write($bytes, 0, $got)
            $at += $got
        }
        $file.Flush($true)
        $file.Dispose()
    } catch {
        # A full disk is not to be kept full.
        $file.Dispose()
        [IO.File]::Delete($staged)
        throw
    }
    if ($at -lt $Length) { Write-NofmRefusal 'torn' "$at of $Length bytes arrived" }
    $has = Get-NofmSha256 $staged
    if ($has -cne $Sum) {
        [IO.File]::Delete($staged)
        if ($begun -gt 0) { Write-NofmRefusal 'torn' 'the part that was here does not fit the rest; all of it is sent again' }
        Write-NofmRefusal 'differs' "its SHA-256 is $has here and should be $Sum"
    }
    if ([IO.File]::Exists($Path)) {
        [IO.File]::Replace($staged, $Path, [NullString]::Value)
    } else {
        [IO.File]::Move($staged, $Path)
    }
    # Parts of other versions of it; one that is being received stays.
    foreach ($part in [IO.Directory]::GetFiles($folder, "$parts.*")) {
        try { [IO.File]::Delete($part) } catch { continue }
    }
    Write-NofmAnswer 'sent'
}

# get PATH MAX: the last MAX bytes of a file.
function Send-NofmFile([string]$Path, [long]$Most) {
    if (-not [IO.File]::Exists($Path)) { Write-NofmRefusal 'absent' "there is no file $Path" }
    $file = [IO.File]::Open($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, $nofmShare)
    $size = $file.Length
    Write-NofmLine "S size $size"
    $at = [Math]::Max([long]0, $size - $Most)
    $file.Position = $at
    $bytes = New-Object byte[] $nofmPiece
    while ($at -lt $size) {
        $got = $file.Read($bytes, 0, [int][Math]::Min([long]$nofmPiece, $size - $at))
        if ($got -le 0) { Write-NofmRefusal 'torn' "$Path became shorter while it was read" }
        Write-NofmPiece $at $bytes 0 $got
        $at += $got
    }
    Write-NofmAnswer 'got'
}

# Reads the clock as often as it is asked to, so that the asker knows between which two moments.
function Show-NofmClock {
    Write-NofmLine 'S ready'
    while (($byte = $nofmIn.ReadByte()) -ge 0) {
        if ($byte -ne 10) { continue }
        $ticks = [DateTime]::UtcNow.Ticks - 621355968000000000
        Write-NofmLine ('S {0}.{1:d7}00' -f [Math]::Floor([decimal]$ticks / 10000000), ($ticks % 10000000))
    }
    Write-NofmAnswer 'told'
}

function nofm([string[]]$Words) {
    $verb, $rest = $Words
    $rest = @($rest)
    try {
        if ('start', 'stat', 'follow', 'revoke', 'supervise' -ccontains $verb) {
            $nofmRun = Get-NofmRun $rest[0]
            $nofmBoot = Get-NofmBoot
        }
        switch -CaseSensitive ($verb) {
            'start' { Start-NofmRun $rest[0] $rest[1] $rest[2] $rest[3] }
            'stat' { Write-NofmAnswer (Get-NofmState) }
            'follow' { Watch-NofmRun $rest[1] }
            'revoke' { Revoke-NofmRun }
            'supervise' { Invoke-NofmSupervisor }
            'ask' { Invoke-NofmQuestion $rest[0] $rest[1] $rest[2] }
            'put' { Receive-NofmFile $rest[0] $rest[1] $rest[2] }
            'get' { Send-NofmFile $rest[0] $rest[1] }
            'clock' { Show-NofmClock }
            default { Write-NofmRefusal 'badverb' $verb }
        }
    } catch {
        $why = $_.Exception.GetBaseException().Message
        # Of a run that was started nothing but its own state may be told: whoever follows it asks again.
        $kind = if ('stat', 'follow' -ccontains $verb) { 'torn' } else { 'failed' }
        Write-NofmRefusal $kind "$why $($_.InvocationInfo.PositionMessage)"
    }
}
