//! `nofm` alone: the first page, and whatever is chosen there.

use anyhow::bail;
use clap::Parser as _;

use super::args::{Cli, Looks};
use super::exit::{self, Faulty};
use super::{files, screen, sessions};
use crate::client::whole_path;
use crate::journal::StateDir;
use crate::profile::builtin;
use crate::wizard::{self, Chosen, Offer, OfferedProfile, OfferedSession};

pub(super) fn run() -> anyhow::Result<u8> {
    let Some((terminal, theme)) = screen::find(false, Looks::default())? else {
        bail!(Faulty(
            "`nofm lab PROFILE --plain` rehearses in lines; `nofm --help` shows all commands".to_owned()
        ))
    };
    let chosen = wizard::start(&offer()?, whole_path, terminal, &theme)?;
    let words: Vec<&str> = match &chosen {
        Chosen::Rehearse { profile } => vec!["lab", profile],
        Chosen::Upgrade { profile, inventory } => vec!["run", "-p", profile, "-i", inventory],
        Chosen::Join { session } => vec!["attach", session],
        Chosen::Resume { session } => vec!["resume", session],
        Chosen::Review { session } => vec!["review", session],
        Chosen::Quit => return Ok(exit::DONE),
    };
    // The same as if it had been typed, so that there is one way to everything.
    let typed = Cli::try_parse_from(std::iter::once("nofm").chain(words))?;
    typed.command.map_or(Ok(exit::DONE), super::run)
}

fn offer() -> anyhow::Result<Offer> {
    let labs = crate::lab::profiles();
    let mut profiles = Vec::new();
    for (id, _) in builtin::all() {
        let product = files::profile(id)?.profile.product;
        profiles.push(OfferedProfile { id: (*id).to_owned(), product, has_lab: labs.contains(id) });
    }
    let state_dir = StateDir::from_env()?;
    let sessions = state_dir.sessions()?;
    let sessions = sessions.iter().map(|session| {
        let found = crate::client::glance(&state_dir, session);
        let is_under_way = found.as_ref().is_ok_and(|found| found.runner.is_some() && found.close.is_none());
        let is_resumable = found.as_ref().is_ok_and(|found| {
            let may_go_on = found.close.as_ref().is_none_or(crate::engine::Close::is_resumable);
            found.runner.is_none() && may_go_on && found.other_plan.is_none()
        });
        let text = sessions::standing_line(found);
        OfferedSession { id: session.id().to_string(), text, is_under_way, is_resumable }
    });
    Ok(Offer { profiles, sessions: sessions.collect() })
}
