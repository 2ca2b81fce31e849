#!/bin/sh
# The database before any service runs (each service enters itself when it starts), installed versions, installers.
set -eu
. ./lib/farm.sh

mkdir -p database media
{
    say "schema|${installed%.*}|0|"
    for server in $(of_kind ums); do
        say "process|$server|UMS_RMGUISERVER|NORMAL|SERVICE_STOPPED|$installed"
    done
    for server in $(of_kind lb); do
        say "process|$server|UMS_BROKER|NORMAL|SERVICE_STOPPED|$installed"
    done
    ! farm_fault orphan || say "process|ums-old|UMS_RMGUISERVER|NORMAL|SERVICE_STOPPED|$installed"
    if farm_fault pending-requests; then
        for site in 1 2 3; do say "job|restart of devices, site $site|0"; done
    fi
} >database/farm.db

component() {
    for server in $(of_kind "$1"); do
        say "$2" >"$server/etc/lab/components"
        mkdir -p "$server/opt/IGEL/RemoteManager"
        say "$installed" >"$server/opt/IGEL/RemoteManager/version"
    done
}
component ums server
component lb balancer
component console console

for server in $(of_kind ums); do
    say productive >"$server/etc/lab/datasource"
    ! has_fault "$server" clock || say 90 >"$server/etc/lab/clock"
    ! has_fault "$server" disk-full || : >"$server/etc/lab/disk-full"
done

for version in "$new" "$older"; do
    installer=media/setup-igel-ums-linux_$version.bin
    sed "s/@version@/$version/g" lib/installer.sh >"$installer"
    chmod 755 "$installer"
done
rm lib/installer.sh

farm_fault backup-missing || on db-1 pg_dump -Fc rmdb -f /var/backups/rmdb.dump
