//! Random profiles, farms and faults. A profile here is always one that the language accepts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nofm::inventory::{Inventory, Reach, Server};
use nofm::model::{Os, RoleId};
use nofm::profile::Forbidden;

use super::rng::Rng;
use super::world::{Effect, Fault, Of, World};

/// Names of the roles that a profile may have.
const ROLES: [&str; 3] = ["server", "balancer", "console"];

/// Everything that goes wrong with a step.
pub const FAULTS: [Fault; 7] = [
    Fault::Fails(1),
    Fault::FailsAfterwards(1),
    Fault::Lies,
    Fault::Lost(true),
    Fault::Lost(false),
    Fault::NotStarted,
    Fault::Slow(100),
];

/// A farm of servers by name and roles, all of them Linux.
pub fn inventory(servers: &[(&str, &[&str])]) -> Inventory {
    let server = |(index, (name, roles)): (usize, &(&str, &[&str]))| Server {
        name: (*name).into(),
        address: format!("10.0.{}.{}", index / 250, index % 250 + 1),
        roles: roles.iter().map(|role| RoleId::from(*role)).collect(),
        os: Os::Linux,
        reach: Reach::Ssh(Box::default()),
        stand_in: None,
        inputs: BTreeMap::new(),
    };
    Inventory::new("sim", servers.iter().enumerate().map(server).collect())
}

/// What happens to a fact at which time.
#[derive(Clone, Debug)]
pub struct Change {
    pub at_ms: u64,
    pub fact: &'static str,
    pub server: Option<String>,
    pub value: String,
}

/// Everything that a random session is made of.
#[derive(Debug)]
pub struct Case {
    pub profile: String,
    pub inventory: Inventory,
    pub world: World,
    pub changes: Vec<Change>,
    /// Server, from, for how long it is out of reach.
    pub losses: Vec<(String, u64, u64)>,
}

pub fn case(seed: u64) -> Case {
    let mut rng = Rng::new(seed);
    let roles = &ROLES[..usize::try_from(rng.within(1, 3)).expect("small")];
    let profile = profile(&mut rng, roles);
    let count = rng.within(roles.len() as u64, 8);
    let names: Vec<String> = (1..=count).map(|number| format!("s{number}")).collect();
    let mut of: Vec<Vec<&str>> = Vec::new();
    for index in 0..names.len() {
        // Each role has a server; some servers have two roles.
        let mut list = vec![if index < roles.len() { roles[index] } else { *rng.pick(roles) }];
        let second = *rng.pick(roles);
        if rng.chance(20) && second != list[0] {
            list.push(second);
        }
        of.push(list);
    }
    let servers: Vec<(&str, &[&str])> =
        names.iter().map(String::as_str).zip(of.iter().map(Vec::as_slice)).collect();
    let inventory = inventory(&servers);
    let world = world(&mut rng, &names);
    let changes = changes(&mut rng, &names);
    let losses = (0..rng.within(0, 2))
        .map(|_| (rng.pick(&names).clone(), rng.within(5_000, 400_000), rng.within(1_000, 300_000)))
        .collect();
    Case { profile, inventory, world, changes, losses }
}

fn profile(rng: &mut Rng, roles: &[&str]) -> String {
    let mut text = String::from(
        "nofm = 1\nid = \"sim\"\nproduct = \"Simulated\"\n[version]\ntarget = \"{{ inputs.version }}\"\n\
         [inputs.version]\nlabel = \"Version\"\nkind = \"text\"\ndefault = \"2.0\"\n",
    );
    let all = roles.iter().map(|role| format!("\"{role}\"")).collect::<Vec<_>>().join(", ");
    for role in roles {
        let keep_up =
            rng.pick(&["", "keep-up = \"all-but-1\"\n", "keep-up = \"majority\"\n", "keep-up = 0\n"]);
        // More than a lone server can keep: such a profile asks and stays standing, which is an end, too.
        let keep_up = if rng.chance(80) { "" } else { keep_up };
        let _ = write!(
            text,
            "[roles.{role}]\nlabel = \"{role}\"\ncount = \"1..\"\nos = [\"linux\"]\nversion = \"ver\"\n\
             services = [\"{}\"]\n{keep_up}",
            rng.pick(&["app", "app", "/^App/"])
        );
    }
    let _ = write!(
        text,
        "[facts.ver]\nroles = [{all}]\nrun = \"show version\"\nkind = \"version\"\n\
         [facts.load]\nroles = [{all}]\nrun = \"show load\"\nkind = \"number\"\n\
         [facts.up]\nroles = [{all}]\nrun = \"show up\"\nkind = \"yes_no\"\n\
         [facts.schema]\nat = \"local\"\nrun = \"show schema\"\nkind = \"number\"\n\
         [facts.agreed]\nask = \"Did everybody agree?\"\nkind = \"yes_no\"\n\
         [[checks]]\nid = \"is_up\"\ntitle = \"Up\"\nthat = \"here.up\"\nroles = [{all}]\nphase = [\"start\"]\n\
         fix = \"start_it\"\n\
         [[checks]]\nid = \"agreed_on\"\ntitle = \"Agreed\"\nthat = \"farm.agreed\"\nphase = [\"start\"]\nseverity = \"warn\"\n\
         [[checks]]\nid = \"may_start\"\ntitle = \"May start\"\nask = \"May it start?\"\nphase = [\"start\"]\n\
         [[checks]]\nid = \"updated\"\ntitle = \"Updated\"\nthat = \"here.ver == target\"\nroles = [{all}]\nphase = [\"end\"]\n\
         severity = \"warn\"\n\
         [procedures.start_it]\n[[procedures.start_it.steps]]\nid = \"start_again\"\nservice = \"start\"\n\
         [procedures.setups]\n",
    );
    let count = rng.within(1, 3);
    steps(rng, &mut text, "procedures.setups", count, false, "p");
    let stages = rng.within(1, 4);
    let using = rng.within(1, stages);
    for number in 1..=stages {
        stage(rng, &mut text, number, roles, number == using);
    }
    failures(rng, &mut text, stages);
    used(rng, &mut text, &all);
    text
}

/// Checks and procedures that something names; the language has none that nothing does.
fn used(rng: &mut Rng, text: &mut String, all: &str) {
    if text.contains("\"drained\"") {
        let severity = if rng.chance(50) { "severity = \"warn\"\n" } else { "" };
        let _ = write!(
            text,
            "[[checks]]\nid = \"drained\"\ntitle = \"Drained\"\nthat = \"here.load == 0\"\nroles = [{all}]\n{severity}"
        );
    }
    if text.contains("\"others_up\"") {
        let _ = write!(
            text,
            "[[checks]]\nid = \"others_up\"\ntitle = \"Others up\"\nthat = \"all(peers.up)\"\nroles = [{all}]\n\
             severity = \"warn\"\n"
        );
    }
    if text.contains("\"restore\"") {
        text.push_str(
            "[procedures.restore]\n[[procedures.restore.steps]]\nid = \"restore_db\"\nrun = \"restore\"\nat = \"local\"\n\
             repeat = \"safe\"\n",
        );
        if rng.chance(40) {
            text.push_str("[[procedures.restore.steps]]\nid = \"check_db\"\nconfirm = \"Is it restored?\"\n");
        }
    }
}

fn stage(rng: &mut Rng, text: &mut String, number: u64, roles: &[&str], uses: bool) {
    let of_farm = !uses && rng.chance(15);
    let mut own: Vec<String> = rng.some(roles).iter().map(|role| format!("\"{role}\"")).collect();
    if own.is_empty() {
        own.push(format!("\"{}\"", rng.pick(roles)));
    }
    let _ = write!(text, "[[stages]]\nid = \"stage{number}\"\ntitle = \"Stage {number}\"\n");
    if of_farm {
        let _ = write!(
            text,
            "[[stages.steps]]\nid = \"backup{number}\"\nrun = \"backup\"\nat = \"local\"\n\
             [[stages.steps]]\nid = \"tell{number}\"\nconfirm = \"Go on?\"\n"
        );
        return;
    }
    let _ = writeln!(text, "roles = [{}]", own.join(", "));
    if rng.chance(70) {
        text.push_str("tally = \"{{ n }} of {{ m }}\"\n");
    }
    let _ = write!(text, "{}", rng.pick(&["", "at-a-time = 2\n", "at-a-time = \"all\"\n", ""]));
    let gates =
        rng.pick(&["", "gates = [\"is_up\"]\n", "gates = [\"is_up\"]\nsoak = \"2m\"\n", "soak = \"30s\"\n"]);
    text.push_str(gates);
    if rng.chance(15) {
        text.push_str("leave-out = \"Every server must have it.\"\n");
    }
    let count = rng.within(1, 4);
    steps(rng, text, "stages", count, uses, &format!("t{number}"));
    if rng.chance(40) {
        let done = if rng.chance(60) { "done = \"farm.schema == 2\"\n" } else { "" };
        let _ = write!(
            text,
            "[[stages.steps]]\nid = \"renew{number}\"\non = \"{}\"\nonce = true\nno-return = true\nrun = \"renew\"\n{done}",
            rng.pick(&["first", "last"])
        );
    }
}

/// Steps of a list; ids end on what tells the world their effect.
fn steps(rng: &mut Rng, text: &mut String, list: &str, count: u64, uses: bool, prefix: &str) {
    for number in 0..count {
        let kinds = [
            "drain", "stop", "install", "install", "start", "wait", "look", "hand", "wizard", "extra",
            "note", "mates", "reboot",
        ];
        let kind = *rng.pick(&kinds);
        let id = format!("{kind}_{prefix}_{number}");
        let _ = write!(text, "[[{list}.steps]]\nid = \"{id}\"\n");
        let act = match kind {
            "drain" => "run = \"drain\"\nrepeat = \"safe\"\n".to_owned(),
            "stop" => "service = \"stop\"\n".to_owned(),
            "install" => {
                let needs =
                    rng.pick(&["", "needs = [\"drained\"]\n", "needs = [\"drained\", \"others_up\"]\n"]);
                let done =
                    rng.pick(&["done = \"here.ver == target\"\n", "done = \"here.ver == target\"\n", ""]);
                format!("run = \"install {{{{ target }}}}\"\nlate = \"20m\"\n{needs}{done}")
            }
            "start" => "service = \"start\"\n".to_owned(),
            "wait" => "wait = \"here.load == 0 or here.up\"\ntimeout = \"3m\"\n".to_owned(),
            "look" => "confirm = \"Does {{ here.name }} look well?\"\n".to_owned(),
            "hand" => "manual = \"Install it.\"\ndone = \"here.ver == target\"\n".to_owned(),
            "wizard" => "attended = \"setup\"\nneeds = [\"drained\"]\n".to_owned(),
            "extra" => "run = \"extra\"\noptional = true\n".to_owned(),
            "reboot" => "reboot = true\ntimeout = \"5m\"\n".to_owned(),
            "note" => "run = \"note\"\nrequired = false\n".to_owned(),
            _ => "run = \"note\"\nat = \"peers\"\nrepeat = \"safe\"\n".to_owned(),
        };
        text.push_str(&act);
        if rng.chance(15) {
            let _ = writeln!(text, "on = \"{}\"", rng.pick(&["first", "not-first", "last", "not-last"]));
        }
        if rng.chance(10) {
            text.push_str("when = \"here.load < 100\"\n");
        }
    }
    if uses {
        let optional = if rng.chance(20) { "optional = true\n" } else { "" };
        let needs = if rng.chance(40) { "needs = [\"others_up\"]\n" } else { "" };
        let _ = write!(text, "[[{list}.steps]]\nid = \"use_{prefix}\"\nuse = \"setups\"\n{needs}{optional}");
    }
}

/// What is collected where a failure rule offers it.
const SUPPORT: &str =
    "[procedures.support]\n[[procedures.support.steps]]\nid = \"logs\"\ncollect = [\"/var/log/app\"]\n";

fn failures(rng: &mut Rng, text: &mut String, stages: u64) {
    let offers = ["retry", "by_hand", "leave_out", "hold", "abort", "collect"];
    if rng.chance(50) {
        let then = match rng.within(0, 3) {
            0 => "end".to_owned(),
            1 => "retry".to_owned(),
            _ => format!("stage:stage{}", rng.within(1, stages)),
        };
        let ids: Vec<String> = (1..=stages).map(|number| format!("\"renew{number}\"")).collect();
        let undoes: Vec<String> = ids.into_iter().filter(|id| text.contains(&format!("id = {id}"))).collect();
        let forbid = if rng.chance(40) { forbid("retry", true) } else { String::new() };
        let offer =
            if forbid.is_empty() { "\"recover\", \"retry\", \"hold\"" } else { "\"recover\", \"hold\"" };
        let when = if rng.chance(30) { "when = \"farm.schema == 2\"\n" } else { "" };
        let _ = write!(
            text,
            "[[failures]]\nid = \"restored\"\nstages = [\"stage{}\"]\n{when}offer = [{offer}]\n\
             recover = \"restore\"\nundoes = [{}]\nthen = \"{then}\"\n{forbid}",
            rng.within(1, stages),
            undoes.join(", "),
        );
    }
    let mut some: Vec<String> = rng.some(&offers).iter().map(|offer| format!("\"{offer}\"")).collect();
    if some.is_empty() {
        some.push("\"hold\"".to_owned());
    }
    if some.iter().any(|offer| offer.contains("collect")) {
        text.push_str(SUPPORT);
    }
    let _ = write!(text, "[[failures]]\nid = \"any\"\noffer = [{}]\n", some.join(", "));
    for (act, _) in Forbidden::WORDS {
        if rng.chance(15) && !some.contains(&format!("\"{act}\"")) {
            text.push_str(&forbid(act, rng.chance(70)));
        }
    }
}

fn forbid(act: &str, lifted: bool) -> String {
    let lifted = if lifted { "lifted-by = \"support\"\n" } else { "" };
    format!("[[failures.forbid]]\nact = \"{act}\"\nwhy = \"The vendor says so.\"\n{lifted}")
}

/// What the steps of a random profile do, by the first word of their id.
pub fn effects(world: &mut World, takes_ms: u64) {
    let set = |sets: &[(&'static str, Of, &str)], takes_ms| Effect {
        takes_ms,
        sets: sets.iter().map(|(fact, of, value)| (*fact, *of, (*value).to_owned())).collect(),
        ..Effect::default()
    };
    world.effects.insert("drain", set(&[("load", Of::Here, "0")], takes_ms));
    world.effects.insert("stop", set(&[("up", Of::Here, "no")], takes_ms / 2));
    world.effects.insert("install", set(&[("ver", Of::Here, "2.0")], takes_ms * 10));
    world.effects.insert("start", set(&[("up", Of::Here, "yes")], takes_ms));
    world.effects.insert("hand", set(&[("ver", Of::Here, "2.0")], takes_ms));
    world.effects.insert("wizard", set(&[("ver", Of::Here, "2.0")], takes_ms));
    world.effects.insert("renew", set(&[("schema", Of::Farm, "2")], takes_ms * 5));
    world.effects.insert("restore", set(&[("schema", Of::Farm, "1")], takes_ms));
}

fn world(rng: &mut Rng, names: &[String]) -> World {
    let mut world = World::default();
    let takes_ms = rng.within(200, 20_000);
    effects(&mut world, takes_ms);
    world.set("schema", None, "1");
    for name in names {
        let version = if rng.chance(90) { "1.0" } else { "2.0" };
        world.set("ver", Some(name), version);
        world.set("load", Some(name), if rng.chance(50) { "0" } else { "7" });
        world.set("up", Some(name), if rng.chance(95) { "yes" } else { "no" });
    }
    for _ in 0..rng.within(0, 5) {
        let step = *rng.pick(&[
            "drain", "stop", "install", "start", "wizard", "renew", "extra", "note", "mates", "restore",
            "backup", "reboot",
        ]);
        let fault = *rng.pick(&FAULTS);
        let server = if rng.chance(50) { Some(rng.pick(names).as_str()) } else { None };
        world.fault(step, server, fault);
    }
    for _ in 0..rng.within(0, 3) {
        let fact = *rng.pick(&["ver", "load", "up"]);
        let until_ms = rng.within(1_000, 900_000);
        world.silence(fact, Some(rng.pick(names).as_str()), until_ms);
    }
    if rng.chance(20) {
        world.silence("schema", None, rng.within(1_000, 900_000));
    }
    world
}

/// Checks that fail in the middle, and heal.
fn changes(rng: &mut Rng, names: &[String]) -> Vec<Change> {
    let mut changes = Vec::new();
    for _ in 0..rng.within(0, 3) {
        let server = rng.pick(names).clone();
        let at_ms = rng.within(1_000, 600_000);
        let (fact, bad, good) = *rng.pick(&[("up", "no", "yes"), ("load", "50", "0")]);
        changes.push(Change { at_ms, fact, server: Some(server.clone()), value: bad.into() });
        let healed_ms = at_ms + rng.within(1_000, 700_000);
        changes.push(Change { at_ms: healed_ms, fact, server: Some(server), value: good.into() });
    }
    changes
}
