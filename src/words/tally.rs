//! `n of m servers updated`, and whatever is not n.

use crate::client::counted;
use crate::engine::{Seen, State};
use crate::model::{Tally, Value};
use crate::profile::{Name, Shell};

/// The whole sentence: n of m in the stage's own words, what is not n, and the inventory where it has other servers
/// than the product. `None`: nothing is counted here.
pub fn full(state: &State) -> Option<String> {
    let (index, tally) = counted(state)?;
    let mut text = own(state, index, &tally);
    let beside = beside(&tally);
    if !beside.is_empty() {
        text = format!("{text} ({})", beside.join(", "));
    }
    if tally.of != tally.listed {
        text = format!("{text}; the inventory lists {}", tally.listed);
    }
    if let Some(farm) = of_farm(state) {
        text = format!("{text}; {farm}");
    }
    Some(text)
}

/// What the last stage of the farm that was begun counts, in its own words. `None`: there is none, or nobody can tell.
fn of_farm(state: &State) -> Option<String> {
    let begun = state.setup.profile.stages.iter().zip(&state.stages);
    let begun = begun.filter(|(stage, now)| stage.roles.is_empty() && now.entered && !now.lanes.is_empty());
    let tally = begun.filter_map(|(stage, _)| stage.tally.as_ref()).next_back()?;
    let seen = Seen::new(state, None);
    let scope = state.scope(&seen, None);
    tally.render(Shell::None, &|name| scope.lookup(name)).ok()
}

/// n of m alone, with what is in trouble: `2 of 4, 1 FAILED`. `None`: nothing is counted here.
pub fn short(state: &State) -> Option<String> {
    let (_, tally) = counted(state)?;
    let mut text = format!("{} of {}", tally.updated + tally.told, tally.of);
    for (count, what) in [(tally.failed, "FAILED"), (tally.unknown, "not known")] {
        if count > 0 {
            text = format!("{text}, {count} {what}");
        }
    }
    Some(text)
}

/// `2 of 4 servers updated` in the words of the stage at `index`.
fn own(state: &State, index: usize, tally: &Tally) -> String {
    let template = state.setup.profile.stages.get(index).and_then(|stage| stage.tally.as_ref());
    let number = |count: usize| Some(Value::Number(f64::from(u32::try_from(count).unwrap_or(u32::MAX))));
    let n = tally.updated + tally.told;
    let seen = Seen::new(state, None);
    let scope = state.scope(&seen, None);
    let own = template.and_then(|template| {
        let lookup = |name: &Name| match name {
            Name::N => number(n),
            Name::M => number(tally.of),
            name => scope.lookup(name),
        };
        template.render(Shell::None, &lookup).ok()
    });
    own.unwrap_or_else(|| format!("{n} of {} servers updated", tally.of))
}

fn beside(tally: &Tally) -> Vec<String> {
    [
        (tally.told, "on the operator's word"),
        (tally.failed, "FAILED"),
        (tally.unknown, "not known"),
        (tally.left_out, "left out"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect()
}
