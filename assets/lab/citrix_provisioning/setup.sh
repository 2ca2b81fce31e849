#!/bin/sh
# The farm in its old version: database, target devices, installed products, answer files, media, the backup.
set -eu
. ./lib/farm.sh

{
    say "schema|$old_schema"
    for server in $(of_kind pvs); do
        say "server|$server"
    done
    ! farm_fault orphan || say "server|pvs-old"
    ! farm_fault registered-twice || say "server|pvs-1.example.test"
    ! farm_fault pending-tasks || say "task|merge of win11|0"
    say "disk|win11|-"
    ! farm_fault bound-disk || say "disk|kiosk|pvs-1"
} >farm.db

each=2
# Nothing fails over from a server that is alone: its devices are off.
[ "$(of_kind pvs | wc -l)" -gt 1 ] || each=0
! farm_fault too-many-devices || each=$carries
number=0
for server in $(of_kind pvs); do
    # One more is off.
    count=0
    while [ "$count" -le "$each" ]; do
        number=$((number + 1))
        if [ "$count" -lt "$each" ]; then say "dev-$number|$server"; else say "dev-$number|-"; fi
        count=$((count + 1))
    done
done >devices

for server in $(of_kind pvs); do
    say "$installed" >"$server/etc/lab/server"
    say "$installed" >"$server/etc/lab/console"
    say "$installed" >"$server/etc/lab/configured"
    folder="$server/C:/ProgramData/Citrix/Provisioning Services"
    mkdir -p "$folder/Log/AOT" "$server/C:/Windows/Temp"
    say "a stand-in of a trace" >"$folder/Log/AOT/trace.etl"
    # UTF-16 with its mark, as the wizard writes it.
    if ! has_fault "$server" answer-file-missing; then
        # shellcheck disable=SC2059 # the zero bytes are wanted
        printf "\377\376$(printf 'FarmConfiguration=0' | sed 's/./&\\000/g')\r\000\n\000" >"$folder/ConfigWizard.ans"
    fi
    ! has_fault "$server" clock || say 600 >"$server/etc/lab/clock"
    ! has_fault "$server" disk-full || : >"$server/etc/lab/disk-full"
    ! has_fault "$server" console-open || : >"$server/etc/lab/console-open"
done
for server in $(of_kind console); do
    say "$installed" >"$server/etc/lab/console"
    mkdir -p "$server/C:/Windows/Temp"
done

for pair in "old $installed" "new $new"; do
    folder=media/${pair% *}
    mkdir -p "$folder"
    printf 'product server\nversion %s\n' "${pair#* }" >"$folder/PVS_Server_x64.exe"
    printf 'product console\nversion %s\n' "${pair#* }" >"$folder/PVS_Console_x64.exe"
done

back_up() {
    on sql-1 sqlcmd -S localhost -E -b -Q "BACKUP DATABASE [$database] TO DISK = N'$backup' WITH INIT, COPY_ONLY, CHECKSUM"
}
if farm_fault backup-stale; then
    back_up
    touch -d '3 days ago' "sql-1$backup"
    rm backed-up
elif farm_fault backup-too-small; then
    mkdir -p "sql-1${backup%/*}"
    say "backup" >"sql-1$backup"
elif ! farm_fault backup-missing; then
    back_up
fi
