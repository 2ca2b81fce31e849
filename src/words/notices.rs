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
