# The farm as its database and its servers know it; sourced after lab.sh.
#
# farm.db: lines KIND|… : schema|VERSION, server|NAME, task|NAME|END (0: nobody looked yet), disk|NAME|SERVER (- unbound).
# devices: lines NAME|SERVER of target devices, - for one that is off, ! for one that went down with all servers.
# Of a server, in etc/lab: server (installed version), console (likewise), configured (the version that the Configuration
# Wizard was run for).

db=$lab/farm.db
systemctl=$NOFM_ROOT/bin/systemctl
# In stop order.
services="BNTFTP StreamService soapserver"

# get FILE [SERVER]: what is in it; nothing where it is not there.
get() {
    found=
    [ ! -e "$lab/${2-$host}/etc/lab/$1" ] || read -r found <"$lab/${2-$host}/etc/lab/$1"
    say "$found"
}

set_to() {
    say "$2" >"$state/$1.new"
    mv "$state/$1.new" "$state/$1"
}

# query [AWK OPTION…] PROGRAM: reads the database.
query() {
    awk -F'|' "$@" "$db"
}

# change FILE [AWK OPTION…] PROGRAM: makes FILE what the program prints of it.
change() {
    changed=$1
    shift
    (
        flock 7
        awk -F'|' -v OFS='|' "$@" "$changed" >"$changed.new"
        mv "$changed.new" "$changed"
    ) 7>"$lab/lock"
}

# shellcheck disable=SC2016 # awk's own names
schema() {
    query '$1 == "schema" { print $2 }'
}

# The names of all provisioning servers that exist.
servers() {
    awk '$2 == "pvs" { print $1 }' "$lab/servers"
}

# runs SERVICE [SERVER]
runs() {
    alive "$lab/${2-$host}/run/$1.pid"
}

# devices_of [SERVER]: how many target devices are connected.
# shellcheck disable=SC2016
devices_of() {
    awk -F'|' -v name="${1-$host}" '($2 "") == name { n++ } END { print n + 0 }' "$lab/devices"
}

# Of a version: the version of the database that it works with.
schema_of() {
    if [ "$1" = "$new" ]; then say "$new_schema"; else say "$old_schema"; fi
}

# boot_on SERVER: one that is off, if there is one; prints its name.
# shellcheck disable=SC2016
boot_on() {
    booted=$(awk -F'|' -v state="${2--}" '($2 "") == state { print $1; exit }' "$lab/devices")
    [ -z "$booted" ] || change "$lab/devices" -v name="$booted" -v to="$1" '($1 "") == name { $2 = to } { print }'
    say "$booted"
}

# The snap-in works with the SOAP server of its own server.
need_soap() {
    runs soapserver || die "Get-PvsConnection: the Citrix PVS Soap Server of $host does not answer"
}

# fits SERVICE: ends a service that cannot work.
fits() {
    version=$(get server)
    [ -n "$version" ] || die "$1: the product is not installed"
    [ "$(get configured)" = "$version" ] || die "$1: $version is not configured yet"
    [ "$(schema)" = "$(schema_of "$version")" ] || {
        mishap "$1 of $version started with a database of another version"
        die "$1: 33, the wrong database version is being used. Found: $(schema), expected: $(schema_of "$version")"
    }
}

# Another server than this one whose services run.
other_running() {
    for other in $(servers); do
        for service in $services; do
            ! runs "$service" "$other" || { say "$other" && return 0; }
        done
    done
    return 1
}
