//! What is left to do after the upgrade.

use nofm::engine::{Choice, Event};

use super::{INSTALL, farm, stage, world};
use crate::sim::session::Crashes;

const NOTICE: &str = "[[notices]]\nid = \"rebalance\"\npage = \"finish\"\nroles = [\"server\"]\n\
    when = \"here.load > 0\"\ntext = \"Rebalance: it has {{ here.load }}.\"\n";
const FOR_FIRST: &str = "id = \"drain\"\nrun = \"drain\"\non = \"first\"";

#[test]
fn each_server_for_which_a_notice_of_the_last_page_holds_is_left_to_do() {
    for crashes in [Crashes::Never, Crashes::Always] {
        let mut loaded = world(3);
        for server in ["s1", "s2"] {
            loaded.set("load", Some(server), "7");
        }
        let mut session = farm(&[NOTICE, &stage("servers", "", &[FOR_FIRST, INSTALL])], 3, loaded);
        session.crashes = crashes;
        let session = session.started();
        assert!(session.is_done(), "{}", session.tail());
        assert_eq!(session.state.to_do, ["s2: Rebalance: it has 7."], "as it is at the end");
        assert_eq!(session.state.notices_shown().count(), 0, "it is said once");
    }
}

#[test]
fn what_cannot_be_read_at_the_end_is_the_operator_s_to_look() {
    let mut silent = world(1);
    silent.silence("load", Some("s1"), u64::MAX);
    let session = farm(&[NOTICE, &stage("servers", "", &[INSTALL])], 1, silent).started();
    assert!(session.is_done(), "{}", session.tail());
    let [item] = &session.state.to_do[..] else { panic!("{:?}", session.state.to_do) };
    assert!(item.ends_with("(whether this is needed could not be read)"), "{item}");
}

#[test]
fn nothing_is_left_to_do_on_a_server_that_was_left_out() {
    use crate::sim::world::Fault;
    let mut failing = world(2);
    failing.set("load", Some("s2"), "7");
    failing.fault("install", Some("s2"), Fault::Fails(1));
    let mut session = farm(&[NOTICE, &stage("servers", "", &[INSTALL])], 2, failing).started();
    session.reply(Choice::LeaveOut, "its disk is broken").expect("offered");
    let left = session.count(|event| matches!(event, Event::LeftOut { .. }));
    assert_eq!((left, session.state.to_do.len()), (1, 1), "{:?}", session.state.to_do);
}
