//! What may be typed. Nothing here has a meaning yet.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Walks an administrator through upgrading a multi-server installation the way its vendor prescribes.
#[derive(Debug, Parser)]
#[command(
    name = "nofm",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage or a faulty \
    file, 3 blocked by a precheck, 4 stopped and resumable, 5 a damaged session.\nNOFM_HOME moves the folder where \
    sessions are kept."
)]
pub(super) struct Cli {
    /// Without one the full screen begins at its first page
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Rehearse an upgrade on a stand-in farm on this machine
    Lab(LabArgs),
    /// The prechecks alone: changes nothing
    Check(CheckArgs),
    /// What would be done, on which server, in which order
    Plan(PlanArgs),
    /// Upgrade
    Run(RunArgs),
    /// Join a session that is under way
    Attach(AttachArgs),
    /// Go on with a session that stopped
    Resume(ResumeArgs),
    /// List all sessions, the newest first
    Sessions {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Is a session's journal whole and unchanged?
    Verify {
        /// Its name, or the beginning or end of it
        session: String,
    },
    /// What happened in a session, in words
    Review(ReviewArgs),
    /// Profiles: a vendor's upgrade procedure each
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// How a profile is written
    Guide {
        /// `authoring` or `profile`; lists them where absent
        topic: Option<String>,
    },
    /// Inventories: an administrator's servers
    #[command(subcommand)]
    Inventory(InventoryCommand),
    #[command(hide = true)]
    Runner { dir: PathBuf },
    #[command(hide = true)]
    LabServe {
        #[arg(long)]
        address: IpAddr,
        #[arg(long)]
        port: u16,
        #[arg(long)]
        dir: PathBuf,
        #[arg(long)]
        pid_file: Option<PathBuf>,
    },
}

/// Profile and inventory of a session.
#[derive(Debug, Args)]
pub(super) struct Farm {
    /// A profile: a file, or the id of a built-in one
    #[arg(short, long)]
    pub(super) profile: String,
    /// The inventory: a file that lists the servers
    #[arg(short, long)]
    pub(super) inventory: PathBuf,
    /// Answers to what would be asked
    #[arg(long)]
    pub(super) answers: Option<PathBuf>,
}

/// How the full screen looks.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct Looks {
    /// Characters to draw with; by the locale where nothing is said
    #[arg(long, value_enum, value_name = "SET")]
    pub(super) glyphs: Option<GlyphSet>,
    /// Without colours; so does `NO_COLOR`
    #[arg(long)]
    pub(super) no_color: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GlyphSet {
    Unicode,
    Ascii,
}

/// How a session is shown: full screen, where there is a terminal for it and nothing else is said.
#[derive(Debug, Args)]
pub(super) struct Face {
    /// A dialogue of numbered lines, for any terminal and any screen reader
    #[arg(long)]
    pub(super) plain: bool,
    /// Without a person: every answer comes from the answer file, or is a default
    #[arg(long, conflicts_with = "plain")]
    pub(super) headless: bool,
    /// Every event as a line of JSON, and the result as the last one; implies --headless
    #[arg(long, conflicts_with = "plain")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) looks: Looks,
}

impl Face {
    pub(super) fn is_headless(&self) -> bool {
        self.headless || self.json
    }
}

#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// A file, or the id of a built-in profile that has a stand-in farm
    pub(super) profile: String,
    /// The lab in a folder, instead of the built-in one: for a profile of one's own
    #[arg(long, value_name = "FOLDER")]
    pub(super) lab: Option<PathBuf>,
    /// How many servers of a kind there are, such as `ums=2`; may be given more than once
    #[arg(long, value_name = "KIND=N", value_parser = count)]
    pub(super) count: Vec<(String, usize)>,
    /// List the kinds of servers
    #[arg(long)]
    pub(super) kinds: bool,
    /// Something that goes wrong; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Vec<String>,
    /// List what can go wrong
    #[arg(long)]
    pub(super) faults: bool,
    /// List what in the profile the lab has no answer to
    #[arg(long)]
    pub(super) check: bool,
    /// How many times faster the farm is than usual
    #[arg(long, default_value_t = 1.0)]
    pub(super) speed: f64,
    /// Reach the servers over SSH: each is behind an sshd of its own on this machine
    #[arg(long)]
    pub(super) ssh: bool,
    /// End all processes of the farm, and delete it
    #[arg(long)]
    pub(super) remove: bool,
    /// Where the farm is made; below the folder of sessions by default
    #[arg(long)]
    pub(super) dir: Option<PathBuf>,
    /// A file of answers; what it says comes before the rehearsal's own
    #[arg(long)]
    pub(super) answers: Option<PathBuf>,
    #[command(flatten)]
    pub(super) face: Face,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) farm: Farm,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) farm: Farm,
    /// With every command, as far as it can be told beforehand
    #[arg(long)]
    pub(super) commands: bool,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) farm: Farm,
    #[command(flatten)]
    pub(super) face: Face,
}

#[derive(Debug, Args)]
pub(super) struct AttachArgs {
    /// Its name, or the beginning or end of it; the newest one under way by default
    pub(super) session: Option<String>,
    /// A dialogue of numbered lines
    #[arg(long)]
    pub(super) plain: bool,
    /// Only look on
    #[arg(long)]
    pub(super) watch: bool,
    /// Look on: every event from now on as a line of JSON
    #[arg(long, conflicts_with = "plain")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) looks: Looks,
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// Its name, or the beginning or end of it; the newest one by default
    pub(super) session: Option<String>,
    /// Answers to what would be asked
    #[arg(long)]
    pub(super) answers: Option<PathBuf>,
    #[command(flatten)]
    pub(super) face: Face,
}

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    /// Its name, the beginning or end of it, or its folder; the newest one by default
    pub(super) session: Option<String>,
    /// As lines
    #[arg(long)]
    pub(super) plain: bool,
    /// Every event as a line of JSON
    #[arg(long, conflicts_with = "plain")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) looks: Looks,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProfileCommand {
    /// The built-in profiles
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The text of a profile
    Show {
        /// A file, or the id of a built-in profile
        profile: String,
    },
    /// A profile to begin with, explained, which passes the check
    New {
        /// Small letters, digits and `_`
        id: String,
        /// What the vendor calls the product
        #[arg(long)]
        product: Option<String>,
        /// The file to make; the id with hyphens by default
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// A JSON schema of profiles, for editors
    Schema,
    /// Every mistake in a profile
    Check {
        /// Files, or ids of built-in profiles
        #[arg(required = true)]
        files: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum InventoryCommand {
    /// Every mistake in an inventory, whether it fits a profile, and whether its servers can be worked on
    Check {
        /// The profile it must fit
        #[arg(short, long)]
        profile: Option<String>,
        /// The inventory
        #[arg(short, long)]
        inventory: PathBuf,
        /// The file alone: connect to nothing
        #[arg(long)]
        offline: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// `KIND=N`
fn count(text: &str) -> Result<(String, usize), String> {
    let (kind, number) = text.split_once('=').ok_or("write KIND=N, such as `ums=2`")?;
    let number = number.parse().map_err(|_| format!("`{number}` is no number of servers"))?;
    Ok((kind.to_owned(), number))
}
