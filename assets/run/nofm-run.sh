# The run protocol: how a step runs on a server, detached from the connection that started it.
#
# Sent along with every call; nothing is installed. A run is a folder `runs/ID` below the state folder:
#   body          what is to run, staged and compared with its length and SHA-256 before the run is claimed
#   nofm-run.sh   this text, which the supervisor runs
#   supervisor    process id, start time and boot id of the supervisor
#   go            a hard link to go.started or go.revoked: the point of no return, taken once
#   out           what the body prints, both streams in one
#   status        "done rc=N", written when everything before it is on the disk
#   in, tty       of an attended run: what is typed, and the terminal's name
#
# States: absent, claimed, running, done rc=N, lost why=reboot|supervisor-gone|status-unreadable, revoked.
# Nothing here ever ends a process. Answers are lines (see src/transport/talk.rs):
#   A words   the answer           X kind words   refused, and what to do
#   S words   the state            K              nothing new, still here
#   O offset length, then the bytes, then a newline and the marker of the call
#   R size    the output file became shorter: what follows starts at that offset

nofm_state=${NOFM_ROOT-}/var/lib/nofm
nofm_runs=$nofm_state/runs

nofm_say() {
    printf '%s\n' "$*"
}

nofm_answer() {
    nofm_say "A $*"
    exit 0
}

nofm_refuse() {
    nofm_say "X $*"
    exit 1
}

# Puts files on the disk: these alone where sync can, everything where it cannot.
nofm_flush() {
    sync "$@" 2>/dev/null || sync
}

# Checks run id $1 and sets nofm_run to its folder.
nofm_id() {
    case $1 in
    '' | .* | *[!"$nofm_letters"._-]*) nofm_refuse "badid a run id is 1 to 120 letters, digits, '.', '_', '-', no leading dot" ;;
    esac
    [ "${#1}" -le 120 ] || nofm_refuse "badid a run id has at most 120 characters"
    nofm_run=$nofm_runs/$1
    # Without this a folder that may not be looked into would pass for one that holds nothing.
    for nofm_dir in "$nofm_state" "$nofm_runs"; do
        if [ -d "$nofm_dir" ] && [ ! -x "$nofm_dir" ]; then nofm_denied; fi
    done
}

nofm_denied() {
    nofm_refuse "denied $(id -un 2>/dev/null || id -u) may not use $nofm_runs; log in as root, or let sudo run commands for this user without a password"
}

# Sets nofm_born to the start time of process $1; to nothing when it is gone or only a zombie.
nofm_born() {
    nofm_born=
    if [ -r /proc/self/stat ]; then
        { read -r nofm_line <"/proc/$1/stat"; } 2>/dev/null || return 0
        # The name stands in parentheses and may hold anything; the state follows the last of them.
        # shellcheck disable=SC2086 # numbers and one letter
        set -- ${nofm_line##*") "}
        case $1 in Z | X) return 0 ;; esac
        nofm_born=${20}
    else
        nofm_line=$(LC_ALL=C ps -o stat= -o lstart= -p "$1" 2>/dev/null) || return 0
        case $nofm_line in Z*) return 0 ;; esac
        nofm_born=$(printf %s "${nofm_line#* }" | tr -c "$nofm_letters" '[_*]')
    fi
}

nofm_ended() {
    [ -e "$nofm_run/status" ] || return 1
    nofm_now="lost why=status-unreadable"
    read -r nofm_line <"$nofm_run/status" || :
    case $nofm_line in "done rc="*) nofm_now=$nofm_line ;; esac
}

# Sets nofm_now to the words that say how the run stands.
nofm_look() {
    nofm_go='' nofm_pid='' nofm_since='' nofm_under=''
    if [ ! -d "$nofm_run" ]; then
        nofm_now=absent
        return
    fi
    nofm_ended && return
    if [ ! -e "$nofm_run/go" ]; then
        nofm_now=claimed
        return
    fi
    read -r nofm_go <"$nofm_run/go" || :
    if [ "$nofm_go" = revoked ]; then
        nofm_now=revoked
        return
    fi
    read -r nofm_pid nofm_since nofm_under <"$nofm_run/supervisor" || :
    nofm_boot
    nofm_now="lost why=reboot"
    [ "$nofm_under" = "$nofm_boot" ] || return 0
    nofm_now=running
    nofm_born "${nofm_pid:-0}"
    if [ -n "$nofm_born" ] && [ "$nofm_born" = "$nofm_since" ]; then return 0; fi
    # It may have come to its end since the first look.
    nofm_ended || nofm_now="lost why=supervisor-gone"
}

# Runs "$@" in a session of its own, which nobody waits for. A background job would ignore the interrupt key for ever.
nofm_detach() {
    if setsid -f true 2>/dev/null; then
        setsid -f "$@"
    elif nofm_has perl; then
        perl -MPOSIX=setsid -e 'exit if fork; setsid; exec @ARGV; exit 127' "$@"
    else
        setsid "$@" &
    fi </dev/null >/dev/null 2>&1
}

nofm_means() {
    nofm_has setsid || nofm_has perl || nofm_refuse "missing setsid (util-linux) or perl"
    [ -z "${1-}" ] || script -q -e -c true /dev/null </dev/null >/dev/null 2>&1 ||
        nofm_refuse "missing script (util-linux), which holds the terminal of an attended step"
}

# Copies the rest of the input to file $1 and compares it with length $2 and SHA-256 $3.
nofm_receive() {
    nofm_said=$(cat 2>&1 >"$1") || nofm_refuse "denied writing $1: $(printf %s "$nofm_said" | tr '\n' ' ')"
    nofm_size "$1"
    [ "$nofm_size" = "$2" ] || nofm_refuse "torn $nofm_size of $2 bytes arrived"
    nofm_sha256 "$1" || nofm_refuse "missing sha256sum, shasum or openssl, to see that what arrived is what was sent"
    [ "$nofm_sum" = "$3" ] || nofm_refuse "differs its SHA-256 is $nofm_sum here and should be $3"
}

# start ID LENGTH SHA256 [COLS ROWS], the body on the input.
nofm_start() {
    nofm_mask=$(umask)
    umask 077
    nofm_means "${4-}"
    mkdir -p "$nofm_runs" 2>/dev/null
    [ -w "$nofm_runs" ] || nofm_denied
    [ ! -d "$nofm_run" ] || nofm_exists
    nofm_staged=$nofm_runs/.body.$1.$$
    trap 'rm -f "$nofm_staged"' EXIT
    trap 'exit 1' HUP INT PIPE TERM
    nofm_receive "$nofm_staged" "$2" "$3"
    if ! mkdir "$nofm_run" 2>/dev/null; then
        [ -d "$nofm_run" ] || nofm_denied
        nofm_exists
    fi
    mv "$nofm_staged" "$nofm_run/body" &&
        printf '%s\nnofm "$@"\n' "$s" >"$nofm_run/nofm-run.sh" || nofm_refuse "denied writing below $nofm_run"
    [ -z "${4-}" ] || mkfifo "$nofm_run/in" || nofm_refuse "denied making $nofm_run/in"
    nofm_detach sh "$nofm_run/nofm-run.sh" supervise "$1" "$nofm_mask" "${4-}" "${5-}"
    nofm_waited=0
    while [ ! -e "$nofm_run/go" ] && [ "$nofm_waited" -lt 100 ]; do
        sleep 0.05 2>/dev/null || sleep 1
        nofm_waited=$((nofm_waited + 1))
    done
    nofm_look
    nofm_answer "fresh $nofm_now"
}

nofm_exists() {
    nofm_look
    nofm_answer "already $nofm_now"
}

# supervise ID UMASK [COLS ROWS], in a session of its own.
nofm_supervise() {
    # Handled and not ignored, since what is ignored here would be ignored by the body too.
    trap : HUP INT QUIT PIPE TERM
    umask 077
    cd "${NOFM_ROOT:-/}" || exit 1
    nofm_boot
    nofm_born $$
    printf '%s %s %s\n' $$ "$nofm_born" "$nofm_boot" >"$nofm_run/supervisor" || exit 1
    printf 'started\n' >"$nofm_run/go.started" && : >>"$nofm_run/out" || exit 1
    # Room for the status, should the body fill the disk.
    dd if=/dev/zero of="$nofm_run/reserve" bs=4096 count=1 2>/dev/null
    # The claim is on the disk before anything runs, or a power cut would make it as if it never was.
    nofm_flush "$nofm_run/supervisor" "$nofm_run/body" "$nofm_run/go.started" "$nofm_run" "$nofm_runs"
    ln "$nofm_run/go.started" "$nofm_run/go" 2>/dev/null || exit 0
    nofm_flush "$nofm_run"
    if [ -n "${3-}" ]; then
        nofm_attended "$@"
    else
        (umask "$2" && exec sh "$nofm_run/body") </dev/null >>"$nofm_run/out" 2>&1
    fi
    nofm_rc=$?
    nofm_flush "$nofm_run/out"
    rm -f "$nofm_run/reserve"
    printf 'done rc=%s\n' "$nofm_rc" >"$nofm_run/status.new" || exit 1
    nofm_flush "$nofm_run/status.new"
    mv "$nofm_run/status.new" "$nofm_run/status"
    nofm_flush "$nofm_run"
}

# The terminal stays here, on the server: nothing that happens to a connection can hang it up.
nofm_attended() {
    # Open for both directions, so that the terminal never sees the end of what is typed.
    exec 3<>"$nofm_run/in"
    # shellcheck disable=SC2016 # expanded by the shell within the terminal
    NOFM_RUN=$nofm_run NOFM_TERMINAL="$1 $2 $3 $4" SHELL=/bin/sh \
        script -q -e -c 'exec sh "$NOFM_RUN/nofm-run.sh" terminal $NOFM_TERMINAL' /dev/null <&3 3<&- >>"$nofm_run/out" 2>&1
    nofm_attended=$?
    exec 3<&-
    return "$nofm_attended"
}

# terminal ID UMASK COLS ROWS, within the terminal.
nofm_terminal() {
    unset NOFM_RUN NOFM_TERMINAL
    stty sane cols "$3" rows "$4"
    tty >"$nofm_run/tty.new" && mv "$nofm_run/tty.new" "$nofm_run/tty"
    umask "$2"
    # What the console shows it with, whatever terminal the console itself has.
    TERM=xterm
    export TERM
    exec sh "$nofm_run/body"
}

nofm_revoke() {
    umask 077
    mkdir -p "$nofm_runs" 2>/dev/null
    [ -w "$nofm_runs" ] || nofm_denied
    mkdir "$nofm_run" 2>/dev/null
    [ -d "$nofm_run" ] || nofm_denied
    printf 'revoked\n' >"$nofm_run/go.revoked"
    ln "$nofm_run/go.revoked" "$nofm_run/go" 2>/dev/null && nofm_flush "$nofm_run/go.revoked" "$nofm_run" "$nofm_runs"
    nofm_look
    nofm_answer "$nofm_now"
}

# follow ID OFFSET: the state and the output as they change, until the end.
nofm_follow() {
    nofm_at=$2 nofm_was='' nofm_idle=0 nofm_open=''
    while :; do
        nofm_look
        if [ "$nofm_now" != "$nofm_was" ]; then
            nofm_say "S $nofm_now"
            nofm_was=$nofm_now
        fi
        # The size is taken after the state, so that nothing printed before the end is missed.
        if nofm_size "$nofm_run/out"; then nofm_output; fi
        case $nofm_now in done* | lost* | revoked | absent) nofm_answer "$nofm_now" ;; esac
        nofm_nap
    done
}

nofm_output() {
    if [ "$nofm_size" -lt "$nofm_at" ]; then
        nofm_at=0 nofm_open=''
        nofm_say "R 0"
    fi
    if [ -z "$nofm_open" ]; then
        exec 4<"$nofm_run/out" || return 0
        nofm_open=yes
        [ "$nofm_at" = 0 ] || dd bs=1 skip="$nofm_at" count=0 <&4 2>/dev/null
    fi
    while [ "$nofm_at" -lt "$nofm_size" ]; do
        nofm_part=$((nofm_size - nofm_at))
        [ "$nofm_part" -le 262144 ] || nofm_part=262144
        nofm_say "O $nofm_at $nofm_part"
        dd bs="$nofm_part" count=1 <&4 2>/dev/null
        printf '\n%s\n' "$e"
        nofm_at=$((nofm_at + nofm_part)) nofm_idle=0
    done
}

# Rests longer the longer nothing happened, up to a second; says every five of them that it is there.
nofm_nap() {
    nofm_idle=$((nofm_idle + 1))
    if [ "$nofm_idle" -le 20 ]; then
        sleep 0.1 2>/dev/null || sleep 1
    else
        [ $((nofm_idle % 5)) -ne 0 ] || nofm_say K
        sleep 1
    fi
}

nofm_running() {
    nofm_look
    [ "$nofm_now" = running ] || nofm_refuse "notrunning the run is $nofm_now"
    [ -p "$nofm_run/in" ] || nofm_refuse "notattended the run has no terminal"
}

# type ID: passes the rest of the input to the terminal. It is kept nowhere.
nofm_type() {
    nofm_running
    cat 1<>"$nofm_run/in" || nofm_refuse "denied writing to the terminal of the run"
    nofm_answer typed
}

# size ID COLS ROWS
nofm_resize() {
    nofm_running
    read -r nofm_tty <"$nofm_run/tty" || nofm_refuse "notrunning its terminal is not ready yet; try again"
    stty cols "$2" rows "$3" <"$nofm_tty" || nofm_refuse "denied setting the size of $nofm_tty"
    nofm_answer resized
}

# Sets nofm_path to where $1 is kept here, and sees that it is not outside of what stands for the file system.
nofm_place() {
    nofm_path=${NOFM_ROOT-}$1
    [ -n "${NOFM_ROOT-}" ] || return 0
    nofm_root=$(cd -P -- "$NOFM_ROOT" && pwd -P)
    nofm_real=$(cd -P -- "${nofm_path%/*}/" 2>/dev/null && pwd -P) || nofm_refuse "absent there is no folder ${1%/*}"
    case $nofm_real/ in "$nofm_root"/*) ;; *) nofm_refuse "denied $1 leads outside of the server's folder" ;; esac
    [ ! -L "$nofm_path" ] || nofm_refuse "denied $1 is a link, which may lead outside of the server's folder"
}

# put PATH LENGTH SHA256 MODE, the content on the input from the byte on that was asked for. What arrived before the
# connection broke is kept beside the file, for the next try.
nofm_put() {
    umask 077
    nofm_dir=${NOFM_ROOT-}${1%/*}/
    [ -d "$nofm_dir" ] || mkdir -p -- "$nofm_dir" || nofm_refuse "denied making the folder ${1%/*}"
    nofm_place "$1"
    [ ! -d "$nofm_path" ] || nofm_refuse "denied $1 is a folder; name the file"
    if [ -f "$nofm_path" ] && nofm_size "$nofm_path" && [ "$nofm_size" = "$2" ] &&
        nofm_sha256 "$nofm_path" && [ "$nofm_sum" = "$3" ]; then
        nofm_answer have
    fi
    nofm_parts=${nofm_path%/*}/.${nofm_path##*/}.nofm-part
    nofm_staged=$nofm_parts.$3
    trap 'exit 1' HUP INT PIPE TERM
    if nofm_received "$nofm_staged"; then
        # Whoever writes there may never notice that its connection is gone.
        nofm_staged=$nofm_parts.$$
        trap 'rm -f -- "$nofm_staged"' EXIT
    else
        nofm_born $$
        nofm_said=$(printf '%s %s\n' $$ "$nofm_born" | cat 2>&1 >"$nofm_staged.who") || {
            rm -f -- "$nofm_staged.who"
            nofm_refuse "denied writing beside $1: $(printf %s "$nofm_said" | tr '\n' ' ')"
        }
    fi
    nofm_size "$nofm_staged" && [ "$nofm_size" -le "$2" ] || nofm_size=0
    nofm_at=$nofm_size
    [ "$nofm_at" -gt 0 ] || : >"$nofm_staged" || nofm_refuse "denied writing beside $1"
    nofm_say "S send $nofm_at"
    nofm_said=$(cat 2>&1 >>"$nofm_staged") || {
        rm -f -- "$nofm_staged" "$nofm_staged.who"
        nofm_refuse "denied writing $1: $(printf %s "$nofm_said" | tr '\n' ' ')"
    }
    nofm_size "$nofm_staged"
    [ "$nofm_size" -ge "$2" ] || nofm_refuse "torn $nofm_size of $2 bytes arrived"
    nofm_sha256 "$nofm_staged" || nofm_refuse "missing sha256sum, shasum or openssl, to see that what arrived is what was sent"
    if [ "$nofm_sum" != "$3" ]; then
        rm -f -- "$nofm_staged" "$nofm_staged.who"
        [ "$nofm_at" = 0 ] || nofm_refuse "torn the part that was here does not fit the rest; all of it is sent again"
        nofm_refuse "differs its SHA-256 is $nofm_sum here and should be $3"
    fi
    chmod "$4" "$nofm_staged" && nofm_flush "$nofm_staged" && mv -f -- "$nofm_staged" "$nofm_path" ||
        nofm_refuse "denied putting $1 in its place"
    rm -f -- "$nofm_parts".*
    nofm_answer sent
}

# Whether another process still receives part $1, after a rest for one whose connection just broke.
nofm_received() {
    nofm_waited=0
    while read -r nofm_pid nofm_since <"$1.who"; do
        nofm_born "${nofm_pid:-0}"
        [ -n "$nofm_born" ] && [ "$nofm_born" = "$nofm_since" ] || return 1
        [ "$nofm_waited" -lt 5 ] || return 0
        sleep 1
        nofm_waited=$((nofm_waited + 1))
    done 2>/dev/null
    return 1
}

# get PATH MAX: the last MAX bytes of a file.
nofm_get() {
    nofm_place "$1"
    [ -e "$nofm_path" ] || nofm_refuse "absent there is no $1"
    [ -f "$nofm_path" ] && [ -r "$nofm_path" ] || nofm_refuse "denied $1 is no file that can be read"
    nofm_size "$nofm_path"
    nofm_at=0
    [ "$nofm_size" -le "$2" ] || nofm_at=$((nofm_size - $2))
    nofm_say "S size $nofm_size"
    exec 4<"$nofm_path" || nofm_refuse "denied reading $1"
    [ "$nofm_at" = 0 ] || dd bs=1 skip="$nofm_at" count=0 <&4 2>/dev/null
    while [ "$nofm_at" -lt "$nofm_size" ]; do
        nofm_part=$((nofm_size - nofm_at))
        [ "$nofm_part" -le 262144 ] || nofm_part=262144
        nofm_say "O $nofm_at $nofm_part"
        dd bs="$nofm_part" count=1 <&4 2>/dev/null
        printf '\n%s\n' "$e"
        nofm_at=$((nofm_at + nofm_part))
    done
    nofm_answer got
}

# Reads the clock as often as it is asked to, so that the asker knows between which two moments.
nofm_clock() {
    nofm_say "S ready"
    while read -r nofm_line; do
        nofm_say "S $(date +%s.%N)"
    done
    nofm_answer told
}

nofm() {
    nofm_verb=$1
    shift
    case $nofm_verb in
    put | get | clock) ;;
    *) nofm_id "$1" ;;
    esac
    case $nofm_verb in
    stat)
        nofm_look
        nofm_answer "$nofm_now"
        ;;
    start | follow | revoke | type | resize | supervise | terminal | put | get | clock) "nofm_$nofm_verb" "$@" ;;
    *) nofm_refuse "badverb $nofm_verb" ;;
    esac
}
