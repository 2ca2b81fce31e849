//! Yes or no, where one of them cannot be taken back. No is marked until the operator marks the other.

use crate::engine::{Choice, Intent, State};
use crate::wizard::face::{Face, Go, Left, Then};
use crate::wizard::keys::Command;
use crate::wizard::view::{Dialog, Sure};
use crate::words;

/// The question, and what yes and no do.
pub(super) fn texts(state: &State, about: &Sure, session: &str) -> (String, String, String) {
    let own = |question: &str, yes: &str, no: &str| (question.to_owned(), yes.to_owned(), no.to_owned());
    match about {
        Sure::Stop => own(
            "Stop safely? What runs on servers is finished first; then the session ends.",
            "stop; nofm resume goes on with it later",
            "go on as before",
        ),
        Sure::LeaveWait { key } => (
            format!(
                "Not wait any longer for \"{}\" of {}?",
                words::step_title(state, key),
                words::place(key.lane.server.as_ref())
            ),
            "go on without it; it stands on the list of what is left to do".to_owned(),
            "wait on".to_owned(),
        ),
        Sure::Leave => (
            "Leave this screen? The session goes on without you, and waits where it needs an answer."
                .to_owned(),
            format!("leave; nofm attach {session} joins it again"),
            "stay here".to_owned(),
        ),
        Sure::TakePen => {
            let who = state.pen.as_ref().map_or("nobody", |pen| pen.as_str());
            (
                format!("Take the pen? It is held by: {who}."),
                "you act from here; the other viewer can then only look on".to_owned(),
                "leave it where it is".to_owned(),
            )
        }
        Sure::Fix { check, server } => {
            let title = words::check_title(state, check);
            (
                format!("Mend \"{title}\" on {}?", words::place(server.as_ref())),
                "the vendor's steps for this are carried out now, then it is checked again".to_owned(),
                "nothing is changed".to_owned(),
            )
        }
        Sure::Trust { access } => (
            format!("Are these {} host keys, as they were listed, the right ones?", access.len()),
            "they are written to the known hosts file, and the servers are reached".to_owned(),
            "none of them is trusted yet; back to the list".to_owned(),
        ),
        Sure::Reply { question, option } => {
            let option = state.questions.get(question).and_then(|found| found.options.get(*option));
            let text = option
                .and_then(|option| words::question::sure(option.choice))
                .unwrap_or("This cannot be taken back. Do you want that?");
            let does = option.map(words::question::option_text).unwrap_or_default();
            (text.to_owned(), does, "back to the question".to_owned())
        }
    }
}

pub(super) fn act(face: &mut Face, command: Command, about: Sure, yes: bool) -> Go<()> {
    let yes = match command {
        Command::OtherPane => {
            face.open(Dialog::Sure { about, yes: !yes });
            return Ok(());
        }
        Command::Yes => true,
        Command::No | Command::Close => false,
        Command::Confirm => yes,
        _ => return Ok(()),
    };
    face.close();
    if !yes {
        return Ok(());
    }
    match about {
        Sure::Stop => face.post(&Intent::Stop),
        Sure::LeaveWait { key } => face.post(&Intent::LeaveWait { key }),
        Sure::Leave => {
            face.left = Some(Left::Away);
            Ok(())
        }
        Sure::TakePen => face.post(&Intent::TakePen { by_force: true }),
        Sure::Trust { access } => face.post(&Intent::Trust { access }),
        Sure::Fix { check, server } => face.post(&Intent::Fix { check, server }),
        Sure::Reply { question, option } => {
            let choice = face.state().questions.get(&question).and_then(|found| found.options.get(option));
            let Some(choice) = choice.map(|option| option.choice) else { return Ok(()) };
            face.post_then(
                &Intent::Reply { question, choice, text: String::new() },
                then(face, question, choice),
            )
        }
    }
}

/// What follows on the screen from a choice.
pub(super) fn then(face: &Face, question: u64, choice: Choice) -> Then {
    use crate::engine::About;
    match face.state().questions.get(&question).map(|question| &question.about) {
        Some(About::Attended(key)) if choice == Choice::Start => Then::Terminal(key.clone()),
        _ => Then::Nothing,
    }
}
