//! A rehearsed session as the files that a runner leaves.

use std::fmt::Write as _;

use jiff::Timestamp;
use nofm::engine::{Event, Stamp, StepKey};
use nofm::inventory::Reach;
use nofm::journal::{self, SessionDir, StateDir, Writer};
use nofm::plan::SessionFile;
use nofm::profile::{Profile, builtin};

use crate::rows::rehearsal::Rehearsal;

/// The name of every session that is recorded: a picture of it is always the same.
const ID: &str = "2026-11-21T041233Z-igel_ums_ha-7f3a";
/// Bytes of an output at most.
const MOST: u64 = 1 << 20;

pub struct Recorded {
    pub state_dir: StateDir,
    pub session: SessionDir,
    folder: tempfile::TempDir,
}

pub fn igel() -> Profile {
    let text = builtin::find("igel_ums_ha").expect("a built-in profile");
    nofm::profile::parse("igel-ums-ha.toml", text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// What a step prints where nothing else is said.
pub fn usual(key: &StepKey) -> Vec<u8> {
    let mut text = String::new();
    for line in 1..=12 {
        let _ = writeln!(text, "{}: line {line} of what it prints", key.step);
    }
    text.into_bytes()
}

impl Recorded {
    /// Writes down the first `count` events of a rehearsal, and what its steps print.
    pub fn of(rehearsal: &Rehearsal, count: usize, prints: impl Fn(&StepKey) -> Vec<u8>) -> Self {
        Self::with(builtin::find("igel_ums_ha").expect("a built-in profile"), rehearsal, count, prints)
    }

    /// The same, of a rehearsal with another `profile`.
    pub fn with(
        profile: &str,
        rehearsal: &Rehearsal,
        count: usize,
        prints: impl Fn(&StepKey) -> Vec<u8>,
    ) -> Self {
        // Always the same length: a picture may hold the path.
        let folder =
            tempfile::Builder::new().prefix("nofm-").rand_bytes(6).tempdir_in("/tmp").expect("a folder");
        let state_dir = StateDir::at(folder.path()).expect("a state folder");
        let session = &rehearsal.session;
        let setup = &session.setup;
        let source = |name: &str, text: &str| nofm::plan::Source { name: name.into(), text: text.into() };
        let file = SessionFile {
            nofm_session: 1,
            speed: setup.speed,
            rehearsal: true,
            profile: source("igel-ums-ha.toml", profile),
            inventory: source("inventory.toml", &inventory(&setup.inventory)),
            base: folder.path().to_owned(),
        };
        let dir = state_dir.create_session(&ID.into(), &file.to_toml()).expect("a session");
        let started = at(&session.journal[0].0);
        let mut writer =
            Writer::create(dir.lock(started).expect("nobody else"), "0.1.0", started).expect("a journal");
        for (stamp, event) in &session.journal[..count] {
            let when = journal::Stamp::new(at(stamp), stamp.epoch, stamp.mono_ms);
            if let Event::StepIntended { key, targets, .. } = event {
                for target in targets {
                    let mut log = writer.output_log(&target.run, MOST).expect("an output");
                    log.append(&prints(key), at(stamp)).expect("it is written");
                }
            }
            writer.submit(when, event).expect("it is written");
        }
        writer.close().expect("it is on disk");
        Self { state_dir, session: dir, folder }
    }

    /// The whole rehearsal, with the usual outputs.
    pub fn whole(rehearsal: &Rehearsal) -> Self {
        Self::of(rehearsal, rehearsal.session.journal.len(), usual)
    }

    /// `picture` with the folder of this one run under a name that is always the same.
    pub fn neutral(&self, picture: &str) -> String {
        picture.replace(&*self.folder.path().to_string_lossy(), "/srv/nofm/states")
    }
}

fn at(stamp: &Stamp) -> Timestamp {
    Timestamp::from_millisecond(stamp.wall_ms).expect("a time")
}

/// The inventory as an operator would have written it.
fn inventory(inventory: &nofm::inventory::Inventory) -> String {
    let mut text = format!("nofm = 1\nfarm = {:?}\n", inventory.farm);
    for server in &inventory.servers {
        let roles: Vec<&str> = server.roles.iter().map(nofm::model::RoleId::as_str).collect();
        let reach = if server.reach == Reach::None { "none" } else { "ssh" };
        let _ = writeln!(
            text,
            "[[servers]]\nname = {:?}\naddress = {:?}\nroles = {roles:?}\nos = {:?}\ntransport = {reach:?}",
            server.name.as_str(),
            server.address,
            server.os.as_str(),
        );
    }
    text
}
