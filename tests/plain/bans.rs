//! What the vendor forbids after a failure stays with the farm, whatever it is asked by, until it is lifted.

use nofm::inventory::Host;
use nofm::journal::{self, FarmDir, session_id};

use super::*;

const PACKAGE: &str = "Install no other package after a failed one.";
const ATTEMPT: &str = "A second attempt may damage the database.";

fn farm() -> Farm {
    let farm = Farm::new();
    farm.write("profile.toml", &asset("bans.toml"));
    farm.write("answers.toml", "nofm = 1\n[confirm]\nsummary = true\n[failures]\nstopped = \"collect\"\n");
    let text = fs::read_to_string(farm.path("inventory.toml")).expect("the inventory");
    let renamed =
        text.replace("farm = \"mini\"", "farm = \"Another Name\"").replace("name = \"n", "name = \"x");
    assert_ne!(text, renamed);
    farm.write("renamed.toml", &renamed);
    farm
}

impl Farm {
    fn fails(&self, how: &str) {
        fs::write(self.path("n1").join(how), "").expect("a fault");
    }

    fn mended(&self) {
        for how in ["fail", "half"] {
            let _ = fs::remove_file(self.path("n1").join(how));
        }
    }

    /// How often each step was started, on all servers.
    fn tried(&self) -> String {
        let tried = |name| fs::read_to_string(self.path(name).join("tried")).unwrap_or_default();
        format!("{}{}", tried("n1"), tried("n2")).replace('\n', " ").trim_end().to_owned()
    }

    fn run_with(&self, inventory: &str, answers: &str) -> Said {
        self.nofm(&["run", "-p", "profile.toml", "-i", inventory, "--answers", answers, "--headless"])
    }

    /// With evidence that lifts what forbids a new upgrade.
    fn evidence(&self, acts: &str) -> &'static str {
        let text = fs::read_to_string(self.path("answers.toml")).expect("the answers");
        self.write("evidence.toml", &format!("{text}\n[bans]\n{acts}\n"));
        "evidence.toml"
    }

    fn kept(&self) -> Vec<journal::Ban> {
        let state_dir = StateDir::at(self.path("home")).expect("the state folder");
        let farms = state_dir.farms().expect("the farms");
        farms.iter().flat_map(|farm: &FarmDir| farm.bans().expect("its bans")).collect()
    }

    /// The sessions that are not among `known`, which they are added to. Ids of one second have no order.
    fn new_session(&self, known: &mut Vec<String>) -> String {
        let ids = self.sessions().into_iter().map(|row| row["session"].as_str().expect("its id").to_owned());
        let new: Vec<String> = ids.filter(|id| !known.contains(id)).collect();
        assert_eq!(new.len(), 1, "{new:?} beside {known:?}");
        known.extend(new.clone());
        new[0].clone()
    }
}

/// It stopped, and nothing but these was started on the servers.
fn refused(farm: &Farm, said: &Said, why: &str, tried: &str) {
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    let reason = format!("a person must decide: a new upgrade of this farm is forbidden: {why}");
    assert!(unwrapped(&said.out).contains(&reason), "{}\n{}", said.out, said.err);
    assert_eq!(farm.tried(), tried, "{}", said.out);
}

fn to_summary(nofm: &mut Dialogue) -> &mut Dialogue {
    nofm.hears("Your answers:").types("").hears("look again").types("1");
    nofm.hears("go on: nothing is in the way").types("1").hears("Summary")
}

fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn after_a_failure_logs_are_collected_and_nothing_new_is_begun_until_it_is_lifted_with_evidence() {
    let farm = farm();
    farm.fails("fail");
    let said = farm.run_headless();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert_eq!(said.out.matches("chose: collect").count(), 1, "{}", said.out);
    for line in [ATTEMPT, "It is lifted by: A support case that allows it."] {
        assert!(unwrapped(&said.out).contains(line), "{line:?} is missing in:\n{}", said.out);
    }
    let mut known = Vec::new();
    let id = farm.new_session(&mut known);
    let log = farm.path("home/sessions").join(&id).join("collected/n1/var/log/install.log");
    assert_eq!(fs::read_to_string(log).expect("it was collected"), "no luck\n");

    farm.mended();
    let again = farm.run_headless();
    farm.new_session(&mut known);
    refused(&farm, &again, PACKAGE, "install");
    let out = unwrapped(&again.out);
    for text in [
        format!("(since the session {id} of the farm \"mini\")"),
        "it is lifted by: A support case that allows it.".to_owned(),
        "see `[bans] new_session` of the answer file".to_owned(),
    ] {
        assert!(out.contains(&text), "{text:?} is missing in:\n{out}");
    }

    let checked = farm.nofm(&["check", "-p", "profile.toml", "-i", "inventory.toml"]);
    assert_ne!(checked.code, 4, "{}\n{}", checked.out, checked.err);
    assert!(unwrapped(&checked.out).contains(PACKAGE), "{}", checked.out);
    farm.new_session(&mut known);
    let planned = farm.nofm(&["plan", "-p", "profile.toml", "-i", "inventory.toml"]);
    assert_eq!(planned.code, 0, "{}\n{}", planned.out, planned.err);

    let lifted = farm.run_with("inventory.toml", farm.evidence("new_session = \"case 4711\""));
    assert_eq!(lifted.code, 0, "{}\n{}", lifted.out, lifted.err);
    assert!(lifted.out.contains("on this evidence: case 4711"), "{}", lifted.out);
    assert_eq!(farm.version("n2"), "2.0");
    let session = farm.path("home/sessions").join(farm.new_session(&mut known)).join("journal.jsonl");
    assert!(fs::read_to_string(session).expect("the journal").contains("case 4711"));
    let kept = farm.kept();
    let of = |act: &str| kept.iter().find(|ban| ban.act == act).and_then(|ban| ban.lifted.clone());
    assert_eq!(of("new_session").expect("it is lifted").evidence, "case 4711");
    assert_eq!(of("retry"), None, "nobody lifted that");
    // Nothing but a good end lifts it, and here is one.
    assert!(of("leave_out").is_some(), "{kept:#?}");
}

#[test]
fn the_same_servers_under_another_name_are_the_same_farm() {
    let farm = farm();
    farm.fails("fail");
    farm.run_headless();
    let id = farm.new_session(&mut Vec::new());
    farm.mended();
    let said = farm.run_with("renamed.toml", "answers.toml");
    refused(&farm, &said, PACKAGE, "install");
    let origin = format!("(since the session {id} of the farm \"mini\")");
    assert!(unwrapped(&said.out).contains(&origin), "{}", said.out);
    // Lifted from there it is lifted here.
    let lifted = farm.run_with("renamed.toml", farm.evidence("new_session = \"case 4711\""));
    assert_eq!(lifted.code, 0, "{}\n{}", lifted.out, lifted.err);
    let again = farm.run_headless();
    assert_eq!(again.code, 0, "{}\n{}", again.out, again.err);
}

#[test]
fn two_names_of_one_farm_are_not_upgraded_at_the_same_time() {
    let farm = farm();
    farm.fails("fail");
    let mut nofm = farm.run_dialogue();
    to_summary(&mut nofm).types("begin").hears("? n1: \"Install\" failed");
    let said = farm.run_with("renamed.toml", "answers.toml");
    assert_eq!(said.code, 2, "{}\n{}", said.out, said.err);
    assert!(said.err.contains("is being upgraded already, in the session"), "{}", said.err);
    assert!(said.err.contains(&farm.new_session(&mut Vec::new())), "{}", said.err);
    nofm.hangs_up();
    nofm.ends();
}

#[test]
fn sessions_from_before_the_failure_are_refused_too() {
    let farm = farm();
    farm.write("nothing.toml", "nofm = 1\n");
    let prepared = farm.run_with("inventory.toml", "nothing.toml");
    assert_eq!(prepared.code, 4, "{}\n{}", prepared.out, prepared.err);
    let mut known = Vec::new();
    let prepared = farm.new_session(&mut known);
    fs::write(farm.path("n2/half"), "").expect("a fault");
    let begun = farm.run_headless();
    assert_eq!(begun.code, 4, "{}\n{}", begun.out, begun.err);
    let begun = farm.new_session(&mut known);
    assert_eq!(farm.tried(), "install finish install finish");
    // What this one's failure forbids is no reason for it not to go on itself; then another one fails.
    let lift = |kept: &journal::Ban| journal::Lifted {
        evidence: "the vendor looked at it".to_owned(),
        session: kept.session.clone(),
        at: jiff::Timestamp::now(),
    };
    let state_dir = StateDir::at(farm.path("home")).expect("the state folder");
    let own = state_dir.farm("appliance/mini").expect("the farm");
    {
        let lock = own.lock(&session_id(jiff::Timestamp::now(), "appliance", 1), jiff::Timestamp::now());
        lock.expect("nobody else").lift(0, lift(&own.bans().expect("its bans")[0])).expect("it stands");
    }
    fs::remove_file(farm.path("n1/version")).expect("its version");
    fs::write(farm.path("n1/version"), "1.0\n").expect("its version");
    farm.fails("fail");
    let failed = farm.run_headless();
    assert_eq!(failed.code, 4, "{}\n{}", failed.out, failed.err);
    farm.mended();
    let tried = farm.tried();
    for session in [&prepared, &begun] {
        let said = farm.nofm(&["resume", session, "--headless", "--answers", "answers.toml"]);
        refused(&farm, &said, PACKAGE, &tried);
    }
    let evidence = farm.evidence("new_session = \"case 4711\"");
    let said = farm.nofm(&["resume", &prepared, "--headless", "--answers", evidence]);
    assert!(said.out.contains("case 4711"), "{}\n{}", said.out, said.err);
    assert_ne!(farm.tried(), tried, "it goes on: {}\n{}", said.out, said.err);
}

#[test]
fn what_nothing_lifts_ends_with_the_good_end_of_that_upgrade() {
    let farm = farm();
    farm.write("answers.toml", "nofm = 1\n[confirm]\nsummary = true\n[failures]\nhalf = \"by_hand\"\n");
    farm.write("hold.toml", "nofm = 1\n[confirm]\nsummary = true\n");
    farm.fails("half");
    let said = farm.run_with("inventory.toml", "hold.toml");
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    let id = farm.new_session(&mut Vec::new());
    let tried = farm.tried();
    let again = farm.run_with("inventory.toml", "answers.toml");
    refused(&farm, &again, "What was begun is to be finished.", &tried);
    assert!(unwrapped(&again.out).contains("nothing lifts it but the good end"), "{}", again.out);
    let said = farm.nofm(&["resume", &id, "--headless", "--answers", "answers.toml"]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert!(farm.kept().iter().all(|ban| ban.lifted.is_some()), "{:#?}", farm.kept());
    let new = farm.run_with("inventory.toml", "answers.toml");
    assert_eq!(new.code, 0, "{}\n{}", new.out, new.err);
}

#[test]
fn an_answer_file_gives_evidence_for_what_can_be_lifted_only() {
    let farm = farm();
    for (acts, message) in [
        ("new_session = \" \"", "evidence is not empty"),
        ("new_sesion = \"case\"", "did you mean `new_session`?"),
        ("leave_out = \"case\"", "the profile says of no `leave_out` that it is lifted"),
        ("new_session = 4711", "text"),
    ] {
        let said = farm.run_with("inventory.toml", farm.evidence(acts));
        assert_eq!(said.code, 2, "{acts}: {}\n{}", said.out, said.err);
        assert!(said.err.contains(message), "{acts}: {}", said.err);
    }
}

#[test]
fn evidence_that_was_written_before_a_failure_lifts_nothing_of_it() {
    let farm = farm();
    farm.fails("fail");
    let said = farm.run_with("inventory.toml", farm.evidence("new_session = \"case 1\"\nretry = \"case 1\""));
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert!(!said.out.contains("on this evidence"), "{}", said.out);
    assert!(farm.kept().iter().all(|ban| ban.lifted.is_none()));
}

#[test]
fn a_person_lifts_it_with_u_before_the_start_and_at_the_failure() {
    let farm = farm();
    farm.fails("fail");
    let mut nofm = farm.run_dialogue();
    to_summary(&mut nofm).types("begin").hears("? n1: \"Install\" failed");
    nofm.hears("! Trying again is forbidden: A second attempt").hears("It is lifted by: A support case");
    nofm.hears("u lifts what is forbidden").types("u");
    nofm.hears("  3  none of these").types("1").hears("? Trying again is forbidden").types("");
    nofm.hears("so it stays forbidden").types("u").hears("none of these").types("1").types("case 1");
    nofm.hears("It is lifted.").types("3");
    let said = nofm.ends();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);

    let mut nofm = farm.run_dialogue();
    nofm.hears("! A new upgrade of this farm is forbidden").hears("It is lifted by").types("");
    to_summary(&mut nofm).types("begin").hears("cannot begin yet: a new upgrade of this farm is forbidden");
    nofm.hears("! A new upgrade of this farm").types("u").hears("? A new upgrade of this farm");
    nofm.types("case 4711").hears("It is lifted.");
    farm.mended();
    nofm.hears("Summary").types("begin").hears("2 of 2 upgraded");
    let said = nofm.ends();
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let evidence: Vec<_> =
        farm.kept().into_iter().filter_map(|ban| Some((ban.act, ban.lifted?.evidence))).collect();
    assert!(evidence.contains(&("retry".to_owned(), "case 1".to_owned())), "{evidence:?}");
    assert!(evidence.contains(&("new_session".to_owned(), "case 4711".to_owned())), "{evidence:?}");
}

#[test]
fn bans_are_looked_at_again_right_before_the_start() {
    let farm = farm();
    let mut nofm = farm.run_dialogue();
    to_summary(&mut nofm).hears("begin: start");
    // Another one, elsewhere, met a failure meanwhile.
    let state_dir = StateDir::at(farm.path("home")).expect("the state folder");
    let id = session_id(jiff::Timestamp::now(), "appliance", 2);
    let elsewhere = state_dir.farm("appliance/Another Name").expect("a farm");
    let at = format!("folder {}", farm.path("n2").display());
    let ban = journal::Ban {
        act: "new_session".to_owned(),
        why: PACKAGE.to_owned(),
        lifted_by: String::new(),
        failure: "stopped".to_owned(),
        session: id.clone(),
        at: jiff::Timestamp::now(),
        lifted: None,
        servers: vec![Host { name: "x2".to_owned(), at }],
    };
    elsewhere.lock(&id, jiff::Timestamp::now()).expect("nobody else").ban([ban]).expect("it is kept");
    nofm.types("begin").hears("cannot begin yet: a new upgrade of this farm is forbidden");
    nofm.hangs_up();
    nofm.ends();
    assert_eq!(farm.tried(), "");
}
