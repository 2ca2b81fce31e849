# CA Directory and what is made of it; sourced after im.sh.

# unpack WHAT
unpack() {
    for percent in 20 40 60 80 100; do
        pause 2
        say "[$percent%] $1"
    done
}

# upgrade_directory LOG: the component installer. Its stand-in for Linux and a person on Windows end up here.
upgrade_directory() {
    say "installing CA Directory $directory_new" >"$1"
    event "CA Directory install started"
    if runs dxserver; then "$systemctl" stop dxserver; fi
    unpack "unpacking CA Directory $directory_new"
    hang directory-never-ends
    if fault directory-install-fails; then
        spend directory-install-fails
        "$systemctl" start dxserver
        event "CA Directory install failed"
        die "Installation terminated."
    fi
    errors=
    if fault directory-upgrade-errors; then
        # The new binaries are there, the database of the DSA is not upgraded.
        spend directory-upgrade-errors
        errors=1
        event "CA Directory database not upgraded"
    fi
    put dx-version "$directory_new"
    "$systemctl" start dxserver
    say "****** Installation Complete ******"
    [ -z "$errors" ] || say "Errors were encountered upgrading the DSA databases." | tee -a "$1"
    say "dxserver $directory_new" >>"$1"
    event "CA Directory installed: $directory_new"
    if farm_fault request-comes-late; then
        farm_spend request-comes-late
        say "modify user, bulk loader|-1|2" >>"$database/tasks"
        event "inbound request comes in"
    fi
}

# The number of entries of the Provisioning Directory on this server.
entries() {
    all=48210
    [ -e "$ca/filling" ] || { say "$all" && return; }
    read -r since <"$ca/filling"
    # As long as whoever waits gives it, whose patience is never shortened more than sixtyfold.
    held=0
    ! fault replica-behind || held=1200
    awk -v now="$(date +%s.%N)" -v since="$since" -v speed="$speed" -v held="$held" -v all="$all" 'BEGIN {
        part = ((now - since) * speed - held * (speed > 60 ? speed / 60 : 1)) / 20
        print int(all * (part < 0 ? 0 : part > 1 ? 1 : part))
    }'
}
