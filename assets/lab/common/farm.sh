# For setup.sh of a lab, which runs in the farm's folder before any server is started.

LC_ALL=C
export LC_ALL
lab=$PWD
. ./lib/settings
PATH=$own_path
export PATH

say() {
    printf '%s\n' "$*"
}

die() {
    say "$*" >&2
    exit 1
}

# of_kind KIND: the names of its servers, one a line.
of_kind() {
    awk -v kind="$1" '$2 == kind { print $1 }' servers
}

# address_of SERVER
address_of() {
    awk -v name="$1" '$1 == name { print $3 }' servers
}

# farm_fault NAME: whether the fault was ordered for the whole farm.
farm_fault() {
    [ -e faults ] && grep -q -x -e "$1" -e "$1:always" faults
}

# has_fault SERVER NAME: whether the fault was ordered for that server.
has_fault() {
    [ -e "$1/etc/lab/faults" ] && grep -q -x -e "$2" -e "$2:always" "$1/etc/lab/faults"
}

# on SERVER COMMAND…: runs a command as that server does.
on() {
    (
        NOFM_ROOT=$lab/$1
        PATH=$NOFM_ROOT/bin:$own_path
        export NOFM_ROOT PATH
        shift
        cd "$NOFM_ROOT"
        exec "$@"
    )
}
