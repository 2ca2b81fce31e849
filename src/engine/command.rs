//! Where a step runs and what it runs; where a question is put and what is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::decide::targets;
use super::event::{Before, Cause, Event, Target};
use super::key::{LaneKey, Place, StepKey};
use super::measure::ProbeKey;
use super::stand_in;
use super::state::State;
use super::view::Seen;
use crate::inventory::Server;
use crate::model::{Os, ServerName, Value};
use crate::plan::{PlanStep, Scope};
use crate::profile::{Act, At, CheckKind, Name, Service, ServiceAct, Shell, Source, Template};

/// What a step does at one place, in the words of the shell there.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// `files` are those that it names; they are to be what was sent, when it begins.
    Command {
        body: String,
        tty: bool,
        files: Vec<Sent>,
    },
    /// What must be looked up, and journalled, before anything is started.
    LookUp {
        what: LookUp,
    },
    Services {
        act: ServiceAct,
        /// By name; none stands for a pattern.
        services: Vec<Service>,
    },
    /// `boot` tells the start before it from the one after it.
    Reboot {
        boot: String,
    },
    Upload {
        local: PathBuf,
        remote: String,
    },
    Collect {
        paths: Vec<String>,
    },
}

/// What a step goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookUp {
    Boot,
    /// Which services these patterns stand for. Those that were found before count as long as they are there.
    Services(BTreeMap<String, BTreeSet<String>>),
}

/// A file that was copied to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// On the console.
    pub local: PathBuf,
    /// As commands on the server name it.
    pub remote: String,
}

/// What is asked of a place, in the words of the shell there.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Command {
        place: Place,
        script: String,
    },
    Http {
        url: String,
    },
    FreeSpace {
        place: Place,
        path: String,
    },
    Clocks {
        servers: Vec<ServerName>,
    },
    Port {
        from: Place,
        address: String,
        port: u16,
    },
    Writable {
        place: Place,
        path: String,
    },
    Privilege {
        place: Place,
    },
    /// Whether a terminal can be held there.
    Terminal {
        place: Place,
    },
    File {
        place: Place,
        path: String,
        same_as: Option<PathBuf>,
    },
    Services {
        place: Place,
        services: Vec<Service>,
    },
}

impl State {
    /// The event that starts a step.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn intent(&self, key: &StepKey, step: &PlanStep, tty: bool) -> Result<Event, Cause> {
        if let crate::engine::key::ScriptRef::Stage(stage) = &key.lane.script
            && step.step.once
            && self.once.contains_key(&(stage.clone(), step.id.clone()))
        {
            let what = "it was started once in this round already, and must not be started again".to_owned();
            return Err(Cause::Unclear { what });
        }
        let unclear = |what| Cause::Unclear { what };
        let command = self.command(key).map_err(unclear)?;
        let places = self.places(key, step).map_err(unclear)?;
        let targets: Vec<Target> = targets(places, |place| self.run_id(key, place));
        Ok(Event::StepIntended {
            key: key.clone(),
            targets,
            command: crate::text::escape::safe_cut(&command, 8192).into_owned(),
            tty,
            once: step.step.once,
        })
    }

    /// Names the run on the server: the same step at the same attempt has the same, whoever starts it.
    fn run_id(&self, key: &StepKey, place: &Place) -> String {
        let whole = format!("{}|{key:?}|{place:?}", self.setup.session);
        let digest = Sha256::digest(whole.as_bytes());
        let hash: String =
            digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let name: String = format!("{}.{}", key.lane.script, key.step)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' })
            .take(60)
            .collect();
        format!("{name}-r{}a{}-{hash}", key.lane.round, key.attempt)
    }

    /// Every place a step runs at.
    fn places(&self, key: &StepKey, step: &PlanStep) -> Result<Vec<Place>, String> {
        let server = self.server_of(&key.lane);
        let list = |names: Vec<ServerName>| names.into_iter().map(Place::Server).collect::<Vec<_>>();
        let places = match &step.at {
            At::Here | At::Local | At::One(_) | At::Peer => {
                vec![self.place(&step.at, server, Some(&key.lane))?]
            }
            At::Peers => {
                // A recovery has the peers of the stage that it recovers from.
                let of =
                    self.lane(&key.lane).and_then(|lane| lane.of.as_ref()).map_or(&key.lane, |of| &of.lane);
                let stage = self.stage_of(of).and_then(|stage| self.stages.get(self.stage_index(&stage.id)?));
                let lanes = stage.map(|stage| stage.lanes.as_slice()).unwrap_or_default();
                let others = lanes.iter().filter_map(|lane| lane.key.server.clone());
                list(
                    others
                        .filter(|other| {
                            key.lane.server.as_ref() != Some(other) && !self.left_out.contains_key(other)
                        })
                        .collect(),
                )
            }
            At::Role(role) => {
                list(self.setup.inventory.of_role(role).map(|server| server.name.clone()).collect())
            }
        };
        Ok(places)
    }

    /// The one place that `at` means.
    fn place(&self, at: &At, server: Option<&Server>, lane: Option<&LaneKey>) -> Result<Place, String> {
        let is_other = |other: &&Server| server.is_none_or(|server| server.name != other.name);
        match at {
            At::Here => Ok(server.map_or(Place::Console, |server| Place::Server(server.name.clone()))),
            At::Local => Ok(Place::Console),
            At::Peer | At::Peers => {
                let roles = server.map(|server| server.roles.as_slice()).unwrap_or_default();
                let others = self.setup.inventory.servers.iter().filter(is_other);
                let mut others = others.filter(|other| other.roles.iter().any(|role| roles.contains(role)));
                let in_lane = lane.and_then(|lane| Seen::new(self, Some(lane)).peers_in_service());
                let found = match in_lane {
                    Some(peers) => others.find(|other| peers.contains(&other.name)),
                    None => others.find(|other| !self.is_down(&other.name)),
                };
                found
                    .map(|other| Place::Server(other.name.clone()))
                    .ok_or_else(|| "no other server is in service".to_owned())
            }
            At::Role(role) | At::One(role) => {
                // A server that is at work itself answers where no other does; a stopped one only if it must.
                let of_role = || self.setup.inventory.of_role(role);
                let out = |other: &&Server| self.is_out(&other.name);
                let found = of_role()
                    .find(|other| !self.is_down(&other.name))
                    .or_else(|| of_role().find(|other| !out(other)));
                found
                    .map(|other| Place::Server(other.name.clone()))
                    .ok_or_else(|| format!("no server of role `{role}` is in service"))
            }
        }
    }

    /// A path of a place as its shell has it.
    fn path_at(&self, place: &Place, path: &str) -> String {
        match place {
            Place::Console => path.to_owned(),
            Place::Server(name) => {
                self.setup.server(name).map_or_else(|| path.to_owned(), |server| server.path(path))
            }
        }
    }

    /// The shell that commands at a place go to.
    fn shell_at(&self, place: &Place) -> Shell {
        match place {
            Place::Console => Shell::Sh,
            Place::Server(name) => self.setup.server(name).map_or(Shell::Sh, Server::shell),
        }
    }

    pub(super) fn os_at(&self, place: &Place) -> Os {
        match place {
            Place::Console => Os::Linux,
            Place::Server(name) => self.setup.server(name).map_or(Os::Linux, |server| server.os),
        }
    }

    /// What a step runs, for people to read and for the server to run.
    ///
    /// # Errors
    /// What is not known of it.
    pub fn command(&self, key: &StepKey) -> Result<String, String> {
        let act = self.act_of(key).ok_or("the profile says nothing for this server's system")?;
        let places = self
            .current(key)
            .and_then(|lane| self.plan_step(lane))
            .map(|step| self.places(key, step))
            .transpose()?
            .unwrap_or_default();
        let os = places.first().map_or(Os::Linux, |place| self.os_at(place));
        match act {
            Act::Run(text) | Act::Attended(text) => self.rendered(key, text, shell(os), places.first()),
            Act::Manual(text) | Act::Confirm(text) => self.rendered(key, text, Shell::None, places.first()),
            Act::Upload(input) => {
                let (local, remote) = self.upload(key, input)?;
                Ok(format!("copy {} to {remote}", local.display()))
            }
            Act::Service { act, services } => {
                let services = self.services(key, places.first(), services.as_ref());
                Ok(format!(
                    "{} {}",
                    service_word(*act),
                    services.iter().map(service_name).collect::<Vec<_>>().join(" ")
                ))
            }
            Act::Wait(wait) => Ok(format!("wait until {}", wait.until.source())),
            Act::Reboot => Ok("reboot".to_owned()),
            Act::Collect(paths) => {
                let fill = |path| self.rendered(key, path, Shell::None, places.first());
                let paths: Result<Vec<_>, _> = paths.iter().map(fill).collect();
                Ok(format!("collect {}", paths?.join(", ")))
            }
            Act::Use { procedure, .. } => Ok(procedure.to_string()),
        }
    }

    /// What is to be run at one place of a step that was intended.
    ///
    /// # Errors
    /// What is not known of it; nothing was started then.
    pub fn job(&self, key: &StepKey, place: &Place) -> Result<Job, String> {
        let shell = self.shell_at(place);
        match self.act_of(key).ok_or("the profile says nothing for this server's system")? {
            act @ (Act::Run(text) | Act::Attended(text)) => Ok(Job::Command {
                body: match self.stand_in_for(key, text, place)? {
                    Some(stand_in) => stand_in,
                    None => self.rendered(key, text, shell, Some(place))?,
                },
                tty: matches!(act, Act::Attended(_)),
                files: self.sent(key, text, place)?,
            }),
            Act::Upload(input) => {
                let (local, remote) = self.upload(key, input)?;
                Ok(Job::Upload { local, remote: self.path_at(place, &remote) })
            }
            Act::Service { act, services } => {
                let services = self.services(key, Some(place), services.as_ref());
                Ok(match self.by_name(key, place, services) {
                    Ok(services) => Job::Services { act: *act, services },
                    Err(patterns) => Job::LookUp { what: LookUp::Services(patterns) },
                })
            }
            Act::Reboot => Ok(match self.before(key, place) {
                Some(Before::Boot(boot)) => Job::Reboot { boot: boot.clone() },
                _ => Job::LookUp { what: LookUp::Boot },
            }),
            Act::Collect(paths) => {
                let fill = |path| {
                    let path = self.rendered(key, path, Shell::None, Some(place))?;
                    Ok(self.path_at(place, &path))
                };
                let paths: Result<Vec<_>, String> = paths.iter().map(fill).collect();
                Ok(Job::Collect { paths: paths? })
            }
            Act::Manual(_) | Act::Confirm(_) | Act::Wait(_) | Act::Use { .. } => {
                Err("this step runs nothing on a server".to_owned())
            }
        }
    }

    pub(super) fn rendered(
        &self,
        key: &StepKey,
        text: &Template,
        shell: Shell,
        place: Option<&Place>,
    ) -> Result<String, String> {
        let seen = Seen::new(self, Some(&key.lane));
        let scope = self.scope_at(&seen, key, place)?;
        text.render(shell, &|name| scope.lookup(name)).map_err(|error| error.to_string())
    }

    /// The files on `place` that a command names.
    fn sent(&self, key: &StepKey, text: &Template, place: &Place) -> Result<Vec<Sent>, String> {
        let seen = Seen::new(self, Some(&key.lane));
        let scope = self.scope_at(&seen, key, Some(place))?;
        let names = scope.follow(text.names());
        let files = names.iter().filter_map(|name| match name {
            Name::Remote(input) => {
                let local = scope.lookup(&Name::Input(input.clone()))?;
                let remote = scope.lookup(name)?;
                Some(Sent { local: PathBuf::from(local.to_string()), remote: remote.to_string() })
            }
            _ => None,
        });
        Ok(files.collect())
    }

    /// Where the step in turn at `key` is looked up, at one of its places.
    pub(super) fn scope_at<'a>(
        &'a self,
        seen: &'a Seen<'a>,
        key: &'a StepKey,
        place: Option<&Place>,
    ) -> Result<Scope<'a>, String> {
        let step =
            self.current(key).and_then(|lane| self.plan_step(lane)).ok_or("the step is not in turn")?;
        let scope = self.step_scope(seen, key, step);
        // A step of the farm has the server it runs at in turn, so that its inputs are that server's.
        Ok(match (scope.server, place) {
            (None, Some(Place::Server(name))) => Scope { server: self.setup.server(name), ..scope },
            _ => scope,
        })
    }

    fn upload(&self, key: &StepKey, input: &crate::model::InputId) -> Result<(PathBuf, String), String> {
        let seen = Seen::new(self, Some(&key.lane));
        let scope = self.scope(&seen, self.server_of(&key.lane));
        let local =
            scope.lookup(&Name::Input(input.clone())).ok_or_else(|| format!("`{input}` has no value"))?;
        let remote = scope.remote(input).ok_or_else(|| format!("`{input}` names no file"))?;
        Ok((PathBuf::from(local.to_string()), remote))
    }

    /// The services a step is about at `place`, in stop order.
    fn services(&self, key: &StepKey, place: Option<&Place>, own: Option<&Vec<Service>>) -> Vec<Service> {
        if let Some(own) = own {
            return own.clone();
        }
        let server = match place {
            Some(Place::Server(name)) => self.setup.server(name),
            _ => self.server_of(&key.lane),
        };
        server.map(|server| self.role_services(server, &server.roles)).unwrap_or_default()
    }

    fn before(&self, key: &StepKey, place: &Place) -> Option<&Before> {
        self.current(key)?.targets.iter().find(|target| target.place == *place)?.before.as_ref()
    }

    /// `services` with those found in the place of patterns, each once; or the patterns that are to be looked up.
    fn by_name(
        &self,
        key: &StepKey,
        place: &Place,
        services: Vec<Service>,
    ) -> Result<Vec<Service>, BTreeMap<String, BTreeSet<String>>> {
        let patterns: Vec<String> = services.iter().filter_map(Service::pattern).map(str::to_owned).collect();
        let found = match self.before(key, place) {
            _ if patterns.is_empty() => return Ok(services),
            Some(Before::Services(found)) => found,
            _ => {
                let known = |pattern: &String| self.services.get(&(place.clone(), pattern.clone())).cloned();
                let all = patterns
                    .into_iter()
                    .map(|pattern| (pattern.clone(), known(&pattern).unwrap_or_default()));
                return Err(all.collect());
            }
        };
        let mut named: Vec<Service> = Vec::new();
        for service in services {
            let names = match &service {
                Service::Named { .. } => vec![service],
                Service::Matching(pattern) => {
                    let names = found.get(pattern).into_iter().flatten();
                    names.map(|name| Service::Named { name: name.clone(), if_present: false }).collect()
                }
            };
            for name in names {
                if !named.iter().any(|known| known.name() == name.name()) {
                    named.push(name);
                }
            }
        }
        Ok(named)
    }

    /// The services of a server's roles, in stop order, each once.
    fn role_services(&self, server: &Server, roles: &[crate::model::RoleId]) -> Vec<Service> {
        let mut services: Vec<Service> = Vec::new();
        let of_server = server.roles.iter().filter(|role| roles.contains(role));
        for role in of_server.filter_map(|role| self.setup.profile.role(role)) {
            for service in role.services.get(server.os).into_iter().flatten() {
                if !services.contains(service) {
                    services.push(service.clone());
                }
            }
        }
        services
    }

    /// What is asked, and where. `Ok(None)`: only the operator can answer.
    ///
    /// # Errors
    /// Why it cannot be asked; that makes it unknown.
    pub fn ask_of(&self, probe: &ProbeKey) -> Result<Option<Ask>, String> {
        match probe {
            ProbeKey::Fact(id, server) => {
                let fact = self.setup.profile.fact(id).ok_or("the profile has no such fact")?;
                let server = server.as_ref().and_then(|server| self.setup.server(server));
                let seen = Seen::new(self, None);
                let scope = self.scope(&seen, server);
                match &fact.source {
                    Source::Ask | Source::Value(_) => Ok(None),
                    Source::Http(url) => {
                        // Asked from the console; of the farm, about the server that it is asked at.
                        let place = self.place(&fact.at, server, None)?;
                        let scope = match (&place, server) {
                            (Place::Server(name), None) => Scope { server: self.setup.server(name), ..scope },
                            _ => scope,
                        };
                        let url = url.render(Shell::None, &|name| scope.lookup(name));
                        Ok(Some(Ask::Http { url: url.map_err(|error| error.to_string())? }))
                    }
                    Source::Run(run) => {
                        let place = self.place(&fact.at, server, None)?;
                        let os = self.os_at(&place);
                        let shell = self.shell_at(&place);
                        let text = run
                            .get(os)
                            .ok_or_else(|| format!("the profile has no command for {}", os.as_str()))?;
                        // A fact of the farm has the server it is asked at in turn, so that its inputs are that
                        // server's.
                        let scope = match (&place, server) {
                            (Place::Server(name), None) => Scope { server: self.setup.server(name), ..scope },
                            _ => scope,
                        };
                        let script = if self.is_stood_in_for(&place) {
                            stand_in::call(
                                &format!("facts.{id}"),
                                text,
                                Shell::PowerShell,
                                stand_in::NEEDED,
                                &scope,
                            )
                        } else {
                            text.render(shell, &|name| scope.lookup(name))
                        };
                        Ok(Some(Ask::Command { place, script: script.map_err(|error| error.to_string())? }))
                    }
                }
            }
            ProbeKey::Check(id, server) => {
                let Some(check) = self.setup.profile.check(id) else {
                    return super::own_checks::own_ask(id, server.as_ref()).map(Some);
                };
                let server = server.as_ref().and_then(|server| self.setup.server(server));
                self.check_ask(check, server)
            }
        }
    }

    fn check_ask(
        &self,
        check: &crate::profile::Check,
        server: Option<&Server>,
    ) -> Result<Option<Ask>, String> {
        let seen = Seen::new(self, None);
        let scope = self.scope(&seen, server);
        let fill = |text: Option<&Template>| {
            let text = text.ok_or("the profile says nothing for this server's system")?;
            text.render(Shell::None, &|name| scope.lookup(name)).map_err(|error| error.to_string())
        };
        let place = || self.place(&check.at, server, None);
        Ok(Some(match &check.kind {
            CheckKind::That(_) | CheckKind::Registered(_) | CheckKind::Ask(_) => return Ok(None),
            CheckKind::ClockSkew(_) => {
                let servers = self.places_of(check).into_iter().flatten().collect();
                Ask::Clocks { servers }
            }
            CheckKind::FreeSpace { path, .. } => {
                let place = place()?;
                let path = self.path_at(&place, &fill(path.get(self.os_at(&place)))?);
                Ask::FreeSpace { place, path }
            }
            CheckKind::Port(port) => {
                let address =
                    server.map(|server| server.address.clone()).ok_or("a port is checked of a server")?;
                let from = match &check.at {
                    At::Here => Place::Console,
                    at => self.place(at, server, None)?,
                };
                Ask::Port { from, address, port: *port }
            }
            CheckKind::Writable(path) => {
                let place = place()?;
                let path = self.path_at(&place, &fill(path.get(self.os_at(&place)))?);
                Ask::Writable { place, path }
            }
            CheckKind::Privilege => Ask::Privilege { place: place()? },
            CheckKind::File { path, same_as, .. } => {
                let place = place()?;
                let path = fill(path.get(self.os_at(&place)))?;
                // `inputs.I.remote` is written for commands; here the server's own path is wanted.
                let root = match &place {
                    Place::Server(name) => self.setup.server(name).and_then(Server::root).unwrap_or_default(),
                    Place::Console => "",
                };
                let path = path.strip_prefix(root).map(str::to_owned).unwrap_or(path);
                let path = self.path_at(&place, &path);
                let same_as = same_as.as_ref().and_then(|input| {
                    scope
                        .lookup(&Name::Input(input.clone()))
                        .map(|value: Value| PathBuf::from(value.to_string()))
                });
                Ask::File { place, path, same_as }
            }
            CheckKind::Services(_) => {
                let server = server.ok_or("services are checked on a server")?;
                Ask::Services { place: place()?, services: self.role_services(server, &check.roles) }
            }
        }))
    }
}

/// The shell that the commands of a system are written for.
pub(super) fn shell(os: Os) -> Shell {
    if os == Os::Windows { Shell::PowerShell } else { Shell::Sh }
}

fn service_word(act: ServiceAct) -> &'static str {
    match act {
        ServiceAct::Stop => "stop",
        ServiceAct::Start => "start",
        ServiceAct::Restart => "restart",
    }
}

fn service_name(service: &Service) -> String {
    match service {
        Service::Named { name, .. } => name.clone(),
        Service::Matching(regex) => format!("/{regex}/"),
    }
}
