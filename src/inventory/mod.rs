//! The administrator's servers: names, roles, addresses, and how each is reached.
//!
//! Read from TOML into an [`Inventory`] or into all its diagnostics, like a profile; whether it fits a
//! profile is another question, and answered with diagnostics too. The same goes for the answer file, which
//! answers what a session would ask.

mod answers;
mod fit;
mod host;
mod parse;
mod ssh;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

pub use answers::{Answers, Confirmed, PerKey, StepAnswer};
pub use host::{Host, first_shared};
pub use ssh::{Hop, Ssh};

use crate::model::{InputId, Os, RoleId, ServerName, Value};
use crate::profile::Shell;

/// The servers of one farm, in the order of the file.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// What the operator calls the farm.
    pub farm: String,
    pub servers: Vec<Server>,
    source: Source,
}

/// The text it was read from, to point into.
#[derive(Clone, Debug, Default)]
struct Source {
    name: String,
    text: String,
    farm: Range<usize>,
    servers: Vec<Places>,
}

/// Where the parts of one server stand.
#[derive(Clone, Debug, Default)]
struct Places {
    name: Range<usize>,
    roles: Vec<Range<usize>>,
    os: Range<usize>,
    transport: Range<usize>,
    inputs: BTreeMap<InputId, Range<usize>>,
}

#[derive(Clone, Debug)]
pub struct Server {
    pub name: ServerName,
    pub address: String,
    pub roles: Vec<RoleId>,
    pub os: Os,
    pub reach: Reach,
    /// Where stand-ins answer for the server and for whoever works at it: the folder that stands for its file system.
    pub stand_in: Option<PathBuf>,
    /// Inputs with `per = "server"`, as far as the inventory gives them.
    pub inputs: BTreeMap<InputId, Value>,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A process on this machine. `root` is the folder that stands for the server's file system (`/` when
    /// absent); its `bin` comes first on the PATH.
    Local {
        root: Option<PathBuf>,
    },
    Ssh(Box<Ssh>),
    /// No shell: a person, or what can be asked over the network.
    None,
}

impl Server {
    /// The shell that its commands go to. A stand-in is a folder of this machine, whatever it stands for.
    pub fn shell(&self) -> Shell {
        if self.os == Os::Windows && self.stand_in.is_none() { Shell::PowerShell } else { Shell::Sh }
    }

    /// A path of the server as its shell has it: a stand-in has its drives below its folder.
    pub fn path(&self, path: &str) -> String {
        if self.stand_in.is_some() && self.os == Os::Windows {
            format!("/{}", path.replace('\\', "/"))
        } else {
            path.to_owned()
        }
    }

    /// The folder that stands for its file system, where that is not `/`.
    pub fn root(&self) -> Option<&str> {
        let root = match &self.reach {
            Reach::Local { root } => root.as_ref(),
            Reach::Ssh(ssh) => ssh.root.as_ref(),
            Reach::None => self.stand_in.as_ref(),
        };
        root?.to_str().filter(|root| *root != "/")
    }
}

impl Inventory {
    /// An inventory that stands in no file: what is wrong with it has no place.
    pub fn new(farm: impl Into<String>, servers: Vec<Server>) -> Self {
        Self { farm: farm.into(), servers, source: Source::default() }
    }

    pub fn server(&self, name: &ServerName) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == *name)
    }

    /// The servers of a role, in the order of the file.
    pub fn of_role(&self, role: &RoleId) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(move |server| server.roles.contains(role))
    }
}

#[cfg(test)]
mod tests;
