# Restarts this server: ends its processes, and starts what etc/lab/boot names under a new boot id. Run by
# `systemctl reboot` in a session of its own, which is not ended with the others.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
boot=$NOFM_ROOT/proc/sys/kernel/random

# signal NAME: to every process of this server but those of this session; fails when there is none left.
signal() {
    left=1
    for file in $(grep -lzxF -e "NOFM_ROOT=$NOFM_ROOT" /proc/[0-9]*/environ 2>/dev/null); do
        other=${file#/proc/} && other=${other%/environ}
        { read -r stat <"/proc/$other/stat"; } 2>/dev/null || continue
        # shellcheck disable=SC2086 # the words are wanted: state, parent, group, session
        set -- "$1" ${stat##*) }
        [ "$2" != Z ] && [ "$5" != $$ ] || continue
        left=0
        kill -s "$1" "$other" 2>/dev/null || :
    done
    return "$left"
}

# Whoever ordered it is told so first.
sleep 0.2
event "reboots"
# An empty one: it is about to go down, or to come up.
mkdir -p "$boot"
: >"$boot/boot_id"
tries=0
while [ "$tries" -lt 40 ] && signal TERM; do
    sleep 0.05
    tries=$((tries + 1))
done
while [ "$tries" -lt 80 ] && signal KILL; do
    sleep 0.05
    tries=$((tries + 1))
done
rm -f "$NOFM_ROOT"/run/*.pid
pause 20
# It answers once all is started: who asks earlier is told nothing.
if [ -e "$state/boot" ]; then
    while read -r unit || [ -n "$unit" ]; do
        "$NOFM_ROOT/bin/systemctl" start "$unit" 8>&- 9>&- || log "$unit could not be started"
    done <"$state/boot"
fi
event "is up"
cat /proc/sys/kernel/random/uuid >"$boot/boot_id.new"
mv "$boot/boot_id.new" "$boot/boot_id"
