#!/bin/sh
# The installer; it replaces the version that is installed.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
[ "${1-}" = --yes ] || die "this stand-in asks nothing: give --yes"
read -r left <"$state/sessions"
[ "$left" = 0 ] || mishap "installed with $left sessions"
for part in 1 2 3 4; do
    say "installing part $part of 4"
    pause 2
    if [ "$part" = 2 ] && fault install-fails; then
        spend install-fails
        event "fails to install 3.1"
        die "ERROR: part 2 could not be written"
    fi
done
say 3.1 >"$NOFM_ROOT/opt/exampleweb/version"
event "installs 3.1"
