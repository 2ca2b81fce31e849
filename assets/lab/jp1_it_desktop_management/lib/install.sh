# The installers; sourced after jp1.sh.

# What the vendor forbids, looked for on behalf of whoever rehearses.
look_for_mishaps() {
    mgr=$(of_kind mgr)
    [ "$(runs "$mgr")" = 0 ] || mishap "the installer runs while services of the management server run"
    [ "$host" != "$mgr" ] || [ "$(version_on "$(of_kind db)")" = "$new" ] ||
        mishap "the management server is upgraded before the database server"
    find "$lab" -name backup.001 | grep -q . || mishap "the installer runs without a backup of the database"
    [ "$(free_kb)" -ge 2400000 ] || mishap "the installer runs with less than 2.4 GB free"
    [ ! -e "$state/broken" ] || mishap "the installer runs over an installation that broke off"
}

# Half of the new version is there: the old number, and nothing that runs.
break_off() {
    : >"$state/broken"
    event "install failed: $1"
    say "$new: failed, $1" >>"$product/mgr/log/install.log"
    exit 0
}

overwrite() {
    if fault install-never-ends; then
        if [ ! -e "$state/go-on" ]; then
            [ -e "$state/hangs" ] || event "install hangs at 60 %"
            : >"$state/hangs"
            die "The installer is at 60 % and says nothing. It goes on once there is a file $state/go-on"
        fi
        spend install-never-ends
        rm -f "$state/go-on" "$state/hangs"
    fi
    look_for_mishaps
    event "install started: $(installed) to $new"
    services stop
    pause 15
    if fault install-fails; then
        spend install-fails
        break_off "a file cannot be replaced"
    fi
    if fault reboots-midway; then
        spend reboots-midway
        event "restarted by itself"
        break_off "Windows was restarted"
    fi
    pause 15
    put "$new"
    say "$new: done" >>"$product/mgr/log/install.log"
    event "installed $new"
    if fault restart-wanted; then
        spend restart-wanted
        boot_id >"$state/restart-pending"
    fi
    if fault lost-service; then
        spend lost-service
        : >"$state/disabled-itdm-web"
    fi
    services start
}

# back SERVER: the old version is installed there, without a licence; nothing runs before the database is back.
back() {
    target=$1
    [ -e "$(local_path 'D:\old\setup.exe' "$target")" ] || die "There is no installer of the old version on $target."
    as "$target" services stop
    pause 15
    as "$target" put "$installed"
    rm -f "$lab/$target/etc/lab/licence"
    as "$target" event "old version installed: $installed"
}
