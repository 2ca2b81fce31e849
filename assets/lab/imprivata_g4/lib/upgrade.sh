#!/bin/sh
# The upgrade of this appliance. It serves meanwhile, unless it restarts.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/appliance.sh"

version=$(get package)
# advance UPGRADE: what the status page says from here on.
advance() {
    set_to upgrade "$1"
    publish
}

if fault starts-not-everywhere; then
    log "the order to install did not arrive"
    exit 0
fi
advance installing
event "begins to install $version"
pause 70
if fault upgrade-fails; then
    spend upgrade-fails
    set_to message "Installation of $version failed: see the logs, and contact Imprivata Technical Support."
    advance failed
    event "failed to install $version"
    exit 0
fi
if fault restarts-midway; then
    spend restarts-midway
    event "restarts by itself"
    restart_appliance 20
fi
! fault upgrade-takes-long || pause 300
pause 70
set_to release "$version"
! fault server-lost || {
    spend server-lost
    set_to server Down
    event "the Imprivata Server does not come back"
}
advance installed
event "runs $version"
