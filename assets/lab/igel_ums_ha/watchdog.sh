#!/bin/sh
# The process igel-ums-watchdog.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"

leave() {
    trap '' TERM INT
    wake
    log "watchdog stopped"
    rm -f "$NOFM_ROOT/run/igel-ums-watchdog.pid"
    exit 0
}
trap leave TERM INT

own "$NOFM_ROOT/run/igel-ums-watchdog.pid"
log "watchdog runs"
while :; do
    doze 3600
done
