#!/bin/sh
# A stand-in for the component installer of CA Directory: with -responsefile FILE it asks nothing.
set -eu
if [ -z "${NOFM_ROOT-}" ]; then
    echo "This is the installer of a lab: it installs nothing on a real server." >&2
    exit 1
fi
. "$NOFM_ROOT/../lib/lab.sh"
. "$lab/lib/im.sh"
. "$lab/lib/directory.sh"

[ "$("$NOFM_ROOT/bin/id" -u)" = 0 ] || die "The installer must be run by root."
responses=
case ${1-} in
-responsefile) responses=$NOFM_ROOT${2:?: which file?} ;;
-write_responses)
    printf 'INSTUSER=root\nINSTALLDX=y\nBACKUPBIN=y\nBACKUPLOC=/var/backups/dx\nRESTARTDSAS=y\n' >"$NOFM_ROOT${2:?: which file?}"
    exit 0
    ;;
'') ;;
*) say "unknown option $1 is ignored" ;;
esac

if [ -n "$responses" ]; then
    [ -r "$responses" ] || die "The response file cannot be read. Installation terminated."
    grep -q '^INSTALLDX=y' "$responses" || die "INSTALLDX is not set. Installation terminated."
else
    printf 'Install CA Directory %s over %s? (y/n) ' "$directory_new" "$(of_server "$host" dx-version)"
    read -r answer || answer=n
    [ "$answer" = y ] || die "Installation terminated."
    printf 'Restart the DSAs that run now? (y/n) '
    read -r answer || :
fi
# Two attempts within a second have two logs all the same.
file=$NOFM_ROOT/tmp/cadir_install_$(date +%Y%m%d%H%M%S%N).log
upgrade_directory "$file"
