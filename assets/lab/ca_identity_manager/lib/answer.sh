# A service that runs until it is told to stop; sourced after im.sh.

# answer_at UNIT PORT NAME: something answers at PORT meanwhile; `-` where nothing does.
answer_at() {
    unit=$1
    serve_pid=$NOFM_ROOT/run/$unit.serve
    trap 'leave' TERM INT
    [ "$2" = - ] || serve "$2"
    own "$NOFM_ROOT/run/$unit.pid"
    event "$3 runs"
    while :; do
        doze 3600
    done
}

leave() {
    trap '' TERM INT
    wake
    ! alive "$serve_pid" || kill "$pid" 2>/dev/null || :
    while alive "$serve_pid"; do sleep 0.02; done
    # Last: whoever stops the service takes it for stopped from here on.
    rm -f "$NOFM_ROOT/run/$unit.pid"
    exit 0
}

serve() {
    # What an earlier process left behind after a hard end.
    ! alive "$serve_pid" || kill "$pid"
    while alive "$serve_pid"; do sleep 0.05; done
    read -r address <"$state/address"
    mkdir -p "$NOFM_ROOT/run/web"
    "$program" lab-serve --address "$address" --port "$1" --dir "$NOFM_ROOT/run/web" --pid-file "$serve_pid" &
    server=$!
    until alive "$serve_pid"; do
        birth "$server" || die "nothing answers at $address:$1"
        sleep 0.05
    done
}
