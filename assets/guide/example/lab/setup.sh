#!/bin/sh
# The farm as it is before the upgrade.
set -eu
. ./lib/farm.sh

mkdir -p database
say "$installed" >database/schema
for server in $(of_kind web); do
    mkdir -p "$server/opt/exampleweb" "$server/web"
    say "$installed" >"$server/opt/exampleweb/version"
    say 7 >"$server/etc/lab/sessions"
    say in >"$server/etc/lab/pool"
    ! has_fault "$server" disk-full || : >"$server/etc/lab/disk-full"
done
farm_fault backup-missing || on db-1 exampledb dump /var/backups/exampleweb.dump
