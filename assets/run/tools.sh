# Small tools that the scripts sent to a server share. POSIX sh, nothing installed.

nofm_letters=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789

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

# Sets nofm_boot to what tells this start of the server from every other; to nothing while a stand-in restarts.
nofm_boot() {
    nofm_boot=
    for nofm_file in "${NOFM_ROOT-}/proc/sys/kernel/random/boot_id" /proc/sys/kernel/random/boot_id; do
        if [ -r "$nofm_file" ]; then
            read -r nofm_boot <"$nofm_file" || :
            return 0
        fi
    done
    nofm_boot=$(sysctl -n kern.bootsessionuuid 2>/dev/null || sysctl -n kern.boottime 2>/dev/null || who -b)
    nofm_boot=$(printf %s "$nofm_boot" | tr -c "$nofm_letters" '[_*]')
}
