#!/bin/sh
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/pvs.sh"
runs StreamService || die "the device finds no Stream Service on $host"
pause 20
device=$(boot_on "$host")
[ -n "$device" ] || die "every device is on"
event "device $device boots from $host"
