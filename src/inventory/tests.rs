use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::model::{CheckId, FactId, FailureId, NoticeId, StepId};
use crate::profile::{self, Forbidden, Offer};

const FARM: &str = r#"
nofm = 1
farm = "prod-eu"

[[servers]]
name      = "größe-1"
address   = "10.0.0.1"
roles     = ["server", "balancer"]
os        = "windows"
inputs    = { account = "x", port = 8443, live = true, hosts = ["a", "b"] }

[[servers]]
name      = "stand-in"
roles     = ["server"]
transport = "local"
root      = "farm/stand-in"

[[servers]]
name      = "v6"
address   = "fe80::1%eth0"
roles     = ["appliance"]
os        = "unix"
transport = "none"
"#;

#[test]
fn an_inventory_is_read_with_its_defaults() {
    let inventory =
        Inventory::parse("farm.toml", FARM, Path::new("/etc/nofm")).unwrap_or_else(|wrong| panic!("{wrong}"));
    let [first, second, third] = &inventory.servers[..] else { panic!("three servers") };
    assert_eq!((first.os, &first.reach), (Os::Windows, &Reach::Ssh(Box::default())));
    assert_eq!(first.inputs.len(), 4);
    assert_eq!(first.inputs["port"], Value::Number(8443.0));
    assert_eq!((second.address.as_str(), second.os), ("stand-in", Os::Linux));
    assert_eq!(second.reach, Reach::Local { root: Some(PathBuf::from("/etc/nofm/farm/stand-in")) });
    assert_eq!((third.address.as_str(), &third.reach), ("fe80::1%eth0", &Reach::None));
    assert_eq!(inventory.of_role(&RoleId::from("server")).count(), 2);
}

const FARM_OVER_SSH: &str = r#"
nofm = 1
farm = "prod-eu"

[ssh]
user        = "nofm"
key         = "keys/farm"
jump        = "me@bastion:2222, [fe80::1]:22"
sudo        = false
known-hosts = "~/farm/known_hosts"
config      = "/etc/nofm/ssh_config"

[[servers]]
name  = "a"
roles = ["server"]

[[servers]]
name  = "b"
roles = ["server"]
user  = 'CORP\admin@corp.example'
port  = 65535
key   = ["../b", "~/.ssh/b"]
jump  = "none"
sudo  = true

[[servers]]
name  = "c"
roles = ["server"]
key   = []
jump  = ["c@d@inner", "[10.0.0.1]"]

[[servers]]
name      = "d"
address   = "a"
port      = 2222
roles     = ["server"]
"#;

#[test]
fn what_a_server_says_of_its_login_wins_over_what_is_said_for_all() {
    let inventory = Inventory::parse("farm.toml", FARM_OVER_SSH, Path::new("/farm"))
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    let ssh = |index: usize| match &inventory.servers[index].reach {
        Reach::Ssh(ssh) => (**ssh).clone(),
        other => panic!("{other:?}"),
    };
    let hop = |user: Option<&str>, host: &str, port| Hop {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
    };
    let a = Ssh {
        user: Some("nofm".into()),
        port: None,
        key: vec!["/farm/keys/farm".into()],
        jump: Some(vec![hop(Some("me"), "bastion", Some(2222)), hop(None, "fe80::1", Some(22))]),
        sudo: false,
        known_hosts: Some("~/farm/known_hosts".into()),
        config: Some("/etc/nofm/ssh_config".into()),
        root: None,
    };
    assert_eq!(ssh(0), a);
    let b = Ssh {
        user: Some(r"CORP\admin@corp.example".into()),
        port: Some(65535),
        key: vec!["/farm/../b".into(), "~/.ssh/b".into()],
        jump: Some(vec![]),
        sudo: true,
        ..a.clone()
    };
    assert_eq!(ssh(1), b);
    let jump = Some(vec![hop(Some("c@d"), "inner", None), hop(None, "10.0.0.1", None)]);
    assert_eq!(ssh(2), Ssh { key: vec![], jump, ..a.clone() });
    assert_eq!(ssh(3), Ssh { port: Some(2222), ..a });
}

#[test]
fn a_hop_is_a_host_and_never_an_option() {
    for wrong in [
        "", "@", "a@", "@a", "-a", "a@-b", "a:", ":1", "a:+1", "a:0", "a:65536", "a:1:2", "[a", "a]", "[a]b",
        "[]", "a b", "a,b", "$(x)", "a;b@c", "a/b", "ssh://a", "a\u{0}", "a%h@b",
    ] {
        assert!(Hop::parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_name_cannot_break_out_of_where_it_is_put() {
    for name in [
        "",
        ".",
        "..",
        "-x",
        "a b",
        "a\tb",
        "a;b",
        "$(x)",
        "a/b",
        "a'b",
        "a\u{202e}b",
        "a%b",
        "a@b",
        "*",
        "a:b?",
    ] {
        let text =
            format!("nofm = 1\nfarm = 'x'\n[[servers]]\nname = {}\nroles = ['a']\n", toml::Value::from(name));
        assert!(Inventory::parse("x", &text, Path::new("/")).is_err(), "{name:?}");
    }
}

#[test]
fn an_inventory_fits_its_profile() {
    let text = profile::builtin::find("igel-ums-ha").expect("built in");
    let profile = profile::parse("igel", text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let farm = "nofm = 1\nfarm = 'x'\n[[servers]]\nname = 'a'\nroles = ['server']\n[[servers]]\nname = 'b'\nroles = ['server', 'balancer']\n";
    let inventory = Inventory::parse("x", farm, Path::new("/")).unwrap_or_else(|wrong| panic!("{wrong}"));
    let wrong = inventory.fit(&profile);
    assert!(wrong.is_empty(), "{wrong}");
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ -~äß]{0,12}".prop_map(Value::Text),
        any::<i32>().prop_map(|number| Value::Number(f64::from(number))),
        (-1e6..1e6).prop_map(Value::Number),
        any::<bool>().prop_map(Value::YesNo),
        prop::collection::vec("[ -~]{0,6}", 0..3).prop_map(Value::texts),
    ]
}

fn per_key() -> impl Strategy<Value = PerKey> {
    prop_oneof![
        value().prop_map(PerKey::All),
        prop::collection::btree_map("[a-z0-9.ä-]{1,8}", value(), 0..3).prop_map(PerKey::Each),
    ]
}

fn id() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,6}"
}

fn map<K: Ord + From<String> + std::fmt::Debug, V: std::fmt::Debug>(
    value: impl Strategy<Value = V>,
) -> impl Strategy<Value = BTreeMap<K, V>> {
    prop::collection::btree_map(id().prop_map(K::from), value, 0..3)
}

fn answers() -> impl Strategy<Value = Answers> {
    let notices = prop_oneof![
        Just(Confirmed::None),
        Just(Confirmed::All),
        prop::collection::btree_set(id(), 1..3)
            .prop_map(|ids| Confirmed::These(ids.into_iter().map(NoticeId::from).collect())),
    ];
    let step = prop_oneof![Just(StepAnswer::Done), Just(StepAnswer::Skip)];
    let offer = prop_oneof![Just(Offer::Retry), Just(Offer::ByHand), Just(Offer::Hold)];
    let act = prop::sample::select(Forbidden::WORDS.map(|(_, act)| act).to_vec());
    (
        (map::<InputId, _>(per_key()), notices, any::<bool>(), any::<bool>(), map::<FactId, _>(per_key())),
        (
            map::<CheckId, _>(any::<bool>()),
            map::<CheckId, _>(any::<bool>()),
            map::<CheckId, _>("[a-z][ -~]{0,9}"),
        ),
        (
            map::<StepId, _>(step),
            map::<FailureId, _>(offer),
            prop::collection::btree_map(act, "[a-z][ -~]{0,9}", 0..3),
        ),
    )
        .prop_map(
            |((inputs, notices, unsure, summary, facts), (checks, fix, waive), (steps, failures, bans))| {
                Answers { inputs, notices, unsure, summary, facts, checks, fix, waive, steps, failures, bans }
            },
        )
}

proptest! {
    #[test]
    fn answers_survive_their_file(answers in answers()) {
        let text = answers.to_toml();
        let read = Answers::parse("answers.toml", &text, None);
        prop_assert_eq!(read.map_err(|wrong| wrong.to_string()), Ok(answers));
    }
}
