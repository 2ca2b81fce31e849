//! What happened, in order, as scenes name it.

use nofm::engine::{About, Event, Outcome, Place, ProbeKey, ScriptRef, StepKey};
use nofm::model::ServerName;

use crate::sim::story::{Address, host_of, script_of, split};

/// What happened with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Starts,
    Ok,
    Failed,
    Unknown,
    Skipped,
    Already,
    Tolerated,
}

const WORDS: [(&str, What); 6] = [
    ("ok", What::Ok),
    ("failed", What::Failed),
    ("unknown", What::Unknown),
    ("skipped", What::Skipped),
    ("already", What::Already),
    ("tolerated", What::Tolerated),
];

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Moment {
    Step { what: What, key: StepKey, places: Vec<Place>, command: String },
    Stage(String),
    Over { stage: String, host: String },
    Asked(About),
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step { what, key, places, .. } => {
                let word = WORDS.iter().find(|(_, known)| known == what).map_or("", |(word, _)| word);
                let space = if word.is_empty() { "" } else { " " };
                write!(f, "{word}{space}{}/{}@{}", script_of(key), key.step, host_of(key))?;
                match places.as_slice() {
                    [] => Ok(()),
                    [Place::Server(server)] if Some(server) == key.lane.server.as_ref() => Ok(()),
                    places => {
                        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
                        write!(f, ">{}", places.join(","))
                    }
                }
            }
            Self::Stage(id) => write!(f, "stage {id}"),
            Self::Over { stage, host } => write!(f, "over {stage}/{host}"),
            Self::Asked(about) => write!(f, "asked {}", about_text(about)),
        }
    }
}

fn probe_text(probe: &ProbeKey) -> String {
    let (kind, id, server) = match probe {
        ProbeKey::Fact(id, server) => ("fact", id.as_str(), server),
        ProbeKey::Check(id, server) => ("check", id.as_str(), server),
    };
    format!("{kind} {}", at(id, server.as_ref()))
}

pub fn at(id: &str, server: Option<&ServerName>) -> String {
    server.map_or_else(|| id.to_owned(), |server| format!("{id}@{server}"))
}

/// What a question is about, as a scene writes it, with the whole path of a step.
pub fn about_text(about: &About) -> String {
    let step = |kind: &str, key: &StepKey| format!("{kind} {}/{}@{}", script_of(key), key.step, host_of(key));
    match about {
        About::Confirm(key) => step("confirm", key),
        About::Manual(key) => step("manual", key),
        About::Attended(key) => step("attended", key),
        About::Optional(key) => step("optional", key),
        About::Settle(key) => step("settle", key),
        About::Slow(key) => step("slow", key),
        About::Failure(key) => step("failure", key),
        About::Tell(probe) => probe_text(probe),
        About::EndCheck(check, server) => format!("end {}", at(check.as_str(), server.as_ref())),
        About::Barred(act, Some(key)) => step(&format!("barred-{}", act.word()), key),
        About::Barred(act, None) => format!("barred {}", act.word()),
        About::KeepUp(stage) => format!("keep-up {stage}"),
    }
}

/// Whether a question is about what `text` names. Without a host, about that of any.
pub fn is_about(about: &About, text: &str) -> bool {
    let seen = about_text(about);
    let (Some((kind, what)), Some((seen_kind, seen_what))) = (text.split_once(' '), seen.split_once(' '))
    else {
        return false;
    };
    if kind != seen_kind {
        return false;
    }
    if let Some(key) = about.step() {
        Address::parse(what).fits(key)
    } else {
        let ((name, host), (seen_name, seen_host)) = (split(what, '@'), split(seen_what, '@'));
        name == seen_name && host.is_none_or(|host| host == seen_host.unwrap_or_else(|| "farm".to_owned()))
    }
}

/// The host a question is about.
pub fn host_about(about: &About) -> String {
    about.server().map_or_else(|| "farm".to_owned(), ToString::to_string)
}

/// An entry of a scene's `order`.
pub enum Entry {
    Step(What, Address),
    Stage(String),
    Over(Option<String>, String),
    Asked(String),
}

impl Entry {
    pub fn parse(text: &str) -> Self {
        let (word, rest) = text.split_once(' ').unwrap_or(("", text));
        match word {
            "stage" => Self::Stage(rest.to_owned()),
            "asked" => Self::Asked(rest.to_owned()),
            "over" => match rest.split_once('/') {
                Some((stage, host)) => Self::Over(Some(stage.to_owned()), host.to_owned()),
                None => Self::Over(None, rest.to_owned()),
            },
            word if word.ends_with("/over") => {
                Self::Over(word.strip_suffix("/over").map(str::to_owned), rest.to_owned())
            }
            word => match WORDS.iter().find(|(known, _)| *known == word) {
                Some((_, what)) => Self::Step(*what, Address::parse(rest)),
                None => Self::Step(What::Starts, Address::parse(text)),
            },
        }
    }

    pub fn fits(&self, moment: &Moment) -> bool {
        match (self, moment) {
            (Self::Step(wanted, address), Moment::Step { what, key, places, .. }) => {
                wanted == what
                    && address.fits(key)
                    && (address.place.is_none() || places.iter().any(|place| address.fits_at(key, place)))
            }
            (Self::Stage(wanted), Moment::Stage(id)) => wanted == id,
            (Self::Over(wanted, of), Moment::Over { stage, host }) => {
                of == host && wanted.as_ref().is_none_or(|wanted| wanted == stage)
            }
            (Self::Asked(wanted), Moment::Asked(about)) => is_about(about, wanted),
            _ => false,
        }
    }
}

/// Everything that scenes speak of.
pub fn timeline<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<Moment> {
    let step = |what, key: &StepKey| Moment::Step {
        what,
        key: key.clone(),
        places: Vec::new(),
        command: String::new(),
    };
    let mut moments = Vec::new();
    for event in events {
        match event {
            Event::StepIntended { key, targets, command, .. } => moments.push(Moment::Step {
                what: What::Starts,
                key: key.clone(),
                places: targets.iter().map(|target| target.place.clone()).collect(),
                command: command.clone(),
            }),
            Event::WaitBegun { key } => moments.push(step(What::Starts, key)),
            Event::Asked { question } => {
                if let About::Confirm(key) | About::Manual(key) = &question.about {
                    moments.push(step(What::Starts, key));
                }
                moments.push(Moment::Asked(question.about.clone()));
            }
            Event::StepSettled { key, outcome, .. } => {
                let what = match outcome {
                    Outcome::Succeeded => What::Ok,
                    Outcome::DoneBefore => What::Already,
                    Outcome::Skipped => What::Skipped,
                    Outcome::Tolerated => What::Tolerated,
                };
                moments.push(step(what, key));
            }
            Event::StepFailed { key, .. } => moments.push(step(What::Failed, key)),
            Event::StepUnknown { key, .. } => moments.push(step(What::Unknown, key)),
            Event::StageEntered { stage } => moments.push(Moment::Stage(stage.to_string())),
            Event::LaneDone { lane } => {
                if let ScriptRef::Stage(stage) = &lane.script {
                    let host = lane.server.as_ref().map_or_else(|| "farm".to_owned(), ToString::to_string);
                    moments.push(Moment::Over { stage: stage.to_string(), host });
                }
            }
            _ => {}
        }
    }
    moments
}
