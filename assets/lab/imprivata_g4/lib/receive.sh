#!/bin/sh
# A package on its way to this appliance.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/appliance.sh"
version=$1
pause 10
if fault distribution-fails; then
    spend distribution-fails
    log "the package did not arrive"
else
    set_to package "$version"
    set_to upgrade none
    publish
    event "received $version"
fi
rm -f "$lab/sending/$host"
