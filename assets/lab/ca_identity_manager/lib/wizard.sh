# The Upgrade Wizard, as a person goes through it; sourced after im.sh. run/wizard holds what was chosen so far.

# What no upgrade may do, looked for when Launch Upgrade is clicked.
look_for_mishaps() {
    count=$(pending)
    [ "$count" = 0 ] || mishap "the upgrade is launched while $count inbound requests are pending"
    for other in "$lab"/*/run/wizard/open; do
        [ ! -e "$other" ] || [ "$other" = "$wizard/open" ] || mishap "the wizard is open on another server: $other"
    done
    for directory in "$primary_directory" $(of_kind alt); do
        [ "$(of_server "$directory" dx-version)" = "$directory_new" ] ||
            mishap "the upgrade is launched while the directory on $directory is of the old version"
    done
    has server || return 0
    [ "$(of_server "$host" dx-version)" = "$directory_new" ] ||
        mishap "the Provisioning Server is upgraded before CA Directory"
    [ "$host" = "$primary_server" ] || [ "$(of_server "$primary_server" version)" = "$new" ] ||
        mishap "an alternate Provisioning Server is upgraded before the primary"
}

launch() {
    look_for_mishaps
    rm -rf "$wizard"
    mkdir -p "$wizard"
    : >"$wizard/open"
    event "upgrade launched"
    ! farm_fault deprecated-connectors || event "Deprecated Connector Warning"
}

must_be_open() {
    [ -e "$wizard/open" ] || die "the Upgrade Wizard is not open on $host"
}

# setup_type TYPE
setup_type() {
    must_be_open
    there="C++ Connector Server"
    ! has server || there="Provisioning Server"
    ! has server || ! has connector || there="Provisioning Server and C++ Connector Server"
    [ "$1" = "$there" ] || mishap "installation type $1, and installed is $there"
    say "$1" >"$wizard/type"
    event "Custom: $1"
}

# high_availability PRIMARY ALTERNATES
high_availability() {
    must_be_open
    alternates=$(of_kind alt)
    [ "$1" = "$primary_directory" ] || mishap "$1 is said to be the primary directory, which is $primary_directory"
    [ "$2" = "$alternates" ] || mishap "the alternate directories are not those that there are: $2"
    : >"$wizard/availability"
    event "high availability: primary $1"
}

# The services as they were before, in the old version or the new one.
start_all() {
    for unit in im_ps im_ccs; do
        ! has_unit "$unit" || "$systemctl" start "$unit"
    done
}

stop_all() {
    for unit in im_ccs im_ps; do
        ! has_unit "$unit" || "$systemctl" stop "$unit"
    done
}

# The wizard is gone, and the old version is there as before.
broken_off() {
    rm -f "$wizard/open"
    start_all
    event "upgrade failed"
}

# What a person says is that the wizard has ended; how it ended shows.
enter() {
    [ -e "$wizard/type" ] || die "no installation type was chosen on $host"
    if [ ! -e "$wizard/open" ]; then
        look_for_mishaps
        : >"$wizard/open"
        event "upgrade launched again"
    fi
    [ -z "$(of_kind alt)" ] || [ -e "$wizard/availability" ] ||
        mishap "there are alternate directories, and the server is not told of them"
    stop_all
    for _ in 1 2 3 4 5; do pause 4; done
    if fault reboots; then
        spend reboots
        "$systemctl" stop dxserver
        event "server restarts"
        rm -f "$wizard/open"
        "$systemctl" start dxserver
        start_all
        return
    fi
    if fault upgrade-fails; then
        spend upgrade-fails
        broken_off
        return
    fi
    for _ in 1 2 3 4 5; do pause 4; done
    put version "$new"
    event "upgraded: $new"
    if fault service-lost; then
        spend service-lost
        ! has_unit im_ccs || "$systemctl" start im_ccs
    elif fault service-stays-down; then
        ! has_unit im_ccs || "$systemctl" start im_ccs
    else
        start_all
    fi
    rm -rf "$wizard"
}
