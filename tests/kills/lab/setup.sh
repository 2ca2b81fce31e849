#!/bin/sh
set -eu
. ./lib/farm.sh

mkdir -p media
for server in $(of_kind app); do
    say 1.0 >"$server/etc/version"
    : >"$server/etc/healthy"
done
say 1 >db-1/etc/schema
