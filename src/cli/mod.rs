//! The command line: everything is parsed first and given its meaning second, and ends in one of six exit codes.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | failed |
//! | 2 | usage, or a faulty file |
//! | 3 | blocked by a precheck |
//! | 4 | stopped and resumable, or left |
//! | 5 | a damaged session |
//!
//! What a program reads goes to standard output, errors to standard error. No runtime is started before a command
//! needs one.

mod args;
mod exit;
mod files;
mod guide;
mod lab;
mod log;
mod plan;
mod profiles;
mod reach;
mod screen;
mod session;
mod sessions;
mod start;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command, InventoryCommand, ProfileCommand};

use crate::plain::Printer;

/// Runs the program: the whole of it.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; where nobody reads them, there is nothing to tell.
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    match cli.command.map_or_else(start::run, run) {
        Ok(code) => code.into(),
        Err(error) if exit::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Chains of causes end in what to do.
            let _ = writeln!(std::io::stderr(), "nofm: {}", exit::told(&error));
            exit::code_of(&error).into()
        }
    }
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Lab(args) => lab::run(&args),
        Command::Check(args) => session::check(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => session::run(&args),
        Command::Attach(args) => session::attach(&args),
        Command::Resume(args) => session::resume(&args),
        Command::Sessions { json } => sessions::list(json),
        Command::Verify { session } => sessions::verify(&session),
        Command::Review(args) => sessions::review(&args),
        Command::Profile(ProfileCommand::List { json }) => profiles::list(json),
        Command::Profile(ProfileCommand::Show { profile }) => profiles::show(&profile),
        Command::Profile(ProfileCommand::Check { files, json }) => profiles::check(&files, json),
        Command::Profile(ProfileCommand::New { id, product, out }) => {
            guide::new(&id, product.as_deref(), out)
        }
        Command::Profile(ProfileCommand::Schema) => guide::schema(),
        Command::Guide { topic } => guide::run(topic.as_deref()),
        Command::Inventory(InventoryCommand::Check { profile, inventory, offline, json }) => {
            profiles::check_inventory(profile.as_deref(), &inventory, offline, json)
        }
        Command::Runner { dir } => session::runner(&dir),
        Command::LabServe { address, port, dir, pid_file } => {
            crate::lab::serve::run(address, port, &dir, pid_file.as_deref())?;
            Ok(exit::DONE)
        }
    }
}

/// Standard output, as wide as its terminal.
fn printer() -> Printer {
    let out = std::io::stdout();
    let width = out.is_terminal().then(|| crossterm::terminal::size().ok()).flatten();
    Printer::new(Box::new(out), width.map(|(columns, _)| usize::from(columns)))
}

/// A line on standard output.
fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}
