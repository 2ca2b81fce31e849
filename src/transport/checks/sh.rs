//! The questions in the words of a POSIX shell.

use crate::transport::words::quoted;

const TOOLS: &str = include_str!("../../../assets/run/tools.sh");

pub(super) fn free_space(path: &str) -> String {
    format!(
        "p=\"${{NOFM_ROOT-}}\"{path}\n{}",
        r#"while [ ! -e "$p" ]; do
    case $p in */*) p=${p%/*} ;; *) break ;; esac
done
# What may not be looked into passes for absent, and may be on another disk.
[ -x "${p:-/}" ] || [ ! -d "$p" ] || exit 1
LC_ALL=C df -Pk -- "${p:-/}""#,
        path = quoted(path)
    )
}

pub(super) fn writable(path: &str) -> String {
    format!(
        "p=\"${{NOFM_ROOT-}}\"{path}\n{}",
        r#"set -C
if [ -d "$p" ]; then
    t=$p/.nofm-write-test.$$
    trap 'rm -f -- "$t"' EXIT
    if printf 'test\n' >"$t"; then echo writable; else echo refused; fi
elif [ -e "$p" ]; then
    if (: >>"$p"); then echo writable; else echo refused; fi
else
    echo absent
fi"#,
        path = quoted(path)
    )
}

pub(super) fn privilege() -> String {
    "if [ \"$(id -u)\" = 0 ]; then echo root; \
     elif [ \"$(sudo -n id -u 2>/dev/null)\" = 0 ]; then echo sudo; else echo none; fi"
        .to_owned()
}

pub(super) fn terminal() -> &'static str {
    "if script -q -e -c true /dev/null </dev/null >/dev/null 2>&1; then echo holds; else echo lacks; fi"
}

pub(super) fn means() -> String {
    format!(
        "{TOOLS}\nprintf 'system %s\\n' \"$(uname -srm)\"\nprintf 'uid %s\\n' \"$(id -u)\"\n\
         if nofm_has setsid || nofm_has perl; then echo detaches; fi\n\
         if nofm_sha256 /dev/null; then echo sums; fi\n{}",
        terminal()
    )
}

pub(super) fn file(path: &str, sum: bool) -> String {
    let sum = if sum { r#"nofm_sha256 "$p" && echo "sha256 $nofm_sum""# } else { "" };
    format!(
        "p=\"${{NOFM_ROOT-}}\"{path}\n{TOOLS}\n{}\n{sum}\nexit 0",
        r#"if [ ! -e "$p" ] && [ ! -L "$p" ]; then
    # A folder that may not be looked into would pass for one that holds nothing.
    d=$p
    while [ "$d" ] && [ ! -e "$d" ]; do d=${d%/*}; done
    if [ -z "$d" ] || [ -x "$d" ]; then echo absent; fi
    exit 0
fi
[ -f "$p" ] && [ -r "$p" ] || { echo "no file that can be read" >&2; exit 1; }
nofm_size "$p" && echo "size $nofm_size"
m=$(stat -L -c %Y -- "$p" 2>/dev/null || stat -L -f %m -- "$p" 2>/dev/null || perl -e 'print((stat shift)[9])' -- "$p" 2>/dev/null)
n=$(date +%s)
[ -z "$m" ] || [ -z "$n" ] || echo "age $((n - m))""#,
        path = quoted(path)
    )
}

pub(super) fn same_file(path: &str, sum: &str) -> String {
    format!(
        "(\n{TOOLS}\np={path}\n[ -f \"$p\" ] || {{ echo \"$p is not there: it has to be copied to this server again\"; exit 1; }}\n\
         nofm_sha256 \"$p\" || {{ echo \"whether $p is the file that was sent cannot be told: sha256sum, shasum or openssl is needed\"; exit 1; }}\n\
         [ \"$nofm_sum\" = {sum} ] || {{ echo \"$p is not the file that was sent: its SHA-256 is $nofm_sum and should be {sum}; nothing was started\"; exit 1; }}\n\
         ) || exit 97\n",
        path = quoted(path),
    )
}

pub(super) fn port(host: &str, port: u16) -> String {
    format!(
        "host={host} port={port}\n{}",
        r#"case $host in -*) echo unknown a host name cannot start with a dash; exit 0;; esac
if nc -h 2>&1 | grep -q -e '-z'; then
    if nc -z -w 5 "$host" "$port" >/dev/null 2>&1; then echo open; else echo closed; fi
elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    if timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$host" "$port" 2>/dev/null; then echo open; else echo closed; fi
else
    echo unknown the server has neither nc nor bash with timeout
fi"#,
        host = quoted(host),
    )
}

pub(super) fn files(path: &str) -> String {
    let mut pattern = String::new();
    for piece in path.split_inclusive(['*', '?']) {
        let plain = piece.trim_end_matches(['*', '?']);
        if !plain.is_empty() {
            pattern.push_str(&quoted(plain));
        }
        pattern.push_str(&piece[plain.len()..]);
    }
    format!(
        "for f in \"${{NOFM_ROOT-}}\"{pattern}; do [ ! -f \"$f\" ] || printf '%s\\n' \"${{f#\"${{NOFM_ROOT-}}\"}}\"; done"
    )
}

/// A service and whether it may be missing: `name` or `name?`.
fn service(name: &str) -> (&str, bool) {
    name.strip_suffix('?').map_or((name, false), |name| (name, true))
}

/// `missing NAME` is true where there is no such service.
const MISSING: &str = r#"missing() { [ "$(systemctl show -p LoadState "$1" 2>/dev/null)" = LoadState=not-found ]; }
"#;

pub(super) fn services(names: &[String]) -> String {
    let mut script = format!("command -v systemctl >/dev/null || exit 127\n{MISSING}");
    for (number, name) in names.iter().enumerate() {
        let (name, optional) = service(name);
        let name = quoted(name);
        let ask = format!("echo \"{number} $(systemctl is-active {name} 2>/dev/null)\"\n");
        if optional {
            script.extend([
                "if missing ",
                &name,
                "; then echo ",
                &number.to_string(),
                " missing; else ",
                &ask,
                "fi\n",
            ]);
        } else {
            script += &ask;
        }
    }
    script
}

pub(super) fn service_acts(stop: &[String], start: &[&String]) -> String {
    let mut script = format!("set -eu\n{MISSING}");
    script.extend(stop.iter().map(|name| act_on("stop", name)));
    script.extend(start.iter().map(|name| act_on("start", name)));
    script
}

fn act_on(verb: &str, name: &str) -> String {
    let (name, optional) = service(name);
    let name = quoted(name);
    let act = format!("echo {verb} {name}\nsystemctl {verb} {name}\n");
    if optional { format!("if missing {name}; then :; else\n{act}fi\n") } else { act }
}

// Files alone would lack what was made of a template, and what is loaded alone what is stopped.
pub(super) const SERVICE_LIST: &str = r#"command -v systemctl >/dev/null || exit 127
set -ef
files=$(systemctl list-unit-files --type=service --plain --no-legend --no-pager)
loaded=$(systemctl list-units --all --type=service --plain --no-legend --no-pager --full)
names=$(printf '%s\n' "$files" "$loaded" | awk '$1 ~ /\.service$/ && $1 !~ /@\.service$/ { print $1 }' | sort -u)
[ -n "$names" ] || exit 0
systemctl show --no-pager -p Id -p Description -p LoadState -- $names"#;

pub(super) fn boot_id() -> String {
    format!("{TOOLS}\nnofm_boot\n[ -z \"$nofm_boot\" ] || printf 'boot %s\\n' \"$nofm_boot\"")
}

// What ends all processes ends this one too, which is no failure. A stand-in has no other way to be restarted than
// its own: the machine that it stands on is not meant.
pub(super) const REBOOT: &str = r#"trap '' HUP INT TERM
if [ -n "${NOFM_ROOT-}" ]; then
    "$NOFM_ROOT/bin/systemctl" reboot
elif command -v systemctl >/dev/null 2>&1; then
    systemctl reboot
else
    shutdown -r now
fi"#;
