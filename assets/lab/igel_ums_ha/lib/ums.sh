# The database and the product's folders, as the product's own stand-ins see them; sourced after lab.sh.
#
# The database is a text file, replaced as a whole under a lock:
#   schema|VERSION|TIMES RENEWED|BY
#   process|HOST|TYPE|MODE|STATUS|VERSION
#   job|NAME|END IN SECONDS SINCE 1970, 0 = NOT YET KNOWN

db=$lab/database/farm.db
product=$NOFM_ROOT/opt/IGEL/RemoteManager
run=$NOFM_ROOT/run
spool=$NOFM_ROOT/var/spool/ums

# query AWK-PROGRAM [-v …]: reads the database.
query() {
    awk -F'|' "$@" "$db"
}

# change AWK-PROGRAM [-v …]: what the program prints is the new database. Nobody ever sees half a change.
change() (
    flock 9 && awk -F'|' -v OFS='|' "$@" "$db" >"$db.new" && mv "$db.new" "$db"
) 9>"$lab/database/lock"

installed() {
    read -r found <"$product/version"
    say "$found"
}

# Which database the UMS Server works on: productive, or copy.
data_source() {
    read -r found <"$state/datasource"
    say "$found"
}

# enter TYPE MODE STATUS VERSION: this host's process as the database knows it; added when it is not there.
enter() {
    # shellcheck disable=SC2016 # awk's own names
    change -v host="$host" -v type="$1" -v mode="$2" -v status="$3" -v version="$4" '
        $1 == "process" && ($2 "") == host && $3 == type { $4 = mode; $5 = status; $6 = version; found = 1 }
        { print }
        END { if (!found) print "process", host, type, mode, status, version }'
}

# status TYPE STATUS: changes the status alone.
status() {
    # shellcheck disable=SC2016
    change -v host="$host" -v type="$1" -v status="$2" '
        $1 == "process" && ($2 "") == host && $3 == type { $5 = status }
        { print }'
}

# compare A B: prints -1, 0 or 1 as version A is older than B, the same, or newer.
compare() {
    awk -v a="$1" -v b="$2" 'BEGIN {
        n = split(a, x, "."); m = split(b, y, ".")
        for (i = 1; i <= n || i <= m; i++)
            if (x[i] + 0 != y[i] + 0) { print x[i] + 0 < y[i] + 0 ? -1 : 1; exit }
        print 0
    }'
}

# connect VERSION: the first connection of a newer UMS renews the schema; an older one cannot connect.
connect() {
    own_schema=${1%.*}
    # shellcheck disable=SC2016
    change -v own="$own_schema" -v host="$host" '
        function older(a, b,   x, y) {
            split(a, x, "."); split(b, y, ".")
            return x[1] + 0 < y[1] + 0 || (x[1] + 0 == y[1] + 0 && x[2] + 0 < y[2] + 0)
        }
        $1 == "schema" && older($2, own) { $2 = own; $3 = $3 + 1; $4 = host }
        { print }'
    # shellcheck disable=SC2016,SC2046 # awk's own names; three words are wanted
    set -- $(query '$1 == "schema" { print $2, $3, $4 == "" ? "-" : $4 }')
    [ "$(compare "$1" "$own_schema")" = 0 ] || return 1
    [ "$3" = "$host" ] || return 0
    # This host is the last that renewed it; was it now?
    before=0
    [ ! -e "$state/renewals" ] || read -r before <"$state/renewals"
    [ "$2" != "$before" ] || return 0
    say "$2" >"$state/renewals"
    event "renewed the schema of the productive database: $own_schema"
    [ "$2" = 1 ] || mishap "the schema was renewed $2 times"
}
