//! Pages as they look at moments of an upgrade.

use crossterm::event::{KeyCode, KeyEvent};
use insta::assert_snapshot;
use nofm::engine::Event;
use nofm::wizard::look::{Colours, Glyphs, Theme};
use nofm::wizard::{Chosen, Offer, OfferedProfile, OfferedSession, Page, Start};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::ready;
use super::recorded::{Recorded, igel, usual};
use super::{LARGE, USUAL, frame, live, press, review, text};
use crate::rows::farm::WHOLE;
use crate::rows::rehearsal::{Halt, Scene};
use crate::sim::world::Fault;

/// The installer runs on the second server.
pub fn under_way() -> Recorded {
    let profile = igel();
    let mut rehearsal = Scene::of(&profile, WHOLE).begun().expect("it begins");
    let is = |event: &Event| match event {
        Event::StepIntended { key, .. } => {
            key.step == "update.install" && key.lane.server.as_ref().is_some_and(|server| server == "ums1")
        }
        _ => false,
    };
    let index = rehearsal.until(is).expect("it is installed");
    Recorded::of(&rehearsal, index + 1, usual)
}

/// The installer failed on the second server.
pub fn failed() -> Recorded {
    let profile = igel();
    let mut scene = Scene::of(&profile, WHOLE);
    scene.world.fault("install", Some("ums1"), Fault::Fails(3));
    let mut rehearsal = scene.begun().expect("it begins");
    rehearsal.until_failed().expect("it fails");
    Recorded::whole(&rehearsal)
}

pub fn asked() -> Recorded {
    let profile = igel();
    let mut rehearsal = Scene::of(&profile, WHOLE).begun().expect("it begins");
    rehearsal.until_asked("updated", "ums1").expect("it is asked");
    Recorded::whole(&rehearsal)
}

/// The disk of the console is full while something is asked.
fn full_disk() -> Recorded {
    let profile = igel();
    let mut rehearsal = Scene::of(&profile, WHOLE).begun().expect("it begins");
    rehearsal.until_asked("updated", "ums1").expect("it is asked");
    rehearsal.session.happens(Event::RoomLow { free: 5 << 20, path: "/srv/nofm/states".into() });
    Recorded::whole(&rehearsal)
}

pub fn done() -> Recorded {
    let profile = igel();
    Recorded::whole(&Scene::of(&profile, WHOLE).done().expect("it is done"))
}

/// The checks at the end are under way, and one does not hold.
pub fn ending() -> Recorded {
    let profile = igel();
    let mut rehearsal = Scene::of(&profile, WHOLE).begun().expect("it begins");
    rehearsal.until_asked("update", "pc1").expect("it comes to the last one");
    rehearsal.session.world.set("mode", Some("ums2"), "update");
    rehearsal.session.world.set("service_status", Some("lb1"), "SERVICE_STOPPED");
    assert!(matches!(rehearsal.pursue(), Halt::Asked(_)), "a check does not hold");
    Recorded::whole(&rehearsal)
}

fn picture(recorded: &Recorded, size: (u16, u16)) -> String {
    recorded.neutral(&text(&frame(&mut live(recorded), size)))
}

#[test]
fn every_page_before_the_start() {
    let recorded = ready();
    let mut face = live(&recorded);
    frame(&mut face, USUAL);
    let mut seen = Vec::new();
    loop {
        let page = face.view().page;
        if seen.last() == Some(&page) {
            break;
        }
        seen.push(page);
        let name = format!("{page:?}").to_lowercase();
        assert_snapshot!(format!("before_{name}"), recorded.neutral(&text(&frame(&mut face, USUAL))));
        if page == Page::Prechecks || page == Page::Summary {
            assert_snapshot!(
                format!("before_{name}_large"),
                recorded.neutral(&text(&frame(&mut face, LARGE)))
            );
        }
        press(&mut face, KeyCode::Char('n'));
    }
    assert_eq!(seen.last(), Some(&Page::Summary), "{seen:?}");
}

#[test]
fn the_first_page() {
    let offer = Offer {
        profiles: vec![OfferedProfile {
            id: "igel_ums_ha".into(),
            product: "IGEL UMS".into(),
            has_lab: true,
        }],
        sessions: vec![OfferedSession {
            id: "2026-11-21T041233Z-igel_ums_ha-7f3a".into(),
            text: "2026-11-21 04:12  \"prod\": under way".into(),
            is_under_way: true,
            is_resumable: false,
        }],
    };
    let theme = Theme::new(Colours::Sixteen, Glyphs::Unicode);
    let mut start = Start::new(&offer);
    let mut buffer = Buffer::empty(Rect::new(0, 0, USUAL.0, USUAL.1));
    start.draw(&mut buffer, &theme);
    assert_snapshot!("first_page", text(&buffer));
    let whole: fn(&str) -> Result<String, String> = |_| Err("there is no such file".to_owned());
    let mut type_in = |keys: &str| {
        keys.chars().find_map(|c| {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            start.key(KeyEvent::from(code), whole)
        })
    };
    assert_eq!(type_in("4"), None, "nothing was stopped that could be gone on with");
    assert_eq!(type_in("21nowhere\n"), None, "there is no such inventory");
    start.draw(&mut buffer, &theme);
    assert_snapshot!("first_page_inventory", text(&buffer));
    assert_eq!(start.key(KeyEvent::from(KeyCode::Esc), whole), None);
    assert_eq!(start.key(KeyEvent::from(KeyCode::Esc), whole), None);
    let session = "2026-11-21T041233Z-igel_ums_ha-7f3a".to_owned();
    assert_eq!(start.key(KeyEvent::from(KeyCode::Char('3')), whole), None);
    assert_eq!(start.key(KeyEvent::from(KeyCode::Enter), whole), Some(Chosen::Join { session }));
}

#[test]
fn the_upgrade_under_way() {
    let recorded = under_way();
    assert_snapshot!("progress", picture(&recorded, USUAL));
    assert_snapshot!("progress_large", picture(&recorded, LARGE));
}

#[test]
fn a_question_on_the_progress_page() {
    assert_snapshot!("question", picture(&asked(), USUAL));
}

#[test]
fn a_full_disk_of_the_console() {
    let recorded = full_disk();
    let mut face = live(&recorded);
    frame(&mut face, USUAL);
    press(&mut face, KeyCode::Char('a'));
    assert_snapshot!("full_disk", recorded.neutral(&text(&frame(&mut face, USUAL))));
}

#[test]
fn a_failure() {
    assert_snapshot!("failure", picture(&failed(), USUAL));
}

#[test]
fn the_checks_at_the_end() {
    let recorded = ending();
    assert_snapshot!("verification", picture(&recorded, USUAL));
    let mut face = live(&recorded);
    press(&mut face, KeyCode::Char('a'));
    frame(&mut face, LARGE);
    press(&mut face, KeyCode::End);
    assert_snapshot!("verification_large", recorded.neutral(&text(&frame(&mut face, LARGE))));
}

/// The failure, as somebody reviews it whom nobody showed a screen.
#[test]
fn a_review() {
    let recorded = failed();
    let mut face = review(&recorded);
    press(&mut face, KeyCode::Char('x'));
    assert_snapshot!("review", recorded.neutral(&text(&frame(&mut face, USUAL))));
}

#[test]
fn the_end() {
    assert_snapshot!("finish", picture(&done(), USUAL));
    assert_snapshot!("finish_large", picture(&done(), LARGE));
}
