# The product, its database and its agents, as the stand-ins see them; sourced after lab.sh.
#
# The database is the folder database of the farm:
#   version   the version whose product it was last upgraded for
#   upgrades  how often it was upgraded since it was made or restored
#   broken    there while an upgrade of it has broken off
#   tasks     when the distribution tasks end, in seconds since 1970; 0 = not yet known
#   agents    when the update of the agents began; not there while it has not

systemctl=$NOFM_ROOT/bin/systemctl
product="$NOFM_ROOT/C:/Program Files (x86)/Hitachi/jp1itdmm"
database=$lab/database
# Agents are updated within that many seconds of the product's time.
all_agents=600

# local_path WINDOWS-PATH [SERVER]
local_path() {
    printf '%s/%s\n' "$lab/${2-$host}" "$(say "$1" | tr '\\' /)"
}

# version_on SERVER
version_on() {
    read -r found <"$lab/$1/C:/Program Files (x86)/Hitachi/jp1itdmm/version" && say "$found"
}

installed() {
    version_on "$host"
}

of_kind() {
    awk -v kind="$1" '$2 == kind { print $1 }' "$lab/servers"
}

kind() {
    awk -v name="$host" '$1 == name { print $2 }' "$lab/servers"
}

units() {
    for unit in "$NOFM_ROOT"/etc/systemd/*; do
        [ ! -e "$unit" ] || say "${unit##*/}"
    done
}

# runs SERVER: how many of its services run.
runs() {
    count=0
    for file in "$lab/$1"/run/itdm-*.pid; do
        [ ! -e "$file" ] || ! alive "$file" || count=$((count + 1))
    done
    say "$count"
}

# services VERB: on all services of this server; those that are disabled are not started.
services() {
    for unit in $(units); do
        [ "$1" != start ] || [ ! -e "$state/disabled-$unit" ] || continue
        "$systemctl" "$1" "$unit" || return 1
    done
}

# as SERVER COMMAND…: runs one of these functions on another server.
as() (
    NOFM_ROOT=$lab/$1
    shift
    . "$lab/lib/lab.sh"
    . "$lab/lib/jp1.sh"
    "$@"
)

# What changes with each restart of this server.
boot_id() {
    cat "$NOFM_ROOT/proc/sys/kernel/random/boot_id" 2>/dev/null || say first
}

free_kb() {
    "$NOFM_ROOT/bin/df" -Pk "$product" | awk 'END { print $4 }'
}

# What an installation leaves: the version, and whether all of it is there.
put() {
    say "$1" >"$product/version.new"
    mv "$product/version.new" "$product/version"
    rm -f "$state/broken"
}

# newest FOLDER: time and size in all of its files, "TIME BYTES"; nothing where there are none.
newest() {
    [ -d "$1" ] || return 0
    find "$1" -type f -exec stat -c '%Y %s' {} + |
        awk '{ if ($1 > time) time = $1; size += $2 } END { if (NR) printf "%d %.0f\n", time, size }'
}

# write_backup FOLDER MEGABYTES
write_backup() {
    mkdir -p "$1"
    cp "$database/version" "$1/backup.version"
    rm -f "$1/backup.001"
    dd if=/dev/zero of="$1/backup.001" bs=1048576 count=0 seek="$2" 2>/dev/null
}
