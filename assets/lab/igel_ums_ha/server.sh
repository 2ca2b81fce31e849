#!/bin/sh
# The process igel-ums-server: answers the status request, watches for the message that the schema is renewed.
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
. "$lab/lib/ums.sh"

web=$run/web.pid
leave() {
    trap '' TERM INT
    wake
    ! alive "$web" || kill "$pid" 2>/dev/null || :
    while alive "$web"; do sleep 0.02; done
    status UMS_RMGUISERVER SERVICE_STOPPED
    event "server stopped"
    # Last: whoever stops the service takes it for stopped from here on.
    [ "${1-}" = again ] || rm -f "$run/igel-ums-server.pid"
}
trap 'leave; exit 0' TERM INT

# What an earlier process left behind after a hard end.
! alive "$web" || kill "$pid"
while alive "$web"; do sleep 0.05; done

version=$(installed)
if [ "$(data_source)" = productive ]; then
    mode=NORMAL
    connect "$version" || die "the schema of the productive database is newer than this server: not started"
else
    mode=UPDATE
fi

read -r address <"$state/address"
mkdir -p "$NOFM_ROOT/web/umsapi/v3" "$spool"
cat >"$NOFM_ROOT/web/umsapi/v3/serverstatus.new" <<JSON
{"rmGuiServerVersion":"$version","buildNumber":"1","activeMQVersion":"5.18.3","derbyVersion":"10.14.2.0","serverUUID":"$host","server":"$address:$port","links":[]}
JSON
mv "$NOFM_ROOT/web/umsapi/v3/serverstatus.new" "$NOFM_ROOT/web/umsapi/v3/serverstatus"
"$program" lab-serve --address "$address" --port "$port" --dir "$NOFM_ROOT/web" --pid-file "$web" &
serve=$!
until alive "$web"; do
    birth "$serve" || die "nothing answers at $address:$port"
    sleep 0.05
done

enter UMS_RMGUISERVER "$mode" SERVICE_RUNNING "$version"
own "$run/igel-ums-server.pid"
event "server runs $version in mode $mode"

while :; do
    doze "$poll"
    birth "$serve" || { leave && die "the web server has ended"; }
    [ -e "$spool/renewed" ] || continue
    rm -f "$spool/renewed"
    if fault not-normal; then
        log "the message that the schema is renewed was lost: still on the copy of the database"
        continue
    fi
    event "told that the schema is renewed: restarting"
    leave again
    # A signal that is ignored here would be ignored by the next process too.
    trap 'rm -f "$run/igel-ums-server.pid"; exit 0' TERM INT
    say productive >"$state/datasource"
    pause 1
    exec sh "$0"
done
