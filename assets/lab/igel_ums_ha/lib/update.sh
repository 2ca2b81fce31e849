# What the installer does, once it may; sourced by the installer.
# shellcheck disable=SC2016 # awk's own names

systemctl=$NOFM_ROOT/bin/systemctl

has() {
    grep -q -x "$1" "$state/components"
}

must_be_possible() {
    [ "$("$NOFM_ROOT/bin/id" -u)" = 0 ] || die "Setup needs administration rights."
    [ -e "$product/version" ] || die "There is no UMS on this host."
    if [ "$(compare "$new" "$(installed)")" = -1 ]; then
        say "UMS $(installed) is installed. An older version ($new) cannot be installed over it." >&2
        exit 3
    fi
    { : >"$NOFM_ROOT/root/IGEL-Network.token.new"; } 2>/dev/null || die "The directory /root is not writable."
    mv "$NOFM_ROOT/root/IGEL-Network.token.new" "$NOFM_ROOT/root/IGEL-Network.token"
    free=$("$NOFM_ROOT/bin/df" -Pk "$product" | awk 'END { print $4 }')
    [ "$free" -ge 1000000 ] || die "Not enough disk space: $free KB free in /opt/IGEL/RemoteManager."
}

# What the vendor forbids, looked for on behalf of whoever rehearses.
look_for_mishaps() {
    for other in "$lab"/*/run/installer.lock; do
        [ -e "$other" ] && [ "$other" != "$run/installer.lock" ] && ! flock -n "$other" true || continue
        mishap "the installer runs on another host at the same time: $other"
    done
    has server || [ "$(query '$1 == "schema" { print $2 }')" = "${new%.*}" ] ||
        mishap "a further component is updated before the servers"
    least=0
    most=0
    for clock in "$lab"/*/etc/lab/clock; do
        [ -e "$clock" ] || continue
        read -r shift_by <"$clock"
        [ "$shift_by" -ge "$least" ] || least=$shift_by
        [ "$shift_by" -le "$most" ] || most=$shift_by
    done
    [ $((most - least)) -le 60 ] || mishap "the clocks differ by $((most - least)) s"
}

hostile() {
    printf '\033]0;owned\007\033[2J\033[31mred\033[0m \302\233 \000 \377\376 {{ inputs.version }} $(reboot) '
    printf '\342\200\256gnp.exe \033]52;c;cm0gLXJm\007\n'
    awk 'BEGIN { for (i = 0; i < 20000; i++) printf "x"; print "" }'
}

big() {
    awk 'BEGIN { line = "unpacking "; while (length(line) < 99) line = line "#"
        for (i = 0; i < 1000000; i++) print line }'
}

# fails WHERE: whether the installation is to fail on this server now.
fails() {
    fault install-fails || return 1
    spend install-fails
    say "ERROR: $1 cannot be replaced: text file busy. The installation is undone." >&2
    event "install failed"
}

unpack() {
    for percent in 10 20 30 40 50 60 70 80 90 100; do
        pause 0.6
        say "[$percent%] unpacking"
        [ "$percent" != 50 ] || ! fails "rmguiserver/lib" || return 1
        [ "$percent" != 30 ] || ! fault hostile-output || hostile
        [ "$percent" != 30 ] || ! fault big-output || big
        [ "$percent" != 60 ] || ! fault install-never-ends || hang
    done
    say "$new" >"$product/version.new"
    mv "$product/version.new" "$product/version"
}

# Goes on when somebody makes the file named here.
hang() {
    event "install hangs"
    log "the installer hangs; it goes on once there is a file $state/go-on"
    until [ -e "$state/go-on" ]; do
        sleep 0.2
    done
    rm -f "$state/go-on"
    spend install-never-ends
}

# Starts what was stopped, in the old version or the new one.
start_all() {
    for unit in igel-ums-server igel-ums-broker igel-ums-watchdog; do
        [ ! -e "$NOFM_ROOT/etc/systemd/$unit" ] || "$systemctl" start "$unit" || return 1
    done
}

stop_all() {
    for unit in igel-ums-watchdog igel-ums-broker igel-ums-server; do
        [ ! -e "$NOFM_ROOT/etc/systemd/$unit" ] || "$systemctl" stop "$unit" || {
            say "ERROR: $unit does not stop. The installation is undone." >&2
            event "install failed: $unit does not stop"
            start_all || :
            return 1
        }
    done
}

# A server that is not alone online, with no updated one in normal mode yet, works on a copy of the database.
choose_source() {
    others=$(query -v host="$host" '
        $1 == "process" && $3 == "UMS_RMGUISERVER" && ($2 "") != host && $5 == "SERVICE_RUNNING" { n++ }
        END { print n + 0 }')
    back=$(query -v host="$host" -v new="$new" '
        $1 == "process" && $3 == "UMS_RMGUISERVER" && ($2 "") != host && $4 == "NORMAL" && $6 == new { n++ }
        END { print n + 0 }')
    say "Other UMS Servers online: $others"
    if [ "$others" = 0 ] || [ "$back" != 0 ]; then
        source=productive
    else
        source=copy
    fi
}

to_update_mode() {
    say "Copying the database"
    pause 1
    mkdir -p "$product/rmguiserver/persistent"
    cp "$db" "$product/rmguiserver/persistent/copy.db"
    say copy >"$state/datasource"
    enter UMS_RMGUISERVER UPDATE SERVICE_STOPPED "$(installed)"
    event "update mode"
}

tally() {
    query -v new="$new" '
        $1 == "process" && $3 == "UMS_RMGUISERVER" { m++; if ($6 == new) n++ }
        END { print n + 0, m + 0 }'
}

# The last server connects to the productive database, which renews its schema, and tells the others.
renew() {
    say "All registered servers are updated: renewing the schema of the productive database"
    say productive >"$state/datasource"
    "$systemctl" restart igel-ums-server
    for other in $(query -v host="$host" '$1 == "process" && $4 == "UPDATE" && ($2 "") != host { print $2 }'); do
        [ ! -d "$lab/$other/var/spool/ums" ] || : >"$lab/$other/var/spool/ums/renewed"
    done
    event "told the other servers"
}

update() {
    mkdir -p "$run" "$spool"
    # A lock and no process number: a server may not see the processes of another one, but it sees its files.
    exec 8>"$run/installer.lock"
    flock -w 1 8 || die "Another installer is running on this host."
    look_for_mishaps
    event "install started: $(installed) to $new"
    if has server; then choose_source; fi
    stop_all || exit 1
    if has server && [ "$source" = copy ]; then to_update_mode; fi
    if ! unpack; then
        start_all || :
        exit 1
    fi
    if has server && [ "$source" = productive ]; then say productive >"$state/datasource"; fi
    start_all || {
        event "install failed: a service does not start"
        die "ERROR: a service does not start."
    }
    if has server; then
        # shellcheck disable=SC2046 # two words
        set -- $(tally)
        say "$1 of $2 servers updated"
        [ "$silent" = yes ] || enter_to "Press Enter to confirm."
        if [ "$1" = "$2" ] && [ "$source" = copy ]; then renew; fi
    fi
    exec 8>&-
    event "install done: $new"
}
