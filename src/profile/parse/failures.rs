//! What may be done after a failure.

use std::collections::BTreeMap;
use std::ops::Range;

use super::listed_tables;
use super::place::Place;
use super::read::{Reader, position};
use crate::model::{FailureId, ProcedureId, StageId};
use crate::profile::ast::{Failure, Forbid, Forbidden, Offer, Then};
use crate::text::diagnostic::{Diagnostic, meant, quoted};
use crate::text::toml::{Item, Table, Text, listed};

const OFFERS: [(&str, Offer); 7] = [
    ("retry", Offer::Retry),
    ("by_hand", Offer::ByHand),
    ("leave_out", Offer::LeaveOut),
    ("recover", Offer::Recover),
    ("hold", Offer::Hold),
    ("abort", Offer::Abort),
    ("collect", Offer::Collect),
];

impl<'d> Reader<'d> {
    pub(super) fn all_failures(&self, root: &Table<'d>) -> Vec<Failure> {
        let mut before = BTreeMap::new();
        let failures = listed_tables(root, "failures", "failure");
        failures.into_iter().map(|table| self.failure(table, &mut before)).collect()
    }

    fn failure(&self, table: Table<'d>, before: &mut BTreeMap<String, Range<usize>>) -> Failure {
        let id = self.id(&table, before);
        let span = id.as_ref().map_or_else(|| table.span(), Text::span);
        let id = id.map(|id| id.as_str()).unwrap_or_default();
        self.mark(format!("failures.{id}"), span);
        let stage_ids: Vec<_> = self.world.stages.iter().map(|stage| stage.id.as_str()).collect();
        let stages: Vec<StageId> = self.ids(table.get("stages"), "stage", &stage_ids);
        let place = self.place_of_failure(&stages);
        let step_ids = self.world.step_ids();
        let step_ids: Vec<_> = step_ids.iter().map(String::as_str).collect();
        let offer = self.offers(&table);
        let recover = table.get("recover");
        self.check_recovery(&table, &offer, recover.as_ref());
        let undoes = table.get("undoes");
        if let Some(item) = &undoes {
            self.mark(format!("failures.{id}.undoes"), item.key_span());
        }
        let failure = Failure {
            id: FailureId::from(id),
            stages,
            steps: self.ids(table.get("steps"), "step", &step_ids),
            on: position(&table),
            when: self.condition(table.get("when").as_ref(), &place),
            after: self.ids(table.get("after"), "step", &step_ids),
            text: table.get("text").map(|item| self.template(&item, &place)),
            offer,
            recover: recover.and_then(|item| {
                let text = item.text()?;
                Some(ProcedureId::from(self.known(
                    &text,
                    "procedure",
                    self.world.procedures.keys().map(String::as_str),
                )))
            }),
            undoes: self.ids(undoes, "step", &step_ids),
            then: table.get("then").and_then(|item| self.then(&item)).unwrap_or(Then::End),
            forbid: listed_tables(&table, "forbid", "ban").into_iter().map(forbid).collect(),
            cite: table.string("cite"),
        };
        for forbid in &failure.forbid {
            if let Some(offer) = failure.offer.iter().find(|offer| forbid.act.forbids(**offer)) {
                let word = OFFERS.iter().find(|(_, known)| known == offer).map_or("", |(word, _)| word);
                let span = self.span(&format!("failures.{id}"));
                self.report(
                    span,
                    format!("failure `{id}` offers `{word}` and forbids it"),
                    "take it out of `offer` or of `forbid`",
                );
            }
        }
        table.finish();
        failure
    }

    fn place_of_failure(&self, stages: &[StageId]) -> Place<'d> {
        let named: Vec<_> = stages.iter().map(|stage| stage.as_str().to_owned()).collect();
        let roles = self.world.roles_of_stages(&named);
        let steps = self.world.step_ids().into_iter().filter(|id| !id.contains('.')).collect();
        Place {
            here: (!roles.is_empty()).then_some(roles),
            peers: true,
            steps: Some((steps, Vec::new())),
            ..Place::farm(self.world)
        }
    }

    fn offers(&self, table: &Table<'d>) -> Vec<Offer> {
        let Some(item) = table.need("offer") else { return Vec::new() };
        if item.texts().is_empty() {
            self.doc.report(
                Diagnostic::new(item.span(), "a failure offers one way on at least")
                    .help(format!("some of {}", listed(OFFERS.map(|(word, _)| word)))),
            );
        }
        item.list().iter().filter_map(|item| item.one_of(&OFFERS)).collect()
    }

    fn check_recovery(&self, table: &Table<'d>, offer: &[Offer], recover: Option<&Item<'d>>) {
        let offered = offer.contains(&Offer::Recover);
        match recover {
            None if offered => self.doc.report_absence(
                Diagnostic::new(
                    table.span(),
                    format!("{} offers `recover` and does not say how", table.what()),
                )
                .help("write `recover = \"PROCEDURE\"`"),
            ),
            Some(item) if !offered => {
                self.report(
                    item.key_span(),
                    format!("{} has `recover` and does not offer it", table.what()),
                    "add \"recover\" to `offer`",
                );
            }
            _ => {}
        }
        for key in ["undoes", "then"] {
            if let (Some(item), None) = (table.get(key), recover) {
                self.report(
                    item.key_span(),
                    format!("`{key}` is about a recovery, and there is none"),
                    "write `recover = \"PROCEDURE\"`",
                );
            }
        }
    }

    fn then(&self, item: &Item<'d>) -> Option<Then> {
        let text = item.text()?;
        Some(match text.as_str() {
            "end" => Then::End,
            "retry" => Then::Retry,
            word => {
                let stages = self.world.stages.iter().map(|stage| stage.id.as_str());
                let stage = word.strip_prefix("stage:").unwrap_or(word).trim();
                if !word.starts_with("stage:") || !stages.clone().any(|known| known == stage) {
                    let help = match meant(stage, stages) {
                        Some(stage) => format!("write `stage:{stage}`"),
                        None => "one of `end`, `retry`, `stage:ID`".to_owned(),
                    };
                    let problem = Diagnostic::new(text.span(), format!("`then` cannot be {}", quoted(word)));
                    self.doc.report_absence(problem.help(help));
                }
                Then::Stage(StageId::from(stage))
            }
        })
    }
}

fn forbid(table: Table<'_>) -> Forbid {
    let forbid = Forbid {
        act: table.need("act").and_then(|item| item.one_of(&Forbidden::WORDS)).unwrap_or(Forbidden::Retry),
        why: table.need("why").map(|item| item.string()).unwrap_or_default(),
        lifted_by: table.string("lifted-by"),
    };
    table.string("cite");
    table.finish();
    forbid
}
