//! Calls to a server whose shell is Windows PowerShell 5.1.
//!
//! The command line is the same for every call, and holds nothing but letters that neither `cmd.exe` nor PowerShell
//! reads in a way of its own, whichever of them the login has. It reads a text from its input, whose length stands
//! before it, and runs it: a text that breaks off runs nothing. On the server the same loader reads, from files and
//! pipes, whatever runs apart from the connection.

use std::sync::LazyLock;

use russh::keys::ssh_encoding::base64::{Base64, Encoding as _};
use tokio::time::timeout;

use super::LinkError;
use super::channel::Link;
use super::checks::windows::TOOLS;
use super::probe::{Probe, ProbeOutput};
use super::talk::{Frame, Talk};
use super::words::powershell_quoted as quoted;

const RUN: &str = include_str!("../../assets/run/nofm-run.ps1");

/// Reads `LENGTH`, a line feed, and a text of that many bytes, and runs it: 90 when the input breaks off, 1 after an
/// error, otherwise what it says or what the last program within it ended with. A byte order mark before it, which some
/// versions of .NET write, is passed over. `LOADER` stands in double quotes on a command line of `cmd.exe`, so it has
/// neither those nor percent signs, and is one line.
///
/// `-InputFormat None` keeps PowerShell from reading the input itself. With `-EncodedCommand` it writes warnings and
/// errors as XML; the loader's own go past it.
const LOADER: &str = "$ErrorActionPreference='Stop';$ProgressPreference='SilentlyContinue';\
    try{[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false}catch{};\
    $nofmIn=[Console]::OpenStandardInput();$nofmHead='';\
    while(($nofmByte=$nofmIn.ReadByte()) -gt 10){$nofmHead+=[char]$nofmByte};\
    if($nofmByte -ne 10 -or $nofmHead -notmatch '^(?:\\xEF\\xBB\\xBF)?([0-9]{1,8})$'){exit 90};\
    $nofmBytes=New-Object byte[] ([int]$Matches[1]);$nofmAt=0;\
    while($nofmAt -lt $nofmBytes.Length){\
    $nofmGot=$nofmIn.Read($nofmBytes,$nofmAt,$nofmBytes.Length-$nofmAt);\
    if($nofmGot -le 0){exit 90};$nofmAt+=$nofmGot};\
    $global:LASTEXITCODE=0;\
    try{& ([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString($nofmBytes)))}\
    catch{[Console]::Error.WriteLine(($_|Out-String));exit 1};\
    exit $LASTEXITCODE";

static ARGV: LazyLock<Vec<String>> = LazyLock::new(|| {
    let utf16: Vec<u8> = LOADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let words = "powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand";
    words.split(' ').map(str::to_owned).chain([Base64::encode_string(&utf16)]).collect()
});

/// The command line of every call.
pub(super) fn argv() -> &'static [String] {
    &ARGV
}

/// What the loader reads to make call `words`.
pub(super) fn envelope(marker: &str, words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    // The call is the last line, without which the text is what a supervisor runs.
    let text = format!(
        "$nofmMarker = {}\n$nofmLoader = {}\n{TOOLS}\n{RUN}\nWrite-NofmLine \"`nnofm1 $nofmMarker\"; nofm @({})\n",
        quoted(marker),
        quoted(LOADER),
        words.join(", ")
    );
    format!("{}\n{text}", text.len())
}

/// Asks a question once. It runs in a process of its own on the server, whose exit status is told in the answer: that
/// of a command is lost where PowerShell is the login's shell.
pub(super) async fn ask(link: &Link, doing: &'static str, probe: &Probe) -> Result<ProbeOutput, LinkError> {
    let begun = std::time::Instant::now();
    let late = || LinkError::TimedOut { server: link.server().to_owned(), doing, after: probe.time };
    // The server ends what we gave up, a little later: a hanging question asked again and again piles up.
    let seconds = probe.time.as_secs() + 5;
    let words = [probe.bytes.to_string(), seconds.to_string(), probe.script.len().to_string()];
    let words: Vec<&str> = std::iter::once("ask").chain(words.iter().map(String::as_str)).collect();
    let asked = async {
        let mut talk = Talk::open(link, doing, true, &words).await?;
        // Where nobody reads, the answer tells why.
        let _ = talk.send(probe.script.as_bytes()).await;
        talk.end_input().await;
        let mut streams = Vec::new();
        let mut stream = Vec::new();
        loop {
            match talk.frame(probe.time).await? {
                Frame::Output { mut bytes, .. } if stream.len() + bytes.len() <= probe.bytes => {
                    stream.append(&mut bytes);
                }
                Frame::State(word) if word == "end" => streams.push(std::mem::take(&mut stream)),
                Frame::Answer(words) => return answer(streams, &words).ok_or_else(|| talk.misfit(&words)),
                frame => return Err(talk.misfit(&format!("{frame:?}").chars().take(80).collect::<String>())),
            }
        }
    };
    let (exit, truncated, stdout, stderr) = timeout(probe.time, asked).await.map_err(|_| late())??;
    let (stdout, stderr) = (lines(stdout), lines(stderr));
    Ok(ProbeOutput { exit, stdout, stderr, truncated, took: begun.elapsed() })
}

/// The lines of a text as other systems end them.
fn lines(mut text: Vec<u8>) -> Vec<u8> {
    let mut next = text.iter().skip(1).copied().collect::<Vec<_>>().into_iter();
    text.retain(|byte| next.next() != Some(b'\n') || *byte != b'\r');
    text
}

/// Exit status, whether something was cut, and both streams.
fn answer(streams: Vec<Vec<u8>>, words: &str) -> Option<(i32, bool, Vec<u8>, Vec<u8>)> {
    let (exit, more) = words.split_once(' ')?;
    let cut = match more {
        "whole" => false,
        "cut" => true,
        _ => return None,
    };
    let [stdout, stderr] = <[Vec<u8>; 2]>::try_from(streams).ok()?;
    Some((exit.parse().ok()?, cut, stdout, stderr))
}

/// What PowerShell wrote on its error stream as XML, as the text that it stands for; any other text as it is.
pub(super) fn plain(errors: &str) -> String {
    let Some((before, xml)) = errors.split_once("#< CLIXML") else { return errors.to_owned() };
    let mut text = before.to_owned();
    for piece in xml.split("<S S=\"").skip(1) {
        let said = piece.split_once('>').and_then(|(_, said)| said.split_once("</S>"));
        text.push_str(said.map_or("", |(said, _)| said));
    }
    let marks =
        [("_x000D_", ""), ("_x000A_", "\n"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    marks.iter().fold(text, |text, (mark, meant)| text.replace(mark, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_means_the_same_in_every_shell_that_a_login_may_have() {
        let line = argv().join(" ");
        assert!(line.bytes().all(|b| b.is_ascii_alphanumeric() || b" .-+/=".contains(&b)), "{line}");
        // Longer ones cmd.exe does not take.
        assert!(line.len() < 8000, "{}", line.len());
        let encoded = argv().last().unwrap();
        let bytes = Base64::decode_vec(encoded).unwrap();
        let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        assert_eq!(String::from_utf16(&units).unwrap(), LOADER);
    }

    #[test]
    fn the_loader_can_stand_in_double_quotes_of_cmd() {
        assert!(!LOADER.contains(['"', '%', '\n', '\r']) && !LOADER.ends_with('\\'), "{LOADER}");
    }

    #[test]
    fn values_stand_in_the_text_alone_and_its_length_before_it() {
        let input = envelope("m", &["put", "C:\\it's ‘here’\\$(x)"]);
        let (length, text) = input.split_once('\n').unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), text.len());
        assert!(text.ends_with("; nofm @('put', 'C:\\it''s ‘‘here’’\\$(x)')\n"), "{text}");
    }

    #[test]
    fn errors_written_as_xml_are_told_as_text() {
        let xml = "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"x\"><S S=\"Error\">It is &lt;locked&gt;_x000D__x000A_</S>\
            <S S=\"Error\">At line:1_x000D__x000A_</S></Objs>";
        assert_eq!(plain(xml), "It is <locked>\nAt line:1\n");
        assert_eq!(plain("plain <S S=\"x\">"), "plain <S S=\"x\">");
    }

    #[test]
    fn lines_end_as_everywhere_else() {
        let read = |text: &str| String::from_utf8(lines(text.as_bytes().to_vec())).unwrap();
        assert_eq!(read("a\r\nb\r\n\r\nc\rd\n\r"), "a\nb\n\nc\rd\n\r");
        assert_eq!(read(""), "");
    }

    #[test]
    fn only_whole_answers_are_answers() {
        let streams = || vec![b"out".to_vec(), b"err".to_vec()];
        assert_eq!(answer(streams(), "3010 whole"), Some((3010, false, b"out".to_vec(), b"err".to_vec())));
        assert_eq!(
            answer(streams(), "-1073741819 cut").map(|(exit, cut, ..)| (exit, cut)),
            Some((-1_073_741_819, true))
        );
        for (streams, words) in
            [(streams(), "0"), (streams(), "0 half"), (streams(), "x whole"), (vec![], "0 whole")]
        {
            assert_eq!(answer(streams, words), None, "{words}");
        }
    }
}
