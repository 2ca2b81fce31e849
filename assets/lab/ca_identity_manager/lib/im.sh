# What the product's stand-ins share; sourced after lab.sh.
#
#   FARM/database/tasks         inbound requests, one a line: NAME|END|LOOKS. END in seconds since 1970, 0 = nobody has looked
#                               yet; LOOKS = how many more looks find it pending, where it has no end.
#   FARM/database/definitions   the Provisioning Servers that the Management Console defines, one a line
#   FARM/database/primaries     the primary Provisioning Server, and the primary Provisioning Directory
#   SERVER/opt/CA/version       of Provisioning Server and C++ Connector Server; components: which of them there are
#   SERVER/opt/CA/dx-version    of CA Directory; dsas: the names of its DSAs; stopped: those that do not run

database=$lab/database
ca=$NOFM_ROOT/opt/CA
systemctl=$NOFM_ROOT/bin/systemctl
wizard=$NOFM_ROOT/run/wizard
# shellcheck disable=SC2034 # for those that source this
read -r primary_server primary_directory <"$database/primaries"

# of_server SERVER FILE: the line in a file of the product's folder there; empty where there is none.
of_server() {
    line=
    [ ! -e "$lab/$1/opt/CA/$2" ] || read -r line <"$lab/$1/opt/CA/$2" || :
    say "$line"
}

# put FILE TEXT: into the product's folder of this server.
put() {
    say "$2" >"$ca/$1.new"
    mv "$ca/$1.new" "$ca/$1"
}

# of_kind KIND: its servers, one a line.
of_kind() {
    awk -v kind="$1" '$2 == kind { print $1 }' "$lab/servers"
}

has() {
    grep -q -x "$1" "$ca/components"
}

has_unit() {
    [ -e "$NOFM_ROOT/etc/systemd/$1" ]
}

runs() {
    "$systemctl" -q is-active "$1"
}

# change FILE AWK-PROGRAM [-v …]: what the program prints is the file of the database from then on.
change() (
    file=$database/$1
    shift
    flock 9 && awk "$@" "$file" >"$file.new" && mv "$file.new" "$file"
) 9>"$database/lock"

# How many inbound requests are pending; nobody is said to have looked.
pending() {
    awk -F'|' -v now="$(date +%s)" '$2 == 0 || $2 > now || $3 > 0 { count++ } END { print count + 0 }' "$database/tasks"
}

# hang MARK: goes on when somebody makes the file named here.
hang() {
    fault "$1" || return 0
    event "hangs"
    log "it hangs; it goes on once there is a file $state/go-on"
    until [ -e "$state/go-on" ]; do
        sleep 0.2
    done
    rm -f "$state/go-on"
    spend "$1"
}
