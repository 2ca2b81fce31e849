//! The farm that is upgraded, what can be killed on it, and what is true on it whoever looks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nofm::lab::LabSource;
use rustix::process::{Pid, Signal, kill_process};

use super::plan::{Kill, Plan};
use crate::bed::{Bed, Proxy};
use crate::sim::rng::Rng;

const PIECES: usize = 10;
/// The version to reach, and what the schema is then.
const NEW: &str = "2.0";
/// So much is behind the last command of the installer, for its copy to take a while.
const PADDING: usize = 1 << 20;
const IGEL_SPEED: f64 = 60.0;
/// What is installed there, and what is to be.
pub const IGEL_VERSIONS: [&str; 2] = ["12.04.100", "12.08.130"];

pub fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kills").join(name)
}

pub struct Farm {
    pub bed: Bed,
    pub is_igel: bool,
    /// What the installer prints to its end.
    pub printed: Vec<u8>,
    proxies: Vec<(String, Proxy)>,
}

/// A run on a server that its supervisor watches.
struct Watched {
    supervisor: Pid,
}

impl Farm {
    pub fn new(plan: &Plan) -> Self {
        let source = if plan.igel { LabSource::of("igel_ums_ha") } else { LabSource::folder(&asset("lab")) };
        let mut bed = Bed::of(&source.expect("a lab"), |options| {
            options.ssh = plan.ssh;
            if plan.igel {
                options.counts = crate::lab::counts(2, 0, 0);
                options.speed = IGEL_SPEED;
            }
        });
        let mut proxies = Vec::new();
        if plan.ssh {
            let names: Vec<String> = bed.servers().into_iter().map(str::to_owned).collect();
            proxies = names.into_iter().map(|name| (name.clone(), bed.behind_proxy(&name))).collect();
        }
        let printed = if plan.igel { Vec::new() } else { write_media(&bed.lab.dir.join("media"), plan.seed) };
        Self { bed, is_igel: plan.igel, printed, proxies }
    }

    pub fn speed(&self) -> f64 {
        if self.is_igel { IGEL_SPEED } else { 1.0 }
    }

    /// The servers that are updated.
    pub fn updated_servers(&self) -> Vec<String> {
        let kind = if self.is_igel { "ums-" } else { "app-" };
        self.bed.servers().into_iter().filter(|name| name.starts_with(kind)).map(str::to_owned).collect()
    }

    /// Whether the step has done its work on the server in turn, as whoever looks there sees it.
    pub fn is_done(&self, step: &str, server: &str) -> bool {
        let holds = |server: &str, path: &str, text: &str| {
            fs::read_to_string(self.bed.root(server).join(path)).is_ok_and(|found| found.trim() == text)
        };
        match (self.is_igel, step) {
            (true, _) => holds(server, "opt/IGEL/RemoteManager/version", IGEL_VERSIONS[1]),
            (false, "renew") => holds("db-1", "etc/schema", "2"),
            (false, _) => holds(server, "etc/version", NEW),
        }
    }

    /// Whether anything that a step started is at work on a server.
    pub fn is_at_work(&self, server: &str) -> bool {
        let words = ["runs/", "setup", "renew-schema"];
        self.bed.processes(server).into_iter().any(|pid| {
            let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            words.iter().any(|word| line.contains(word))
        })
    }

    /// How often the installer, or what renews the schema, was started on a server.
    pub fn starts(&self, server: &str) -> usize {
        if self.is_igel {
            let started = format!("{server} install started");
            return self.bed.events().lines().filter(|line| line.starts_with(&started)).count();
        }
        let text = fs::read_to_string(self.bed.root(server).join("etc/lab/starts")).unwrap_or_default();
        text.lines().count()
    }

    /// A person renews the schema, where that was not done.
    pub fn renew_by_hand(&self) {
        let root = self.bed.root("db-1");
        if !self.is_done("renew", "") {
            let done = Command::new(root.join("bin/renew-schema")).env("NOFM_ROOT", &root).output();
            assert!(done.is_ok_and(|output| output.status.success()), "the schema cannot be renewed");
        }
    }

    /// What a run has printed on its server.
    pub fn out(&self, server: &str, run: &str) -> Option<Vec<u8>> {
        fs::read(self.bed.root(server).join("var/lib/nofm/runs").join(run).join("out")).ok()
    }

    /// The runs that a server knows.
    pub fn runs(&self, server: &str) -> Vec<String> {
        let folder = fs::read_dir(self.bed.root(server).join("var/lib/nofm/runs"));
        let names = folder.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// Kills something of a server. False: there is nothing of the kind at the moment.
    pub fn kill(&mut self, kill: Kill, rng: &mut Rng) -> bool {
        let servers: Vec<String> = self.bed.servers().into_iter().map(str::to_owned).collect();
        let server = rng.pick(&servers).clone();
        match kill {
            Kill::Runner | Kill::Console => return false,
            Kill::Connections => {
                let proxy = self.proxies.iter().find(|(name, _)| *name == server);
                proxy.expect("each server has one").1.cut();
            }
            Kill::Sessions => {
                let listener =
                    fs::read_to_string(self.bed.sshd_folder(&server).join("pid")).unwrap_or_default();
                let mut sessions = self.bed.sshds(&server);
                sessions.retain(|pid| pid.as_raw_nonzero().to_string() != listener.trim());
                sessions.into_iter().for_each(end);
            }
            Kill::Sshd => self.bed.restart_sshd(&server),
            Kill::Supervisor => {
                let watched: Vec<Watched> = servers.iter().flat_map(|server| self.watched(server)).collect();
                if watched.is_empty() {
                    return false;
                }
                end(rng.pick(&watched).supervisor);
            }
            Kill::Reboot => {
                let updated = self.updated_servers();
                let server: &String = rng.pick(&updated);
                self.bed.reboot(server);
            }
        }
        true
    }

    fn watched(&self, server: &str) -> Vec<Watched> {
        let folder = self.bed.root(server).join("var/lib/nofm/runs");
        let runs = self.runs(server).into_iter().map(|run| folder.join(run));
        let open = runs.filter(|run| run.join("go").exists() && !run.join("status").exists());
        open.filter_map(|run| {
            let text = fs::read_to_string(run.join("supervisor")).ok()?;
            let supervisor = text.split(' ').next()?.parse().ok().and_then(Pid::from_raw)?;
            // A run that was lost is open for ever, and its number may be another process's by now.
            let own = self.bed.processes(server).contains(&supervisor);
            own.then_some(Watched { supervisor })
        })
        .collect()
    }
}

fn end(pid: Pid) {
    // It may have come to its end by itself.
    let _ = kill_process(pid, Signal::KILL);
}

/// The installer, and what it prints: lines, lines without an end, bytes that are no text, controls.
fn write_media(folder: &Path, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed ^ 0x0074_7570);
    let mut printed = Vec::new();
    for piece in 0..PIECES {
        let from = printed.len();
        for line in 0..rng.within(50, 400) {
            match rng.within(0, 9) {
                0 => printed.extend(b"\x1b[2J\x1b]0;owned\x07\r50 %\r60 %\n\nA 0\nO 0 5\nX denied\nK\n"),
                1 => printed.extend((0..rng.within(1, 300)).map(|_| rng.byte())),
                2 => printed.extend(vec![b'x'; usize::try_from(rng.within(1, 5_000)).expect("small")]),
                _ => printed.extend(format!("piece {piece}, line {line}: Gr\u{fc}\u{df}e\n").bytes()),
            }
        }
        fs::write(folder.join(format!("printed.{piece}")), &printed[from..]).expect("a piece is written");
    }
    let mut installer = fs::read(asset("installer.sh")).expect("the installer");
    installer.extend((0..PADDING).map(|_| b' ' + rng.byte() % 90));
    fs::write(folder.join("setup.sh"), installer).expect("the installer is written");
    printed
}
