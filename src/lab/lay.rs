//! A farm as its lab describes it, laid out in a folder; nothing of it runs yet.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::description::{Access, Description, Kind, System};
use super::farm::{self, Server, write, write_command};
use super::fault::Fault;
use super::source::LabSource;
use super::{Lab, LabError, LabOptions, LabServer, ssh};

/// What a lab's `setup.sh` begins with is here.
const LIB: &str = "lib";

/// A farm to be made: what is asked for, against what there can be.
pub(super) struct Order<'d> {
    description: &'d Description,
    options: &'d LabOptions,
    faults: Vec<Fault<'d>>,
}

impl<'d> Order<'d> {
    /// Refuses what is not possible, before anything is made.
    pub(super) fn new(description: &'d Description, options: &'d LabOptions) -> Result<Self, LabError> {
        let refused =
            |what: String, value: String, allowed: String| LabError::Option { what, value, allowed };
        for name in options.counts.keys() {
            if description.kind(name).is_none() {
                let kinds: Vec<&str> = description.kinds.iter().map(|kind| kind.name.as_str()).collect();
                return Err(refused("a kind of servers".to_owned(), name.clone(), kinds.join(", ")));
            }
        }
        let order = Self {
            description,
            options,
            faults: options
                .faults
                .iter()
                .map(|fault| Fault::parse(fault, description))
                .collect::<Result<_, _>>()?,
        };
        for kind in &description.kinds {
            let count = order.count(kind);
            if !(kind.least..=kind.most).contains(&count) {
                let allowed = format!("{} to {}", kind.least, kind.most);
                return Err(refused(format!("the number of {}", kind.label), count.to_string(), allowed));
            }
        }
        if !(0.01..=1000.0).contains(&options.speed) {
            return Err(refused("speed".to_owned(), options.speed.to_string(), "0.01 to 1000".to_owned()));
        }
        for fault in &order.faults {
            if let Some((kind, which)) = fault.info.server()
                && let Some(kind) = description.kind(kind)
                && which.index(order.count(kind)).is_none()
            {
                let allowed = format!("enough for the fault `{fault}`");
                let count = order.count(kind).to_string();
                return Err(refused(format!("the number of {}", kind.label), count, allowed));
            }
        }
        Ok(order)
    }

    fn count(&self, kind: &Kind) -> usize {
        self.options.counts.get(&kind.name).copied().unwrap_or(kind.count)
    }

    fn servers(&self, dir: &Path) -> Vec<Server> {
        let kinds = self.description.kinds.iter();
        kinds
            .flat_map(|kind| (1..=self.count(kind)).map(move |number| (kind, number)))
            .zip(farm::addresses(dir, self.options.network))
            .map(|((kind, number), address)| Server {
                name: format!("{}-{number}", kind.name),
                kind: kind.clone(),
                address,
            })
            .collect()
    }
}

/// Makes the farm in the folder `dir`, which holds nothing but the mark yet.
pub(super) fn lay(dir: &Path, source: &LabSource, order: &Order<'_>) -> Result<Lab, LabError> {
    let options = order.options;
    farm::check_machine(options.ssh)?;
    let servers = order.servers(dir);
    let port = match &order.description.port {
        None => None,
        // On addresses that this machine does not have yet nothing can be taken.
        Some(port) if options.network.is_some() => Some(port.usual),
        Some(port) => Some(farm::free_port(&servers, port.usual, port.others[0]..port.others[1])?),
    };
    let common = LabSource::common();
    farm::write_settings(dir, options, &order.description.settings, port, servers.len())?;
    for name in ["lab.sh", "farm.sh", "reboot.sh"] {
        write(&dir.join(LIB).join(name), common.text(name)?.as_bytes())?;
    }
    for folder in [LIB, "media"] {
        for (path, bytes) in source.below(folder) {
            write(&dir.join(folder).join(path), bytes)?;
        }
    }
    for (path, bytes) in source.below("stand-ins") {
        write_command(&dir.join("stand-ins").join(path), bytes)?;
    }
    for server in &servers {
        write_server(dir, server, source, &common)?;
    }
    let lines =
        servers.iter().map(|server| format!("{} {} {}\n", server.name, server.kind.name, server.address));
    write(&dir.join("servers"), lines.collect::<String>().as_bytes())?;
    write(&dir.join("events.log"), b"")?;
    write_faults(dir, &servers, &order.faults)?;
    set_up(dir, source)?;
    let ssh = if options.ssh { Some(ssh::lay(dir, &servers, options)?) } else { None };
    let lab = Lab {
        dir: dir.to_owned(),
        inventory_path: dir.join("inventory.toml"),
        answers_path: dir.join("answers.toml"),
        servers: servers.iter().map(LabServer::of).collect(),
        ssh,
        words: words(dir, &servers, &order.description.settings, port),
    };
    let inventory = farm::inventory(&farm::name(), &servers, lab.ssh.as_ref());
    write(&lab.inventory_path, inventory.as_bytes())?;
    write(&lab.answers_path, lab.fill(&source.text("answers.toml")?).as_bytes())?;
    Ok(lab)
}

fn write_server(dir: &Path, server: &Server, source: &LabSource, common: &LabSource) -> Result<(), LabError> {
    let root = farm::write_server(dir, server)?;
    for (name, bytes) in common.below("bin") {
        write_command(&root.join("bin").join(name), bytes)?;
    }
    for name in &server.kind.bin {
        write_command(&root.join("bin").join(name), source.text(&format!("bin/{name}"))?.as_bytes())?;
    }
    for name in &server.kind.units {
        write(&root.join("etc/systemd").join(name), source.text(&format!("units/{name}"))?.as_bytes())?;
    }
    for (path, text) in &server.kind.files {
        write(&root.join(path), text.as_bytes())?;
    }
    Ok(())
}

/// Marks each fault where the stand-ins look for it.
fn write_faults(dir: &Path, servers: &[Server], faults: &[Fault<'_>]) -> Result<(), LabError> {
    let mut marks: BTreeMap<std::path::PathBuf, String> = BTreeMap::new();
    for fault in faults {
        let path = match fault.info.server() {
            None => dir.join("faults"),
            Some((kind, which)) => {
                let of_kind: Vec<&Server> =
                    servers.iter().filter(|server| server.kind.name == kind).collect();
                let server = which.index(of_kind.len()).and_then(|index| of_kind.get(index));
                let Some(server) = server else { continue };
                dir.join(&server.name).join("etc/lab/faults")
            }
        };
        marks.entry(path).or_default().push_str(&fault.line());
    }
    marks.iter().try_for_each(|(path, lines)| write(path, lines.as_bytes()))
}

/// Runs the lab's own preparations.
fn set_up(dir: &Path, source: &LabSource) -> Result<(), LabError> {
    let script = dir.join("setup.sh");
    write(&script, source.text("setup.sh")?.as_bytes())?;
    let output = Command::new("sh")
        .arg("./setup.sh")
        .current_dir(dir)
        // Whatever it leaves running is found and ended with the farm.
        .env("NOFM_ROOT", dir)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| LabError::io("running", &script, e))?;
    if output.status.success() {
        return fs::remove_file(&script).map_err(|e| LabError::io("deleting", &script, e));
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Err(LabError::Failed { command: format!("setup.sh ({})", output.status), said })
}

/// What the words between `@` in answers stand for.
fn words(
    dir: &Path,
    servers: &[Server],
    settings: &BTreeMap<String, String>,
    port: Option<u16>,
) -> BTreeMap<String, String> {
    let mut words: BTreeMap<String, String> = settings.clone();
    words.insert("lab".to_owned(), dir.display().to_string());
    words.extend(port.map(|port| ("port".to_owned(), port.to_string())));
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for server in servers {
        kinds.entry(&server.kind.name).or_default().push(&server.name);
    }
    for (kind, names) in kinds {
        let mut add = |which: &str, name: Option<&&str>| {
            words.extend(name.map(|name| (format!("{kind}:{which}"), (*name).to_owned())));
        };
        add("first", names.first());
        add("second", names.get(1));
        add("last", names.last());
        words.insert(format!("{kind}:names"), names.join(","));
    }
    words
}

impl Lab {
    /// Answers with this farm's own words filled in: `@lab@`, `@port@`, `@ums:first@`, and the lab's settings.
    pub fn fill(&self, answers: &str) -> String {
        let mut text = answers.to_owned();
        for (word, value) in &self.words {
            // They stand in basic strings.
            let value = value.replace('\\', r"\\").replace('"', "\\\"");
            text = text.replace(&format!("@{word}@"), &value);
        }
        text
    }
}

impl LabServer {
    fn of(server: &Server) -> Self {
        let Server { name, kind, address } = server;
        Self {
            name: name.clone(),
            address: *address,
            boot: (!kind.boot.is_empty()).then(|| format!("exec systemctl start {}", kind.boot.join(" "))),
        }
    }
}

/// How the inventory says what a server is.
pub(super) fn inventory_entry(server: &Server, ssh: bool) -> String {
    let Server { name, kind, address } = server;
    let roles = kind.roles.iter().map(|role| format!("\"{role}\"")).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "\n[[servers]]\nname      = \"{name}\"\naddress   = \"{address}\"\nroles     = [{roles}]\nroot      = \"{name}\"\nstand-ins = true\n"
    );
    if kind.os == System::Windows {
        text.push_str("os        = \"windows\"\n");
    }
    match (kind.access, ssh) {
        (Access::None, _) => text.push_str("transport = \"none\"\n"),
        (Access::Shell, false) => text.push_str("transport = \"local\"\n"),
        (Access::Shell, true) => {}
    }
    text
}
