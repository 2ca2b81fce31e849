# The Configuration Wizard, and the upgrade of the database; sourced after pvs.sh.

# upgrade_database BY: once. Fails where that is ordered.
# shellcheck disable=SC2016 # awk's own names
upgrade_database() {
    if fault database-fails; then
        spend database-fails
        event "database upgrade failed"
        say "Error 18: a database error occurred. The database was not upgraded."
        return 1
    fi
    [ -e "$lab/backed-up" ] || mishap "the database is upgraded without a backup"
    [ "$(schema)" = "$old_schema" ] || mishap "the database is upgraded a second time"
    pause 30
    change "$db" -v to="$new_schema" '$1 == "schema" { $2 = to } { print }'
    event "database upgraded by $1: $old_schema to $new_schema"
}

# Keeps its defaults. The first of the new version upgrades the database.
configure() {
    version=$(get server)
    [ -n "$version" ] || die "ConfigWizard: the product is not installed"
    event "configuration wizard of $version"
    say "Configuring services"
    wanted=$(schema_of "$version")
    if [ "$(schema)" != "$wanted" ]; then
        if [ "$version" != "$new" ]; then
            mishap "the old configuration wizard is run with an upgraded database"
            say "Error 33: the wrong database version is being used."
            return 0
        fi
        say "Upgrading the database"
        upgrade_database wizard || return 0
    fi
    pause 10
    set_to configured "$version"
    say "Starting services"
    for service in soapserver StreamService BNTFTP; do
        if [ "$service" = BNTFTP ] && fault service-lost; then
            spend service-lost
            event "BNTFTP does not start"
            continue
        fi
        "$systemctl" start "$service" || return 0
    done
    event "configured: $version"
    say "Configuration complete"
}
