#!/bin/sh
# Installed versions, the Management Console's definitions, inbound requests, the media, backups, and faults that are states.
set -eu
. ./lib/farm.sh

mkdir -p database
: >database/tasks
: >database/definitions
primary_directory=$(of_kind pd)
primary_server=$(of_kind ps | head -n 1)
say "$primary_server $primary_directory" >database/primaries
if farm_fault pending-requests; then
    for name in "create user" "modify user" "assign role"; do say "$name|0|0"; done >database/tasks
fi
! farm_fault orphan || say ps-old >>database/definitions
chmod 755 media/CADirectory/dxserver/install/dxsetup.sh

# states SERVER: faults that any server may have.
states() {
    ! has_fault "$1" clock || say 90 >"$1/etc/lab/clock"
    ! has_fault "$1" disk-full || : >"$1/etc/lab/disk-full"
}

# product SERVER COMPONENT…
product() {
    server=$1
    shift
    mkdir -p "$server/opt/CA"
    say "$installed" >"$server/opt/CA/version"
    printf '%s\n' "$@" >"$server/opt/CA/components"
    states "$server"
}

# provisioning SERVER: what a Provisioning Server has besides.
provisioning() {
    say "$1" >>database/definitions
    ! has_fault "$1" registered-twice || say "$1" >>database/definitions
    say "$directory_installed" >"$1/opt/CA/dx-version"
    say "$1-imps-router" >"$1/opt/CA/dsas"
}

# key FILE TEXT
key() {
    mkdir -p "${1%/*}"
    say "$2" >"$1"
}

for server in $(of_kind ps); do
    product "$server" server connector
    provisioning "$server"
    secret=one
    ! has_fault "$server" other-key || secret=another
    home=$server/opt/CA/IdentityManager/ProvisioningServer
    key "$home/data/tls/keymgmt/imps_datakey" "$secret"
    key "$home/logs/im_ps.log" "started"
    printf 'INSTUSER=root\nINSTALLDX=y\nBACKUPBIN=y\nBACKUPLOC=/var/backups/dx\nRESTARTDSAS=y\n' >"$server/root/dx-responses.txt"
    # Where the media is mounted, as whoever looks from outside of the server's folder sees it.
    mkdir -p "$server$lab"
    has_fault "$server" media-missing || ln -s "$lab/media" "$server$lab/media"
done
for server in $(of_kind psw); do
    product "$server" server
    provisioning "$server"
    home="$server/C:/Program Files (x86)/CA/Identity Manager/Provisioning Server"
    key "$home/data/tls/keymgmt/imps_datakey" one
    key "$home/Logs/im_ps.log" "started"
    key "$server/D:/CA-IM/CADirectory/dxserver/setup.exe" "the installer of CA Directory"
done
for server in $(of_kind ccs); do
    product "$server" connector
    key "$server/opt/CA/IdentityManager/ProvisioningServer/logs/im_ccs.log" "started"
done

backup() {
    folder=$1/var/backups/impd
    mkdir -p "$folder"
    for part in notify main inc co; do
        awk -v count="$([ $part = main ] && say 2000 || say 20)" \
            'BEGIN { for (i = 0; i < count; i++) print "dn: eTGlobalUserName=user" i ",dc=im,dc=eta" }' >"$folder/impd-$part.ldif"
    done
    ! has_fault "$1" backup-small || say "dn: dc=eta" >"$folder/impd-main.ldif"
    ! has_fault "$1" backup-stale || touch -d "3 days ago" "$folder"/*.ldif
}

for server in "$primary_directory" $(of_kind alt); do
    mkdir -p "$server/opt/CA"
    version=$directory_installed
    [ "$server" != "$primary_directory" ] || has_fault "$server" primary-directory-old || version=$directory_new
    say "$version" >"$server/opt/CA/dx-version"
    for part in notify main inc co; do say "$server-impd-$part"; done >"$server/opt/CA/dsas"
    states "$server"
    [ "$server" != "$primary_directory" ] || has_fault "$server" backup-missing || backup "$server"
done
