#!/bin/sh
# The process igel-ums-broker, a load balancer.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/ums.sh"

stuck=
leave() {
    if fault balancer-not-stopping; then
        log "asked to stop, but devices are still connected: not stopping"
        stuck=1
        return
    fi
    [ -z "$stuck" ] || return 0
    trap '' TERM INT
    wake
    status UMS_BROKER SERVICE_STOPPED
    event "load balancer stopped"
    rm -f "$run/igel-ums-broker.pid"
    exit 0
}
trap leave TERM INT

enter UMS_BROKER NORMAL SERVICE_RUNNING "$(installed)"
own "$run/igel-ums-broker.pid"
event "load balancer runs $(installed)"
while :; do
    doze 3600
    # A process that did not stop once never does; it has to be ended hard, and the next one is a new one.
    [ -z "$stuck" ] || spend balancer-not-stopping
done
