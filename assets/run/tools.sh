# Small tools that the scripts sent to a server share. POSIX sh, nothing installed.

nofm_has() {
    command -v "$1" >/dev/null 2>&1
}

# Sets nofm_size to the size of file $1 in bytes; fails when it cannot be read.
nofm_size() {
    # shellcheck disable=SC2046,SC2012 # the fifth word is all that is wanted, and `stat` differs everywhere
    set -- $(LC_ALL=C ls -dlnL -- "$1" 2>/dev/null)
    nofm_size=${5-}
    [ -n "$nofm_size" ]
}

# Sets nofm_sum to the SHA-256 of file $1 in hexadecimal; fails when nothing here can compute it.
nofm_sha256() {
    # openssl uses what the processor has for it, and takes a fraction of the time of the others.
    nofm_sum=$({
        openssl dgst -sha256 <"$1" || sha256sum <"$1" || shasum -a 256 <"$1" || sha256 <"$1"
    } 2>/dev/null) || return 1
    # The sum comes first, or last after the words of openssl.
    case $nofm_sum in
    *"= "*) nofm_sum=${nofm_sum##* } ;;
    *) nofm_sum=${nofm_sum%% *} ;;
    esac
}
