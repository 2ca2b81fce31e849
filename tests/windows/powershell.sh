#!/bin/sh
# Stands for powershell.exe: reads what the loader reads, and answers the call by the protocol of POSIX servers, of
# which $NOFM_ROOT/protocol is the text. A question is sh here. What $NOFM_ROOT/answer holds is answered to any call.
set -u
printf '%s\n' "$@" >"$NOFM_ROOT/argv"
IFS= read -r length || exit 90
head -c "$length" >"$NOFM_ROOT/text.$$"
[ "$(wc -c <"$NOFM_ROOT/text.$$")" -eq "$length" ] || exit 90
cp "$NOFM_ROOT/text.$$" "$NOFM_ROOT/text"
call=$(tail -n 1 "$NOFM_ROOT/text.$$" | sed -n 's/^Write-NofmLine "`nnofm1 $nofmMarker"; nofm @(\(.*\))$/\1/p')
e=$(sed -n "1s/^\$nofmMarker = '\([0-9a-f]*\)'$/\1/p" "$NOFM_ROOT/text.$$")
rm -f "$NOFM_ROOT/text.$$"
[ -n "$call" ] && [ -n "$e" ] || exit 91
# Strings of PowerShell as words of sh: a doubled quote is a quote.
words=$(printf '%s' "$call" | sed "s/', '/\n/g; s/^'//; s/'\$//" | sed "s/''/'/g; s/'/'\\\\''/g; s/^/'/; s/\$/'/" | tr '\n' ' ')
eval "set -- $words"
printf '\nnofm1 %s\n' "$e"
if [ -e "$NOFM_ROOT/answer" ]; then
    cat "$NOFM_ROOT/answer"
    exit 0
fi
case $1 in
ask)
    question=$(head -c "$4"; echo _)
    sh -c "${question%_}" >"$NOFM_ROOT/said" 2>"$NOFM_ROOT/complaint" </dev/null
    exit=$?
    more=whole
    for stream in said complaint; do
        size=$(wc -c <"$NOFM_ROOT/$stream")
        [ "$size" -le "$2" ] || more=cut size=$2
        if [ "$size" -gt 0 ]; then
            printf 'O 0 %s\n' "$size"
            head -c "$size" "$NOFM_ROOT/$stream"
            printf '\n%s\n' "$e"
        fi
        printf 'S end\n'
    done
    printf 'A %s %s\n' "$exit" "$more"
    # PowerShell as a login's shell makes 1 of any other status.
    exit 1
    ;;
put | get)
    verb=$1 path=/$(printf '%s' "$2" | tr '\\' /)
    shift 2
    set -- "$verb" "$path" "$@"
    ;;
esac
s=$(cat "$NOFM_ROOT/protocol")
eval "$s"
nofm "$@"
