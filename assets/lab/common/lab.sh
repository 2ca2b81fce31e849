# Shared by all stand-ins of a lab; sourced, with NOFM_ROOT naming the folder that stands for the server.
# From here on the PATH is the machine's own: a stand-in calls another one by "$NOFM_ROOT/bin/NAME".

LC_ALL=C
export LC_ALL NOFM_ROOT
lab=${NOFM_ROOT:?is not set: this command belongs to a stand-in server of a lab}
lab=${lab%/*}
host=${NOFM_ROOT##*/}
state=$NOFM_ROOT/etc/lab
# Sets own_path, speed, poll, port and program.
. "$lab/lib/settings"
PATH=$own_path
export PATH

say() {
    printf '%s\n' "$*"
}

die() {
    say "$*" >&2
    exit 1
}

log() {
    say "$(date '+%Y-%m-%d %H:%M:%S') $*" >>"$NOFM_ROOT/log"
}

# What happens to the product, over all servers: one line an event, for whoever wants to see the order.
event() {
    say "$host $*" >>"$lab/events.log"
    log "$*"
}

# What no upgrade may do, done. A rehearsal with one of these in its events went wrong.
mishap() {
    event "MISHAP: $*"
}

# Sleeps for $1 seconds of the product's time.
pause() {
    sleep "$(awk -v time="$1" -v speed="$speed" 'BEGIN { printf "%.3f", time / speed }')"
}

# Sleeps for $1 real seconds, and wakes up for a signal.
doze() {
    sleep "$1" &
    nap=$!
    wait "$nap" || wake
    nap=
}

# Ends the sleep of an interrupted `doze`.
wake() {
    [ -z "${nap-}" ] || kill "$nap" 2>/dev/null || :
}

# Sets born to the start time of process $1, which tells it from a later one with the same number.
birth() {
    born=
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086 # the words are wanted
    set -- ${stat##*) }
    [ "$1" != Z ] && born=${20}
}

# alive FILE: whether the process whose number and start time are in FILE still runs; sets pid to its number.
alive() {
    { read -r pid then <"$1"; } 2>/dev/null || return 1
    birth "$pid" && [ "$born" = "$then" ]
}

# own FILE: writes this process into FILE, for `alive`.
own() {
    birth $$ && say "$$ $born" >"$1.new" && mv "$1.new" "$1"
}

# fault NAME: whether the fault was ordered for this server.
fault() {
    [ -e "$state/faults" ] && grep -q -x -e "$1" -e "$1:always" "$state/faults"
}

# farm_fault NAME: whether the fault was ordered for the whole farm.
farm_fault() {
    [ -e "$lab/faults" ] && grep -q -x -e "$1" -e "$1:always" "$lab/faults"
}

# farm_spend NAME: as `spend`, of a fault of the whole farm.
farm_spend() {
    grep -v -x -e "$1" "$lab/faults" >"$lab/faults.new" || :
    mv "$lab/faults.new" "$lab/faults"
}

# spend NAME: the fault has happened; one that is not ordered for always does not come again.
spend() {
    grep -v -x -e "$1" "$state/faults" >"$state/faults.new" || :
    mv "$state/faults.new" "$state/faults"
}
