#!/bin/sh
# A stand-in for the installer of UMS @version@. With --silent yes it asks nothing.
set -eu
if [ -z "${NOFM_ROOT-}" ]; then
    echo "This is the installer of a lab: it installs nothing on a real server." >&2
    exit 1
fi
. "$NOFM_ROOT/../lib/lab.sh"
new=@version@
. "$lab/lib/ums.sh"

silent=no
eula=no
while [ $# -gt 0 ]; do
    case $1 in
    --nox11 | --) shift ;;
    --version) say "$new" && exit 0 ;;
    --silent) silent=${2-} && shift 2 ;;
    --accept-eula) eula=${2-} && shift 2 ;;
    --accept-license-info | --accept-sso-info | --installation-type | --install-dependencies | --upload-license-file | --create-shortcut)
        [ $# -ge 2 ] || die "option $1 needs a value"
        shift 2
        ;;
    *) say "unknown option: $1" >&2 && exit 2 ;;
    esac
done

. "$lab/lib/pages.sh"
. "$lab/lib/update.sh"

must_be_possible
[ "$silent" = yes ] && { [ "$eula" = yes ] || { say "the licence agreement is not accepted: --accept-eula yes" >&2 && exit 2; }; }
[ "$silent" = yes ] || pages
update
[ "$silent" = yes ] || enter_to "Setup is complete. Press Enter to close."
