# A service of the product as a process; sourced by the units, after lab.sh.
. "$lab/lib/jp1.sh"

# Another version than on the database server, or half an installation, is not started. What must never happen is that
# somebody tries.
may_run() {
    [ ! -e "$state/disabled-$1" ] || die "$1: disabled, not started"
    [ ! -e "$state/broken" ] || die "$1: the installation is not whole, not started"
    [ "$(kind)" = mgr ] || return 0
    there=$(version_on "$(of_kind db)")
    [ "$there" = "$(installed)" ] || {
        mishap "a service of the management server is started with $(installed), the database server has $there"
        die "$1: the database server has version $there, not started"
    }
    [ ! -e "$database/broken" ] || die "$1: the database is half upgraded, not started"
}

serve() {
    may_run "$1"
    pid_file=$NOFM_ROOT/run/$1.pid
    # shellcheck disable=SC2064 # the name is known now
    trap "trap '' TERM INT; wake; log 'stopped: $1'; rm -f '$pid_file'; exit 0" TERM INT
    own "$pid_file"
    log "runs $(installed): $1"
    while :; do
        doze 3600
    done
}
