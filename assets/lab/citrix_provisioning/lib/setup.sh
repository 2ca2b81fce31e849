# PVS_Server_x64.exe and PVS_Console_x64.exe; sourced after pvs.sh.

# read_setup FILE: sets product and version of a setup.
read_setup() {
    product=$(sed -n 's/^product //p' "$1")
    version=$(sed -n 's/^version //p' "$1")
    [ -n "$product" ] && [ -n "$version" ] || die "$1 is no setup"
}

# older A B: whether version A is older than B.
older() {
    [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# refuse STATUS TEXT: as Windows Installer ends, of which a stand-in's exit status keeps the lowest 8 bits.
refuse() {
    say "$2" >&2
    exit $(($1 % 256))
}

# What the vendor forbids, looked for on behalf of whoever rehearses.
look_for_mishaps() {
    [ "$(devices_of)" = 0 ] || mishap "the server setup starts with $(devices_of) target devices connected"
    for other in $(servers); do
        [ "$other" != "$host" ] || continue
        [ "$(get server "$other")" = "$(get configured "$other")" ] ||
            mishap "the server setup starts while $other is not configured yet"
        [ ! -e "$lab/$other/run/setup.lock" ] || flock -n "$lab/$other/run/setup.lock" true ||
            mishap "the server setup starts while another one runs on $other"
    done
    if [ "$version" = "$new" ]; then
        [ -e "$lab/backed-up" ] || mishap "the server setup starts without a backup of the database"
    else
        [ "$(schema)" = "$old_schema" ] || mishap "the old server setup starts with an upgraded database"
    fi
}

# trace FILE TEXT…: into the log that the setup is told to keep.
trace() {
    file=$1
    shift
    say "$*" >>"$NOFM_ROOT/C:/Windows/Temp/$file"
}

hang() {
    event "server setup hangs"
    log "the setup hangs; it goes on once there is a file $state/go-on"
    until [ -e "$state/go-on" ]; do
        sleep 0.2
    done
    rm -f "$state/go-on"
    spend setup-never-ends
}

stop_services() {
    for service in $services; do
        "$systemctl" stop "$service" || refuse 1603 "$service does not stop"
    done
}

server_setup() {
    read_setup "$1"
    [ "$product" = server ] || die "$1 is no server setup"
    now=$(get server)
    [ -z "$now" ] || ! older "$version" "$now" || refuse 1638 "$now is installed, which is newer than $version."
    exec 8>"$NOFM_ROOT/run/setup.lock"
    flock -w 1 8 || refuse 1618 "Another installation is in progress."
    look_for_mishaps
    event "server setup starts: ${now:-nothing} to $version"
    trace PVSServer.log "=== Citrix Provisioning Server $version ==="
    stop_services
    for percent in 20 40 60 80 100; do
        pause 12
        say "$percent %"
        if [ "$percent" = 60 ] && fault setup-fails; then
            spend setup-fails
            event "server setup failed"
            trace PVSServer.log "Action ended: InstallFinalize. Return value 3."
            refuse 1603 "Fatal error during installation; it was rolled back."
        fi
        [ "$percent" != 60 ] || ! fault setup-never-ends || hang
    done
    set_to server "$version"
    event "server setup done: $version"
    if fault restarts-midway; then
        spend restarts-midway
        "$systemctl" reboot
        pause 3600
    fi
    if fault restart-wanted; then
        spend restart-wanted
        set_to restart-pending "$(boot_id)"
        exit $((3010 % 256))
    fi
}

console_setup() {
    read_setup "$1"
    [ "$product" = console ] || die "$1 is no console setup"
    now=$(get console)
    [ -z "$now" ] || ! older "$version" "$now" || refuse 1638 "$now is installed, which is newer than $version."
    if ! servers | grep -q -x "$host"; then
        for other in $(servers); do
            [ "$(get server "$other")" = "$new" ] || mishap "a console is upgraded elsewhere before server $other"
        done
    fi
    trace PVSConsole.log "=== Citrix Provisioning Console $version ==="
    pause 20
    set_to console "$version"
    event "console setup done: $version"
}

# uninstall server|console
uninstall() {
    ! running=$(other_running) || mishap "$1 is uninstalled while services run on $running"
    pause 10
    rm -f "$state/$1"
    [ "$1" != server ] || rm -f "$state/configured"
    event "$1 uninstalled"
}

# What tells this start of the server from the others.
boot_id() {
    cat "$NOFM_ROOT/proc/sys/kernel/random/boot_id" 2>/dev/null || say first
}
