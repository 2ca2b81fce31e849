//! Licence, information, requirements: what the vendor wants read.

use crate::engine::{Seen, State};
use crate::model::NoticeId;
use crate::profile::{Notice, Page, Shell};

/// A notice as it reads here.
pub fn text(state: &State, notice: &Notice) -> String {
    let seen = Seen::new(state, None);
    let scope = state.scope(&seen, None);
    let text = notice.text.render(Shell::None, &|name| scope.lookup(name));
    text.as_deref().unwrap_or(notice.text.source()).trim().to_owned()
}

/// Ids of the notices of `page` that apply here.
pub fn of_page(state: &State, page: Page) -> Vec<NoticeId> {
    state.notices_shown().filter(|notice| notice.page == page).map(|notice| notice.id.clone()).collect()
}

/// The notices that stay on the screen in the stage in turn.
pub fn banners(state: &State) -> Vec<String> {
    if state.plan.is_none() || state.close().is_some() {
        return Vec::new();
    }
    let shown = state.notices_shown().filter(|notice| {
        notice.banner.as_ref().is_some_and(|(from, to)| {
            let (Some(from), Some(to)) = (state.stage_index(from), state.stage_index(to)) else {
                return false;
            };
            (from..=to).contains(&state.stage)
        })
    });
    shown.map(|notice| text(state, notice)).collect()
}
