//! The upgrade under way: the servers at the left, what they do at the right, the events below.

use crossterm::event::KeyCode;

use crate::engine::{Intent, LaneState};
use crate::profile::Forbidden;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::paint::{Canvas, centred};
use crate::wizard::panes;
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Sure, Typing, Wanted};
use crate::words;

/// Columns of the list of servers.
const LIST: u16 = 34;
/// Rows of a pane that shows something of what a server prints.
const PANE: u16 = 5;

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let columns = canvas.width();
    let head = panes::progress_head(scene, canvas);
    let rows = canvas.height().saturating_sub(head);
    // A question takes the rows of the events.
    let events = if super::asks(scene) || rows < 12 { 0 } else { (rows / 4).clamp(4, 10) };
    let main = rows.saturating_sub(events);
    let list = if columns < 60 { columns } else { LIST.max(columns / 4) };
    {
        let title = format!("Servers: {}", scene.view.filter.as_str());
        let mut left = canvas.part(0, head, list, main);
        let mut inside = left.boxed(&title, list == columns);
        let row = selected(scene);
        let top = centred(row, usize::from(inside.height()), panes::lanes_shown(scene));
        panes::server_rows(scene, &mut inside, row, top);
    }
    if list < columns {
        outputs(scene, &mut canvas.part(list, head, columns - list, main));
    }
    if events > 0 {
        panes::events(scene, &mut canvas.part(0, head + main, columns, events));
    }
}

/// The row of the operator's choice, or of the server where something happens.
pub(super) fn selected(scene: &Scene<'_>) -> usize {
    let spot = scene.view.spot();
    let last = panes::lanes_shown(scene).saturating_sub(1);
    if spot.still || scene.view.filter != crate::wizard::view::Filter::All {
        return spot.row.min(last);
    }
    let digest = scene.story.digest();
    let busy = digest.trouble.first().or_else(|| digest.active.first());
    let next = busy.or_else(|| digest.waiting.first()).copied();
    next.unwrap_or(last).min(last)
}

/// As many panes as fit: the selected server first, then those in trouble, then those at work.
fn outputs(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let fit = usize::from((canvas.height() / PANE).max(1));
    let mut shown: Vec<&LaneState> = Vec::new();
    let selected = panes::lane_at(scene, selected(scene));
    shown.extend(selected);
    let sides = scene.state.sides.iter().filter(|lane| !lane.phase.is_closed());
    let stage = scene.state.stages.get(scene.state.stage);
    let digest = scene.story.digest();
    let busy = digest.trouble.iter().chain(&digest.active);
    let lanes = busy.filter_map(|index| stage?.lanes.get(*index));
    for lane in sides.chain(lanes) {
        if shown.len() >= fit {
            break;
        }
        if !shown.iter().any(|known| known.key == lane.key) {
            shown.push(lane);
        }
    }
    let count = u16::try_from(shown.len()).unwrap_or(u16::MAX).max(1);
    let (columns, rows) = (canvas.width(), canvas.height());
    for (index, lane) in shown.iter().enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let from = rows * index / count;
        let to = rows * (index + 1) / count;
        panes::output(scene, &mut canvas.part(0, from, columns, to - from), lane, index == 0);
    }
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let lane = panes::lane_at(scene, selected(scene));
    let server = lane.and_then(|lane| lane.key.server.clone());
    let paused = scene.state.paused;
    let hands_off = scene.hands_off();
    let closed = scene.state.close().map(|_| "the session is closed".to_owned());
    let why_not = hands_off.or(closed);
    let mut table = keys::MOVES.to_vec();
    table.push(Binding::new(
        [key(KeyCode::Enter), letter('l')],
        Command::Open,
        "Output",
        "everything the selected server printed",
    ));
    table.push(
        Binding::new(
            [letter('p')],
            Command::Pause,
            if paused { "" } else { "Pause" },
            "pause: what runs is finished, nothing new is started; once more: go on",
        )
        .unless(why_not.clone()),
    );
    table.push(
        Binding::new([letter('c')], Command::Pause, if paused { "Go on" } else { "" }, "go on after a pause")
            .unless(if paused { why_not.clone() } else { Some("nothing is paused".to_owned()) }),
    );
    let nobody = server.is_none().then(|| "no server is selected".to_owned());
    table.push(
        Binding::new(
            [letter('w')],
            Command::PauseOne,
            "",
            "pause the selected server alone; once more: let it go on",
        )
        .unless(why_not.clone().or_else(|| nobody.clone())),
    );
    table.push(
        Binding::new(
            [letter('o')],
            Command::LeaveOut,
            "Leave out",
            "leave the selected server out, with a reason, where the vendor allows it",
        )
        .unless(
            why_not
                .clone()
                .or(nobody)
                .or_else(|| scene.state.ban(Forbidden::LeaveOut).map(|ban| ban.why.clone())),
        ),
    );
    if leavable(scene).is_some() {
        table.push(
            Binding::new(
                [letter('x')],
                Command::LeaveWait,
                "Not wait",
                "go on without what is waited for: the vendor does not require it, and it is left to do",
            )
            .unless(why_not.clone()),
        );
    }
    table.push(Binding::new([letter('f')], Command::Filter, "Filter", "show only servers in one state"));
    if attended(scene).is_some() {
        table.push(Binding::new(
            [letter('i')],
            Command::Terminal,
            "Installer",
            "the terminal of the installer that runs",
        ));
    }
    table.push(
        Binding::new(
            [letter('s')],
            Command::Stop,
            "Stop",
            "stop safely: what runs is finished, then the session ends and can be resumed",
        )
        .unless(why_not),
    );
    table
}

/// The wait that need not be waited for, of the selected server or of any.
fn leavable(scene: &Scene<'_>) -> Option<crate::engine::StepKey> {
    let state = scene.state;
    let is = |lane: &&LaneState| state.may_be_left(lane);
    let own = panes::lane_at(scene, selected(scene)).filter(is);
    own.or_else(|| state.active_lanes().find(is)).map(|lane| state.step_key(lane))
}

/// The attended step that runs, of the selected server or of any.
pub(super) fn attended(scene: &Scene<'_>) -> Option<crate::engine::StepKey> {
    let state = scene.state;
    let is = |lane: &&LaneState| {
        lane.is_running()
            && matches!(state.act_of(&state.step_key(lane)), Some(crate::profile::Act::Attended(_)))
    };
    let own = panes::lane_at(scene, selected(scene)).filter(is);
    own.or_else(|| state.active_lanes().find(is)).map(|lane| state.step_key(lane))
}

pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    let (lane, row, total, terminal, wait) = {
        let scene = face.scene();
        let row = selected(&scene);
        (
            panes::lane_at(&scene, row).cloned(),
            row,
            panes::lanes_shown(&scene),
            attended(&scene),
            leavable(&scene),
        )
    };
    let server = lane.as_ref().and_then(|lane| lane.key.server.clone());
    let page = usize::from(face.view().size.1 / 2).max(1);
    match command {
        Command::Up
        | Command::Down
        | Command::PageUp
        | Command::PageDown
        | Command::First
        | Command::Last => {
            let to = keys::moved(command, row, total, page);
            face.edit(|view| {
                let spot = view.spot_mut();
                spot.row = to;
                spot.still = true;
            });
        }
        Command::Close => face.edit(|view| view.spot_mut().still = false),
        Command::Open => {
            let run = lane.as_ref().and_then(|lane| face.story().run_of_lane(lane));
            match (run, lane) {
                (Some(run), Some(lane)) => {
                    let title = words::place(lane.key.server.as_ref()).to_owned();
                    face.open(Dialog::Output { run, title, from_end: 0, find: String::new() });
                }
                _ => face.note("Nothing ran there so far."),
            }
        }
        Command::Pause => {
            let intent = if face.state().paused {
                Intent::Unpause { server: None }
            } else {
                Intent::Pause { server: None }
            };
            face.post(&intent)?;
        }
        Command::PauseOne => {
            if let Some(server) = server {
                let paused = face.state().paused_servers.contains(&server);
                let server = Some(server);
                face.post(&if paused { Intent::Unpause { server } } else { Intent::Pause { server } })?;
            }
        }
        Command::LeaveOut => {
            if let Some(server) = server {
                let wanted = Wanted::LeaveOut { server };
                face.open(Dialog::Type { wanted, typing: Typing::default() });
            }
        }
        Command::LeaveWait => {
            if let Some(key) = wait {
                face.open(Dialog::Sure { about: Sure::LeaveWait { key }, yes: false });
            }
        }
        Command::Filter => face.edit(|view| {
            view.filter = view.filter.next();
            view.spot_mut().row = 0;
        }),
        Command::Terminal => {
            if let Some(key) = terminal {
                face.open(Dialog::Terminal { key });
            }
        }
        Command::Stop => face.open(Dialog::Sure { about: Sure::Stop, yes: false }),
        _ => {}
    }
    Ok(())
}
