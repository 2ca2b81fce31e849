#!/bin/sh
# The enterprise before the upgrade: its appliances, the package, the backup on the file server.
set -eu
. ./lib/farm.sh

mkdir -p media file-server sending
of_kind appliance >enterprise
! farm_fault orphan || say appliance-old >>enterprise

for server in $(of_kind appliance); do
    own=$server/etc/lab
    mkdir -p "$server/web"
    say "$installed" >"$own/release"
    say "$installed" >"$own/package"
    say none >"$own/upgrade"
    say Running >"$own/server"
    # It answers all the time, and must not be used while appliances are upgraded.
    say "Imprivata Admin Console" >"$server/web/admin"
    ! has_fault "$server" hotfix-differs || say "$older" | tee "$own/release" >"$own/package"
    ! has_fault "$server" failed-before || say failed >"$own/upgrade"
    ! has_fault "$server" later-package || say "$later" >"$own/package"
    ! has_fault "$server" server-down || say Down >"$own/server"
done

# block BYTES: so much of something.
block() {
    head -c "$1" /dev/zero | tr '\0' x
    say
}

# A package is signed: its second line is the checksum of the rest.
{
    say "IPM $new"
    block 1500000
} >content
signature=$(cksum <content)
if farm_fault package-changed; then
    block 20 >>content
fi
{
    head -n 1 content
    say "$signature"
    tail -n +2 content
} >"media/$ipm"
rm content
! farm_fault package-missing || rm "media/$ipm"
! farm_fault package-cut || {
    head -c 4000 "media/$ipm" >cut
    mv cut "media/$ipm"
}

backup=file-server/20261121_132506.IBU
farm_fault backup-missing || block 2000000 >"$backup"
! farm_fault backup-stale || touch -d "3 days ago" "$backup"
! farm_fault backup-small || block 40 >"$backup"
