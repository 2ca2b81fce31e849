use super::*;
use crate::model::{FactId, InputId, RoleId, Version, VersionPattern};

/// Names for tests: the kind is the first letter of the fact.
struct Any(Arc<VersionPattern>);

impl Names for Any {
    fn resolve(&self, path: &[&str]) -> Result<Found, Complaint> {
        let fact = |fact: &str| {
            let kind = match fact.as_bytes()[0] {
                b'n' => Kind::Number,
                b'v' => Kind::Version,
                b'y' => Kind::YesNo,
                b'l' => Kind::list(Kind::Text),
                _ => Kind::Text,
            };
            (Of::Fact(FactId::from(fact)), kind)
        };
        let (name, kind, parts) = match *path {
            ["here", id, ..] => (Name::Here(fact(id).0), fact(id).1, 2),
            ["peers", id, ..] => (Name::Peers(fact(id).0), Kind::list(fact(id).1), 2),
            ["roles", role, id, ..] => {
                (Name::Role(RoleId::from(role), fact(id).0), Kind::list(fact(id).1), 3)
            }
            ["with", key, ..] => (Name::With(key.to_owned()), Kind::Any, 2),
            ["inputs", "command", ..] => (Name::Command(InputId::from("command")), Kind::Text, 2),
            ["inputs", id, ..] => (Name::Input(InputId::from(id)), fact(id).1, 2),
            ["target", ..] => (Name::Target, Kind::Version, 1),
            _ => return Err(Complaint { part: 0, message: "unknown name".to_owned(), help: None }),
        };
        Ok(Found { name, kind, parts })
    }

    fn pattern(&self) -> &Arc<VersionPattern> {
        &self.0
    }
}

fn names() -> Any {
    Any(Arc::default())
}

fn expr(source: &str) -> Expr {
    Expr::parse(source, &names(), &Kind::Any).unwrap_or_else(|problems| panic!("{source}: {problems:?}"))
}

fn template(source: &str) -> Template {
    Template::parse(source, &names()).unwrap_or_else(|problems| panic!("{source}: {problems:?}"))
}

fn version(text: &str) -> Version {
    VersionPattern::default().read(text).expect("a version")
}

/// What the tests know; every other name is unknown.
fn known(name: &Name) -> Option<Value> {
    let numbers = |numbers: &[f64]| Value::List(numbers.iter().copied().map(Value::Number).collect());
    Some(match name.to_string().as_str() {
        "here.n" => Value::Number(3.0),
        "here.text" => Value::text("a b"),
        "here.v" | "target" => Value::Version(version("12.8.130")),
        "here.yes" | "inputs.yes" => Value::YesNo(true),
        "here.list" => Value::texts(["server", "balancer"]),
        "peers.n" => numbers(&[1.0, 2.0]),
        "peers.none" => numbers(&[]),
        "roles.server.mode" => Value::texts(["normal", "normal"]),
        "roles.server.v" => Value::List(["12.9", "12.10"].map(|v| Value::Version(version(v))).to_vec()),
        "roles.server.yes" => Value::List(vec![Value::YesNo(true), Value::YesNo(false)]),
        "inputs.command" => Value::text("setup.exe /S \"x\""),
        "inputs.quote" => Value::text("it's; rm -rf /"),
        "inputs.old" => Value::text("12.7"),
        "inputs.junk" => Value::text("junk"),
        "inputs.broken" => Value::text("a\0b"),
        "inputs.nwrong" => Value::text("not a number"),
        _ => return None,
    })
}

fn test(source: &str) -> Option<bool> {
    expr(source).test(&known)
}

#[test]
fn expressions_have_the_values_they_read_as() {
    for holds in [
        "here.n == 3 and here.n < 4 and not here.n > 3",
        "1 + 2 * 3 == 7 and 7 // 2 == 3 and 7 % 4 == 3 and -here.n < 0 and 7 / 2 == 3.5",
        "'server' in here.list and 'console' not in here.list and 'b' in here.text",
        "here.text ~ '!' == 'a b!'",
        "(1 if here.yes else 2) == 1",
        "here.v == '12.8.130' and here.v > '12.8' and here.v >= version('12.08.130') and here.v == target",
        "here.v in ['12.7', '12.8.130']",
        "here.v.major == 12 and here.v.minor == 8 and version('1.2').patch == 0",
        "min(roles.server.v) == '12.9' and max(roles.server.v) == '12.10' and max(roles.server.v).minor == 10",
        "sum(peers.n) == 3 and count(peers.n) == 2 and count(peers.n, 2) == 1 and min(peers.n) == 1",
        "all(roles.server.mode, 'normal') and all_equal(roles.server.mode) and not all(roles.server.yes)",
        "any(roles.server.yes) and not any(roles.server.mode, 'update')",
        "join(here.list, '+') == 'server+balancer' and without(here.list, ['server']) == ['balancer']",
        "sum(peers.none) == 0 and count([]) == 0",
        "here.n == 3 or here.unknown == 'x'",
        "not (here.n == 4 and here.unknown == 'x')",
        "here.v > inputs.old",
    ] {
        assert_eq!(test(holds), Some(true), "{holds}");
    }
}

#[test]
fn silence_never_proves_a_drain() {
    let partly = |name: &Name| match name.to_string().as_str() {
        // One peer did not answer: the list as a whole is unknown.
        "peers.n" | "here.n" | "here.mode" => None,
        _ => known(name),
    };
    for source in [
        "sum(peers.n) == 0",
        "sum(peers.n) != 5",
        "count(peers.n) == 0",
        "not any(peers.n, 1)",
        "all(peers.n, 0)",
        "here.n == 0",
        "here.n != 5",
        "not (here.n > 0)",
        "here.mode != 'update'",
        "here.mode not in ['update']",
        "'update' not in here.mode",
        "here.n in [0]",
        "here.yes and here.n == 0",
        "here.n == 0 and here.yes",
        "here.n == 0 or here.yes",
        "(here.n if here.n == 0 else 0) == 0",
        "all([here.n], 0)",
        "all_equal([here.n, 0])",
        "min([here.n, 0]) == 0",
        "here.mode ~ '' == ''",
        "join([here.mode], '') == ''",
        "here.n",
    ] {
        assert_eq!(expr(source).eval(&partly), None, "{source}");
    }
}

#[test]
fn what_cannot_be_compared_is_unknown() {
    for source in [
        "here.v < inputs.junk",
        "here.v == inputs.junk",
        "here.v != inputs.junk",
        "here.v in [inputs.junk]",
        "version(inputs.junk) > target",
        "inputs.nwrong != 1",
        "with.x == 1",
        "min(peers.none) == 0",
        "1 / (here.n - 3) > 0",
        "7 % (here.n - 3) == 0",
    ] {
        assert_eq!(test(source), None, "{source}");
    }
    let given =
        |name: &Name| if *name == Name::With("x".to_owned()) { Some(Value::text("3")) } else { known(name) };
    for source in [
        "with.x == 3",
        "with.x != 3",
        "with.x < 4",
        "with.x < '4'",
        "with.x",
        "not with.x",
        "sum(with.x) == 0",
    ] {
        assert_eq!(expr(source).test(&given), None, "{source}");
    }
}

#[test]
fn what_is_not_part_of_the_language_is_refused_at_its_place() {
    for (source, place) in [
        ("here.list | length", "|"),
        ("here.n is defined", "is"),
        ("here.list[0]", "["),
        ("here.list[0:1]", "["),
        ("here.text.upper()", "("),
        ("range(3)", "range"),
        ("cuont(here.list)", "cuont"),
        ("here.n == none", "none"),
        ("here.n = 3", "="),
        ("here.n == 3 && here.yes", "&&"),
        ("!here.yes", "!"),
        ("1 < here.n < 4", "<"),
        ("{'a': 1}", "{"),
        ("here.n ** 2", "**"),
        ("nothing.here", "nothing.here"),
        ("here.text == 'a", "'a"),
        ("here.n == 3 here.n", "here"),
        ("here.n ==", ""),
        ("", ""),
        ("(here.n == 3", ""),
        ("12.8.130 < here.v", "12.8.130"),
        ("here.text == 3", "here.text == 3"),
        ("here.v > 12", "here.v > 12"),
        ("here.text < 'b'", "here.text < 'b'"),
        ("here.n and here.yes", "here.n"),
        ("not here.n", "here.n"),
        ("here.n + here.text == 3", "here.text"),
        ("here.v > 'twelve'", "'twelve'"),
        ("version('twelve') < here.v", "'twelve'"),
        ("sum(here.list) == 0", "sum(here.list)"),
        ("sum(here.n) == 0", "sum(here.n)"),
        ("min(here.list) == 'a'", "min(here.list)"),
        ("all(here.list, 3)", "all(here.list, 3)"),
        ("3 in here.list", "3 in here.list"),
        ("here.n.major == 1", "major"),
        ("here.v.build == 1", "build"),
        ("target(1)", "target"),
        ("1 if here.yes", ""),
        ("(1 if here.yes else 'x') == 1", "'x'"),
    ] {
        let problems = Expr::parse(source, &names(), &Kind::Any).expect_err(source);
        assert_eq!(&source[problems[0].span.clone()], place, "{source}: {problems:?}");
    }
    assert!(Expr::parse("here.n", &names(), &Kind::YesNo).is_err());
}

#[test]
fn every_unknown_name_is_reported_not_just_the_first() {
    let problems =
        Expr::parse("a.b == c.d and here.n == 'x'", &names(), &Kind::YesNo).expect_err("two names");
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn depth_and_length_have_an_end() {
    for source in ["(".repeat(100_000), "not ".repeat(100_000), "-".repeat(100_000), "[".repeat(100_000)] {
        assert!(Expr::parse(&source, &names(), &Kind::Any).is_err());
    }
    let long = format!("1{}", " + 1".repeat(100_000));
    assert!(Expr::parse(&long, &names(), &Kind::Any).is_err());
    assert!(Expr::parse(&format!("1{}", " + 1".repeat(100)), &names(), &Kind::Any).is_ok());
}

#[test]
fn placeholders_are_quoted_for_their_shell() {
    let render = |source: &str, shell| template(source).render(shell, &known);
    let source =
        "copy {{ inputs.quote }} {{ here.list }} {{ peers.none }} {{ here.yes }} {{ here.n }} {{ target }}";
    assert_eq!(
        render(source, Shell::Sh).as_deref(),
        Ok(r"copy 'it'\''s; rm -rf /' 'server' 'balancer'  'yes' '3' '12.8.130'")
    );
    assert_eq!(
        render(source, Shell::PowerShell).as_deref(),
        Ok("copy 'it''s; rm -rf /' 'server','balancer' @() 'yes' '3' '12.8.130'")
    );
    assert_eq!(
        render(source, Shell::None).as_deref(),
        Ok("copy it's; rm -rf / server, balancer none yes 3 12.8.130")
    );
    assert_eq!(render("{{ inputs.command }} /x", Shell::Sh).as_deref(), Ok("setup.exe /S \"x\" /x"));
    assert_eq!(render("${#x} }} {{ '{{' }}", Shell::None).as_deref(), Ok("${#x} }} {{"));
}

#[test]
fn a_template_with_an_unknown_name_is_not_rendered() {
    let unknown = template("{{ here.n }} {{ here.nothing }}").render(Shell::Sh, &known);
    assert_eq!(unknown.map_err(|error| error.to_string()), Err("`here.nothing` is not known".to_owned()));
    let nul = template("{{ inputs.broken }}").render(Shell::Sh, &known);
    assert!(matches!(nul, Err(RenderError::Nul(_))), "{nul:?}");
}

#[test]
fn templates_are_read_with_their_places() {
    for (source, place) in [
        ("{{ here.n", "{{"),
        ("a {% if x %} b", "{%"),
        ("ä {{ here.list | length }}", "|"),
        ("{{ nothing }}", "nothing"),
        ("{{ }}", ""),
        ("{{ 1 / 0 }}", "{{ 1 / 0 }}"),
        ("{{ '}}' }} {{ nope }}", "nope"),
    ] {
        let problems = Template::parse(source, &names()).expect_err(source);
        assert_eq!(&source[problems[0].span.clone()], place, "{source}: {problems:?}");
    }
}

#[test]
fn what_a_procedure_is_given_keeps_its_kind_when_it_is_one_placeholder() {
    let given = BTreeMap::from([
        ("name".to_owned(), template("{{ inputs.quote }}")),
        ("path".to_owned(), template("/opt/{{ here.text }}")),
        ("count".to_owned(), template("{{ here.n }}")),
        ("do".to_owned(), template("{{ inputs.command }}")),
        ("word".to_owned(), template("x y")),
    ]);
    let source = "{{ with.do }} {{ with.name }} {{ with.path }} {{ with.word }} {{ with.count }}";
    let within = template(source).with(&given);
    assert_eq!(
        within.render(Shell::Sh, &known).as_deref(),
        Ok(r#"setup.exe /S "x" 'it'\''s; rm -rf /' '/opt/a b' 'x y' '3'"#)
    );
    assert!(within.names().iter().all(|name| !matches!(name, Name::With(_))));
    assert_eq!(expr("with.count == 3").with(&given).test(&known), Some(true));
    assert_eq!(template("{{ here.n }}").single(), Some(&Name::Here(Of::Fact(FactId::from("n")))));
    assert_eq!(template("{{ here.n }} ").single(), None);
}

#[test]
fn only_names_that_decide_are_looked_up() {
    let looked_up = std::cell::RefCell::new(Vec::new());
    let lookup = |name: &Name| {
        looked_up.borrow_mut().push(name.to_string());
        known(name)
    };
    assert_eq!(expr("here.yes or here.n == 4").test(&lookup), Some(true));
    assert_eq!(*looked_up.borrow(), ["here.yes"]);
}

mod oracle {
    //! Where everything is known and of the right kind, an expression means what Jinja says it means.

    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = String> {
        let leaf =
            prop_oneof![(0..9u8).prop_map(|n| n.to_string()), Just("n".to_owned()), Just("m".to_owned())];
        leaf.prop_recursive(3, 12, 2, |inner| {
            prop_oneof![
                (inner.clone(), "[-+*]", inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
                inner.clone().prop_map(|a| format!("({a})")),
                inner.clone().prop_map(|a| format!("-{a}")),
                (inner.clone(), inner.clone(), inner)
                    .prop_map(|(a, b, c)| format!("({a} if {b} < 5 else {c})")),
            ]
        })
    }

    fn condition() -> impl Strategy<Value = String> {
        let leaf = (
            number(),
            prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")],
            number(),
        )
            .prop_map(|(a, op, b)| format!("{a} {op} {b}"));
        leaf.prop_recursive(3, 12, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} or {b}")),
                inner.clone().prop_map(|a| format!("not {a}")),
                inner.clone().prop_map(|a| format!("({a})")),
                number().prop_map(|a| format!("{a} in [1, 2, n]")),
                number().prop_map(|a| format!("{a} not in [1, 2, n]")),
            ]
        })
    }

    struct Two(Arc<VersionPattern>);

    impl Names for Two {
        fn resolve(&self, path: &[&str]) -> Result<Found, Complaint> {
            let name = if path == ["n"] { Name::N } else { Name::M };
            Ok(Found { name, kind: Kind::Number, parts: 1 })
        }

        fn pattern(&self) -> &Arc<VersionPattern> {
            &self.0
        }
    }

    proptest! {
        #[test]
        fn known_values_give_what_jinja_gives(source in condition(), n in 0..9u8, m in 0..9u8) {
            let ours = Expr::parse(&source, &Two(Arc::default()), &Kind::YesNo).expect("of the language");
            let value = ours.test(&|name| Some(Value::Number(f64::from(if *name == Name::N { n } else { m }))));
            let environment = minijinja::Environment::new();
            let theirs = environment.compile_expression(&source).expect("of Jinja too");
            let theirs = theirs.eval(minijinja::context! { n, m }).expect("a value");
            prop_assert_eq!(value, Some(theirs.is_true()), "{}", source);
        }
    }
}
