# The target devices of a server whose Stream Service has stopped log in to other servers, one after another. Run in the
# background: whoever stopped the service does not wait for it.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/pvs.sh"

# Whether all is being stopped on this server and no other one streams: as on the vendor's way back, where no device is
# meant to go on. The other services stop right after this one.
all_stops() {
    ! streaming || return 1
    tries=0
    while runs soapserver && [ "$tries" -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    ! runs soapserver
}

streaming() {
    for other in $(servers); do
        ! runs StreamService "$other" || return 0
    done
    return 1
}

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
        to=-
        if all_stops; then
            to='!'
            event "device $1 goes down with its server"
        else
            mishap "target device $1 is lost: no server can carry it"
        fi
        change "$lab/devices" -v name="$1" -v to="$to" '($1 "") == name { $2 = to } { print }'
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
