//! From the text of an inventory to the inventory, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::de::DeValue;

use super::ssh::{Defaults, Login};
use super::{Inventory, Places, Reach, Server, Source, Ssh};
use crate::model::{InputId, Os, RoleId, ServerName, Value, is_name};
use crate::text::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::text::toml::{Doc, Item, Table, Text};

/// Characters that mean something to a shell, a URL, an option list or a file system. A name ends up in all
/// of them.
const SPECIAL: &str = ":'\"`$&|;<>(){}[]*?!~#\\/=,%^@";

/// What an address may not hold: as a name, but with the brackets and the `%` of an IPv6 address.
const SPECIAL_IN_ADDRESS: &str = "'\"`$&|;<>(){}*?!~#\\/=,^@";

impl Inventory {
    /// Reads the inventory `text`, which the operator knows as `name`; relative folders are below `base`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(name: &str, text: &str, base: &Path) -> Result<Self, Diagnostics> {
        let doc = Doc::parse(text);
        let mut inventory = read(&doc, base);
        name.clone_into(&mut inventory.source.name);
        text.clone_into(&mut inventory.source.text);
        doc.finish(name).none_or().map(|()| inventory)
    }
}

fn read(doc: &Doc<'_>, base: &Path) -> Inventory {
    let root = doc.root().named("the inventory");
    format(&root);
    let farm_item = root.need("farm");
    let farm = farm_item.as_ref().map(Item::string).unwrap_or_default();
    if let Some(item) = &farm_item
        && farm.chars().any(char::is_control)
    {
        doc.report(
            Diagnostic::new(item.span(), "the farm's name holds a control character")
                .help("write plain text"),
        );
    }
    let ssh = root.get("ssh").and_then(|item| item.table("`[ssh]`"));
    let ssh = ssh.map(|table| Defaults::read(table, base)).unwrap_or_default();
    let mut taken = Taken::default();
    let items = root.need("servers").map(|item| item.list()).unwrap_or_default();
    let (mut servers, mut places) = (Vec::new(), Vec::new());
    for table in items.iter().filter_map(|item| item.table("this server")) {
        let (server, place) = server(table, base, &ssh, &mut taken);
        servers.push(server);
        places.push(place);
    }
    if items.is_empty() {
        doc.report_absence(
            Diagnostic::new(root.span(), "the inventory has no servers")
                .help("write `[[servers]]` with `name` and `roles`"),
        );
    }
    root.finish();
    let farm_span = farm_item.map_or(0..0, |item| item.span());
    Inventory { farm, servers, source: Source { farm: farm_span, servers: places, ..Source::default() } }
}

/// The format's number, which must be the one this program reads.
pub(super) fn format(root: &Table<'_>) {
    let Some(item) = root.need("nofm") else { return };
    if item.whole_number(1..i64::MAX).is_some_and(|format| format != 1) {
        root.doc().report(
            Diagnostic::new(item.span(), "this file is written for a later version of nofm")
                .help("this one reads `nofm = 1`"),
        );
    }
}

/// Names and addresses that were seen, and where.
#[derive(Default)]
struct Taken {
    names: BTreeMap<String, Range<usize>>,
    /// With the port, since several servers may stand behind one address.
    addresses: BTreeMap<String, Range<usize>>,
}

fn server(table: Table<'_>, base: &Path, ssh: &Defaults, taken: &mut Taken) -> (Server, Places) {
    let name_text = table.need("name").and_then(|item| item.text());
    let name = name_text.as_ref().map(Text::as_str).unwrap_or_default();
    let table = if name.is_empty() { table } else { table.named(format!("server {}", quoted(name))) };
    let doc = table.doc();
    if let Some(text) = &name_text {
        check_word(text, "name", SPECIAL);
        claim(&mut taken.names, text.as_str(), text, "name");
    }
    let address = table.get("address").and_then(|item| item.text());
    if let Some(text) = &address {
        check_word(text, "address", SPECIAL_IN_ADDRESS);
    }
    let reach_item = table.get("transport");
    let (reach, stand_in) = reach(&table, reach_item.as_ref(), base, ssh);
    // Stand-ins on this machine are told apart by their folders.
    if let Some(text) = address.as_ref().or(name_text.as_ref())
        && !matches!(reach, Reach::Local { .. })
        && stand_in.is_none()
    {
        // What is not written is most likely the usual one.
        let port = if let Reach::Ssh(ssh) = &reach { ssh.port.unwrap_or(22) } else { 22 };
        claim(&mut taken.addresses, &format!("{} {port}", text.as_str()), text, "address");
    }
    let os_item = table.get("os");
    let os = os_item
        .as_ref()
        .and_then(|item| item.one_of(&[("linux", Os::Linux), ("unix", Os::Unix), ("windows", Os::Windows)]));
    let os = os.unwrap_or(Os::Linux);
    if os == Os::Windows && matches!(reach, Reach::Local { .. }) && stand_in.is_none() {
        let span = reach_item.as_ref().map_or_else(|| table.span(), Item::span);
        doc.report(
            Diagnostic::new(span, "the local transport speaks sh only")
                .help("write `os = \"linux\"`, or another transport"),
        );
    }
    let roles_item = table.need("roles");
    let roles: Vec<Text<'_>> = roles_item.as_ref().map(Item::texts).unwrap_or_default();
    for role in roles.iter().filter(|role| !is_name(role.as_str())) {
        role.report(
            format!("{} is no role", quoted(role.as_str())),
            "write the role's id as the profile does: `server`",
        );
    }
    if let (Some(item), true) = (&roles_item, roles.is_empty()) {
        doc.report(
            Diagnostic::new(item.span(), "a server has one role at least")
                .help("write `roles = [\"server\"]`"),
        );
    }
    let mut places = Places {
        name: name_text.as_ref().map_or_else(|| table.span(), Text::span),
        roles: roles.iter().map(Text::span).collect(),
        os: os_item.map_or_else(|| table.span(), |item| item.span()),
        transport: reach_item.map_or_else(|| table.span(), |item| item.span()),
        inputs: BTreeMap::new(),
    };
    let inputs = table.get("inputs").map(|item| inputs(&item, &mut places)).unwrap_or_default();
    table.finish();
    let server = Server {
        name: ServerName::from(name),
        address: address.map_or(name, |text| text.as_str()).to_owned(),
        roles: roles.iter().map(|role| RoleId::from(role.as_str())).collect(),
        os,
        reach,
        stand_in,
        inputs,
    };
    (server, places)
}

/// A name or an address goes into commands, URLs, file names and onto the screen.
fn check_word(text: &Text<'_>, what: &str, special: &str) {
    if let Some(message) = fault(text.as_str(), what, special) {
        text.report(message, "letters, digits, `-`, `_` and `.` are fine");
    }
}

/// What is wrong with the `word` by which a server is known.
pub(super) fn fault(word: &str, what: &str, special: &str) -> Option<String> {
    let wrong = |c: char| c.is_whitespace() || c.is_control() || special.contains(c) || is_invisible(c);
    if word.is_empty() {
        Some(format!("the {what} of a server is empty"))
    } else if word.starts_with('-') {
        Some(format!("the {what} {} begins with `-`, and would be taken for an option", quoted(word)))
    } else if word.chars().all(|c| c == '.') {
        Some(format!("{} is no {what}", quoted(word)))
    } else if word.len() > 255 {
        Some(format!("the {what} of a server is longer than 255 bytes"))
    } else {
        let c = word.chars().find(|c| wrong(*c))?;
        Some(format!("the {what} {} holds {}, which it cannot", quoted(word), quoted(&c.to_string())))
    }
}

/// Whether `c` changes how a text looks without being seen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Reports a name or an address that another server has, by what makes it one of its kind.
fn claim(taken: &mut BTreeMap<String, Range<usize>>, key: &str, text: &Text<'_>, what: &str) {
    let key = key.to_lowercase();
    if let Some(first) = taken.get(&key) {
        let problem =
            Diagnostic::new(text.span(), format!("two servers have the {what} {}", quoted(text.as_str())));
        text.doc().report(
            problem
                .label("second")
                .also(first.clone(), "first")
                .help("one host stands in the inventory once, with all its roles"),
        );
    } else {
        taken.insert(key, text.span());
    }
}

/// How a server is reached, and the folder of its stand-ins where it has them.
fn reach(
    table: &Table<'_>,
    item: Option<&Item<'_>>,
    base: &Path,
    ssh: &Defaults,
) -> (Reach, Option<PathBuf>) {
    #[derive(Clone, Copy)]
    enum Transport {
        Ssh,
        Local,
        None,
    }
    let words = [("ssh", Transport::Ssh), ("local", Transport::Local), ("none", Transport::None)];
    let transport = item.and_then(|item| item.one_of(&words)).unwrap_or(Transport::Ssh);
    let root_item = table.get("root");
    let root = root_item.as_ref().and_then(|item| folder(&item.text()?, base));
    let stand_in = table.get("stand-ins").filter(Item::yes_no).and_then(|item| {
        if root.is_none() {
            table.doc().report(
                Diagnostic::new(item.key_span(), "stand-ins need a folder that stands for the server")
                    .help("write `root = \"FOLDER\"`, as the inventory of a rehearsal does"),
            );
        }
        root.clone()
    });
    let reach = match transport {
        Transport::Ssh => {
            let ssh = ssh.with(Login::read(table, base));
            Reach::Ssh(Box::new(Ssh { root, ..ssh }))
        }
        Transport::Local => {
            Login::refuse(table, "local");
            Reach::Local { root }
        }
        Transport::None => {
            Login::refuse(table, "none");
            if let (Some(root), None) = (&root_item, &stand_in) {
                table.doc().report(
                    Diagnostic::new(root.key_span(), "`root` is the folder of a stand-in on this machine").help(
                        "it goes with `transport = \"local\"`, or with `\"ssh\"` for one behind an sshd here",
                    ),
                );
            }
            Reach::None
        }
    };
    (reach, stand_in)
}

/// A folder below `base`, or an absolute one.
fn folder(text: &Text<'_>, base: &Path) -> Option<PathBuf> {
    let path = Path::new(text.as_str());
    let climbs = path.components().any(|part| part == Component::ParentDir);
    if text.as_str().is_empty() || climbs || text.as_str().chars().any(char::is_control) {
        text.report(
            format!("{} is no folder of a stand-in", quoted(text.as_str())),
            "a folder beside the inventory, without `..`",
        );
        return None;
    }
    Some(base.join(path))
}

fn inputs(item: &Item<'_>, places: &mut Places) -> BTreeMap<InputId, Value> {
    let Some(table) = item.table("`inputs`") else { return BTreeMap::new() };
    let mut inputs = BTreeMap::new();
    for item in table.items() {
        if !is_name(item.key()) {
            item.doc().report(
                Diagnostic::new(item.key_span(), format!("{} is no input", quoted(item.key())))
                    .help("write the input's id as the profile does"),
            );
        }
        if let Some(value) = value(&item) {
            places.inputs.insert(InputId::from(item.key()), item.span());
            inputs.insert(InputId::from(item.key()), value);
        }
    }
    inputs
}

/// A value as TOML writes it; what it must be is looked at once the profile is known.
pub(super) fn value(item: &Item<'_>) -> Option<Value> {
    match item.value() {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Integer(_) | DeValue::Float(_) => item.number().map(Value::Number),
        DeValue::Boolean(yes) => Some(Value::YesNo(*yes)),
        DeValue::Array(_) => {
            let texts = item
                .list()
                .iter()
                .filter_map(Item::text)
                .map(|text| Value::Text(text.as_str().to_owned()))
                .collect();
            Some(Value::List(texts))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => {
            item.expected("a text, a number, true or false, or a list of texts");
            None
        }
    }
}
