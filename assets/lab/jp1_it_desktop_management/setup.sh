#!/bin/sh
# Installed versions, installers of the new and the old version, the database.
set -eu
. ./lib/farm.sh

mkdir -p database
say "$installed" >database/version
say 0 >database/upgrades
! farm_fault tasks-running || say 0 >database/tasks

for server in $(of_kind db) $(of_kind mgr); do
    product="$server/C:/Program Files (x86)/Hitachi/jp1itdmm"
    mkdir -p "$product/mgr/bin" "$product/mgr/log" "$server/D:/new" "$server/D:/old" \
        "$server/C:/Windows/System32/winevt/Logs"
    say "$installed" >"$product/version"
    say "installed $installed" >"$product/mgr/log/install.log"
    for log in Application System; do
        say "no events" >"$server/C:/Windows/System32/winevt/Logs/$log.evtx"
    done
    say "$new" >"$server/D:/new/setup.exe"
    has_fault "$server" old-version-missing || say "$installed" >"$server/D:/old/setup.exe"
    : >"$server/etc/lab/licence"
    ! has_fault "$server" disk-full || : >"$server/etc/lab/disk-full"
    ! has_fault "$server" clock || say 90 >"$server/etc/lab/clock"
    ! has_fault "$server" restart-pending || say first >"$server/etc/lab/restart-pending"
done
mkdir -p "$(of_kind db)/E:/backup"
