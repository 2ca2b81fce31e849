#!/bin/sh
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/pvs.sh"
runs StreamService || die "the device finds no Stream Service on $host"
device=$(awk -F'|' '$2 == "-" { print $1; exit }' "$lab/devices")
[ -n "$device" ] || die "every device is on"
pause 20
change "$lab/devices" -v name="$device" -v to="$host" '($1 "") == name { $2 = to } { print }'
event "device $device boots from $host"
