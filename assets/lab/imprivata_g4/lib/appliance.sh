# An appliance, and what its consoles do; sourced after lab.sh.
#
# Of each appliance, in etc/lab: release (installed), package (the newest on the Packages page), upgrade (to that package:
# none, installing, installed, failed), server (Running, Down), message (of a failure). Of the farm: enterprise (names of
# all appliances), sending (a file for each copy that is under way).

# get FILE [APPLIANCE]
get() {
    read -r found <"$lab/${2-$host}/etc/lab/$1"
    say "$found"
}

# set_to FILE VALUE: of this appliance.
set_to() {
    say "$2" >"$state/$1.new"
    mv "$state/$1.new" "$state/$1"
}

# The appliances of the enterprise that exist.
appliances() {
    while read -r name; do
        [ ! -d "$lab/$name" ] || say "$name"
    done <"$lab/enterprise"
}

# any UPGRADE: whether the upgrade of any appliance stands there.
any() {
    for name in $(appliances); do
        [ "$(get upgrade "$name")" != "$1" ] || return 0
    done
    return 1
}

# The status page of this appliance.
publish() {
    list=$(awk '{ printf("%s\"%s\"", (NR > 1) ? "," : "", $0) }' "$lab/enterprise")
    printf '{"release":"%s","package":"%s","upgrade":"%s","server":"%s","appliances":[%s]}\n' \
        "$(get release)" "$(get package)" "$(get upgrade)" "$(get server)" "$list" >"$NOFM_ROOT/web/status.$$"
    mv "$NOFM_ROOT/web/status.$$" "$NOFM_ROOT/web/status"
}

# The newest package of the enterprise.
newest() {
    top=$(get package)
    for name in $(appliances); do
        ! later "$(get package "$name")" "$top" || top=$(get package "$name")
    done
    say "$top"
}

# background APPLIANCE SCRIPT [ARGUMENT]: what an appliance does by itself.
background() (
    NOFM_ROOT=$lab/$1
    shift
    export NOFM_ROOT
    script=$1
    shift
    setsid sh "$lab/lib/$script" "$@" </dev/null >>"$NOFM_ROOT/log" 2>&1 8>&- 9>&- &
)

# later A B: whether release A is later than release B.
later() {
    awk -v a="$1" -v b="$2" 'BEGIN {
        gsub(/[^0-9]+/, " ", a); gsub(/[^0-9]+/, " ", b)
        split(a, x, " "); split(b, y, " ")
        for (i = 1; i <= 3; i++)
            if (x[i] + 0 != y[i] + 0) exit x[i] + 0 > y[i] + 0 ? 0 : 1
        exit 1
    }'
}

# Packages > Upload Imprivata Package.
console_upload() {
    [ -f "$1" ] || die "there is no file $1"
    signature=$(sed -n 2p "$1")
    [ "$(sed 2d "$1" | cksum)" = "$signature" ] || {
        event "refused a package that is not as it was signed"
        die "the package is not as it was signed: it cannot be uploaded"
    }
    read -r kind version <"$1"
    [ "$kind" = IPM ] || die "$1 is no package"
    ! any failed || mishap "package $version was uploaded after a failed upgrade"
    ! any installing || mishap "package $version was uploaded during an upgrade"
    ! later "$(get release)" "$version" || mishap "package $version of a lower version was uploaded"
    set_to package "$version"
    set_to upgrade none
    publish
    event "uploaded $version"
}

# Distribute > Send.
console_send() {
    version=$(newest)
    later "$version" "$(get release)" || die "there is no package to be distributed"
    ! any installing || mishap "package $version was distributed during an upgrade"
    event "sends $version to all appliances"
    for name in $(appliances); do
        [ "$(get package "$name")" != "$version" ] || continue
        : >"$lab/sending/$name"
        background "$name" receive.sh "$version"
    done
}

# Done, at the end of the distribution.
console_done() {
    for name in $(appliances); do
        [ ! -e "$lab/sending/$name" ] || die "the distribution is not finished"
    done
    event "distribution is called finished"
}

# Install, with Install IPM on all appliances selected.
console_install() {
    version=$(get package)
    for name in $(appliances); do
        [ "$(get package "$name")" = "$version" ] || mishap "$version is installed before $name has the package"
        [ "$(get release "$name")" = "$(get release)" ] || mishap "$version is installed on appliances at different hotfixes"
        case $(get upgrade "$name") in
        installing) mishap "$version is installed while the upgrade of $name is under way" ;;
        failed) mishap "$version is installed again after the upgrade of $name has failed" ;;
        esac
    done
    event "installs $version on all appliances"
    for name in $(appliances); do
        background "$name" upgrade.sh
    done
}

# A change in the Imprivata Admin Console.
admin_change() {
    ! any installing || mishap "the Admin Console was used during the upgrade: the change is lost"
    event "a change was made in the Admin Console"
}

# Removes an appliance from the enterprise.
remove_appliance() {
    grep -q -x -e "$1" "$lab/enterprise" || die "$1 does not belong to the enterprise"
    ! any failed || mishap "$1 was removed after a failed upgrade: the enterprise is corrupted"
    ! any installing || mishap "$1 was removed during the upgrade: the enterprise is corrupted"
    grep -v -x -e "$1" "$lab/enterprise" >"$lab/enterprise.new"
    mv "$lab/enterprise.new" "$lab/enterprise"
    event "$1 was removed from the enterprise"
    for name in $(appliances); do
        (
            NOFM_ROOT=$lab/$name host=$name
            publish
        )
    done
}

# Restarts this appliance.
restart_appliance() {
    "$NOFM_ROOT/bin/systemctl" stop imprivata-server
    pause "$1"
    "$NOFM_ROOT/bin/systemctl" start imprivata-server
}

# What Imprivata Technical Support do about this appliance.
support() {
    goal=$(newest)
    while [ "$(get upgrade)" = installing ]; do pause 1; done
    if [ "$(get release)" != "$goal" ] || [ "$(get upgrade)" = failed ]; then
        set_to package "$goal"
        set_to release "$goal"
        set_to upgrade installed
        event "was brought to $goal by support"
    fi
    if [ "$(get server)" != Running ]; then
        set_to server Running
        event "is in service again by support"
    fi
    publish
}
