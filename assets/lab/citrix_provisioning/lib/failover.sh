# The target devices of a server whose Stream Service has stopped log in to other servers, one after another. Run in the
# background: whoever stopped the service does not wait for it.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/pvs.sh"

# place DEVICE: on the server with the fewest, of those that stream and have room.
# shellcheck disable=SC2016 # awk's own names
place() {
    best=
    least=$carries
    for other in $(servers); do
        count=$(devices_of "$other")
        [ "$other" != "$host" ] && runs StreamService "$other" && [ "$count" -lt "$least" ] || continue
        best=$other
        least=$count
    done
    if [ -n "$best" ]; then
        change "$lab/devices" -v name="$1" -v to="$best" '($1 "") == name { $2 = to } { print }'
        event "device $1 fails over to $best"
    else
        change "$lab/devices" -v name="$1" '($1 "") == name { $2 = "-" } { print }'
        mishap "target device $1 is lost: no server can carry it"
    fi
}

hanging=
# shellcheck disable=SC2016
for device in $(awk -F'|' -v name="$host" '($2 "") == name { print $1 }' "$lab/devices"); do
    pause 2
    ! runs StreamService || exit 0
    if [ -z "$hanging" ] && fault device-hangs; then
        hanging=$device
        event "device $device hangs on"
        continue
    fi
    place "$device"
done
[ -n "$hanging" ] && ! grep -q -x device-hangs:always "$state/faults" || exit 0
pause 360
spend device-hangs
runs StreamService || place "$hanging"
