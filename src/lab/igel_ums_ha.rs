//! The stand-in farm of IGEL Universal Management Suite.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::farm::{self, Server, write, write_command};
use super::{Fault, Lab, LabError, LabOptions, LabServer, LabSsh, ssh};

pub(super) const ID: &str = "igel_ums_ha";

/// What is installed, what is to be installed, and what is older than both.
const INSTALLED: &str = "12.04.100";
const NEW: &str = "12.08.130";
const OLDER: &str = "12.01.100";
/// Where the status request is answered, on a real server and here if it is free.
const PORT: u16 = 8443;

macro_rules! asset {
    ($name:literal) => {
        include_str!(concat!("../../assets/lab/igel_ums_ha/", $name))
    };
}

/// Names and texts of scripts.
type Scripts = &'static [(&'static str, &'static str)];

const LIB: Scripts =
    &[("ums.sh", asset!("ums.sh")), ("pages.sh", asset!("pages.sh")), ("update.sh", asset!("update.sh"))];
const PSQL: (&str, &str) = ("psql", asset!("bin/psql"));
const CLI: (&str, &str) = ("umsadmin-cli", asset!("bin/umsadmin-cli"));
const ON_SERVERS: Scripts = &[CLI, PSQL, ("ums-console", asset!("bin/ums-console"))];
const ON_DATABASE: Scripts = &[PSQL, ("pg_dump", asset!("bin/pg_dump"))];
const SERVER_UNITS: Scripts =
    &[("igel-ums-server", asset!("server.sh")), ("igel-ums-watchdog", asset!("watchdog.sh"))];
const BALANCER_UNITS: Scripts =
    &[("igel-ums-broker", asset!("broker.sh")), ("igel-ums-watchdog", asset!("watchdog.sh"))];

/// The commands and the services that a host of a role gets.
fn equipment(role: &str) -> (Scripts, Scripts) {
    match role {
        "server" => (ON_SERVERS, SERVER_UNITS),
        "balancer" => (&[CLI], BALANCER_UNITS),
        "console" => (&[CLI], &[]),
        _ => (ON_DATABASE, &[]),
    }
}

/// Makes the farm in the folder `dir`, which holds nothing but the mark yet.
pub(super) fn lay(dir: &Path, options: &LabOptions) -> Result<Lab, LabError> {
    farm::check_machine(options.ssh)?;
    let servers = servers(dir, options);
    // On addresses that this machine does not have yet nothing can be taken.
    let port = match options.network {
        Some(_) => PORT,
        None => farm::free_port(&servers, PORT, 18443..18543)?,
    };
    farm::write_shared(dir, options, port)?;
    for (name, text) in LIB {
        write(&dir.join("lib").join(name), text)?;
    }
    for server in &servers {
        write_server(dir, server)?;
    }
    write_database(dir, &servers, options)?;
    for fault in &options.faults {
        order(dir, &servers, *fault)?;
    }
    let ssh = if options.ssh { Some(ssh::lay(dir, &servers, options)?) } else { None };
    let lab = write_papers(dir, servers, port, ssh)?;
    if !options.faults.iter().any(|fault| fault.name == "backup-missing") {
        let dump = "exec pg_dump -Fc rmdb -f /var/backups/rmdb.dump";
        farm::run_on_all(dir, &[("db-1", dump)])?;
    }
    Ok(lab)
}

fn servers(dir: &Path, options: &LabOptions) -> Vec<Server> {
    let kinds: [(&str, &'static [&'static str], usize); 4] = [
        ("ums", &["server"], options.servers),
        ("lb", &["balancer"], options.balancers),
        ("console", &["console"], options.consoles),
        ("db", &["database"], 1),
    ];
    kinds
        .into_iter()
        .flat_map(|(prefix, roles, count)| {
            (1..=count).map(move |number| (format!("{prefix}-{number}"), roles))
        })
        .zip(farm::addresses(dir, options.network))
        .map(|((name, roles), address)| Server { name, roles, address })
        .collect()
}

fn write_server(dir: &Path, server: &Server) -> Result<(), LabError> {
    let role = server.roles[0];
    let (commands, units) = equipment(role);
    let root = farm::write_server(dir, server, commands)?;
    for (name, text) in units {
        write(&root.join("etc/systemd").join(name), text)?;
    }
    if role == "database" {
        return Ok(());
    }
    write(&root.join("etc/lab/components"), &format!("{role}\n"))?;
    write(&root.join("opt/IGEL/RemoteManager/version"), &format!("{INSTALLED}\n"))?;
    if role == "server" {
        write(&root.join("etc/lab/datasource"), "productive\n")?;
    }
    Ok(())
}

/// The database before any service runs; each service enters itself when it starts.
fn write_database(dir: &Path, servers: &[Server], options: &LabOptions) -> Result<(), LabError> {
    let schema = INSTALLED.rsplit_once('.').map_or(INSTALLED, |(schema, _)| schema);
    let mut text = format!("schema|{schema}|0|\n");
    let row = |name: &str, kind| format!("process|{name}|{kind}|NORMAL|SERVICE_STOPPED|{INSTALLED}\n");
    for server in servers {
        match server.roles[0] {
            "server" => text += &row(&server.name, "UMS_RMGUISERVER"),
            "balancer" => text += &row(&server.name, "UMS_BROKER"),
            _ => {}
        }
    }
    let ordered = |name: &str| options.faults.iter().any(|fault| fault.name == name);
    if ordered("orphan") {
        text += &row("ums-old", "UMS_RMGUISERVER");
    }
    if ordered("pending-requests") {
        for number in 1..=3 {
            let _ = writeln!(text, "job|restart of devices, site {number}|0");
        }
    }
    write(&dir.join("database/farm.db"), &text)?;
    write(&dir.join("events.log"), "")
}

/// Prepares a fault on the server that it is about. The rest of them stand in the database.
fn order(dir: &Path, servers: &[Server], fault: Fault) -> Result<(), LabError> {
    let of_role = |role: &str| servers.iter().filter(|server| server.roles[0] == role).collect::<Vec<_>>();
    let ums = of_role("server");
    let (server, line) = match fault.name {
        "clock" => return write(&dir.join(&ums[1].name).join("etc/lab/clock"), "90\n"),
        "disk-full" => return write(&dir.join(&ums[1].name).join("etc/lab/disk-full"), ""),
        "install-fails-first" => (ums[0], "install-fails"),
        "install-fails-middle" => (ums[ums.len() / 2], "install-fails"),
        "install-fails-last" => (ums[ums.len() - 1], "install-fails"),
        "install-never-ends" | "not-normal" => (ums[1], fault.name),
        "hostile-output" | "big-output" => (ums[0], fault.name),
        "balancer-not-stopping" => (of_role("balancer")[0], fault.name),
        _ => return Ok(()),
    };
    let path = dir.join(&server.name).join("etc/lab/faults");
    let mut lines = fs::read_to_string(&path).unwrap_or_default();
    let _ = writeln!(lines, "{line}{}", if fault.always { ":always" } else { "" });
    write(&path, &lines)
}

/// Inventory, answers and installers.
fn write_papers(dir: &Path, servers: Vec<Server>, port: u16, ssh: Option<LabSsh>) -> Result<Lab, LabError> {
    let installer = |version: &str| dir.join(format!("media/setup-igel-ums-linux_{version}.bin"));
    for version in [NEW, OLDER] {
        write_command(&installer(version), &asset!("installer.sh").replace("@version@", version))?;
    }
    let inventory = farm::inventory(&farm::name(), &servers, ssh.as_ref());
    let lab = Lab {
        dir: dir.to_owned(),
        inventory_path: dir.join("inventory.toml"),
        answers_path: dir.join("answers.toml"),
        installer_path: installer(NEW),
        older_installer_path: installer(OLDER),
        servers: servers.into_iter().map(started).collect(),
        ssh,
    };
    write(&lab.inventory_path, &inventory)?;
    let string = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let answers = asset!("answers.toml")
        .replace("@version@", &string(NEW))
        .replace("@installer@", &string(&lab.installer_path.display().to_string()))
        .replace("@first@", &string(&lab.servers[0].name))
        .replace("@port@", &port.to_string());
    write(&lab.answers_path, &answers)?;
    Ok(lab)
}

/// A server with what its start runs: its services, the watchdog last.
fn started(server: Server) -> LabServer {
    let boot = match server.roles[0] {
        "server" => Some("exec systemctl start igel-ums-server igel-ums-watchdog"),
        "balancer" => Some("exec systemctl start igel-ums-broker igel-ums-watchdog"),
        _ => None,
    };
    LabServer { name: server.name, address: server.address, boot }
}
