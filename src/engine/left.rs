//! What is left to do after the upgrade: the profile's notices of the last page that are about servers.

use super::measure::Probes;
use super::state::State;
use super::view::Seen;
use crate::inventory::Server;
use crate::profile::{Notice, Page, Shell};

impl State {
    /// The notices of the last page, each with the servers it is about; `None` for the farm. A server that was left out
    /// was not upgraded, so nothing follows from that.
    fn finish_notices(&self) -> impl Iterator<Item = (&Notice, Option<&Server>)> {
        let of_page = self.setup.profile.notices.iter().filter(|notice| notice.page == Page::Finish);
        of_page.flat_map(|notice| {
            let servers = self.setup.inventory.servers.iter().filter(|server| {
                server.roles.iter().any(|role| notice.roles.contains(role))
                    && !self.left_out.contains_key(&server.name)
            });
            let farm = notice.roles.is_empty().then_some(None);
            farm.into_iter().chain(servers.map(Some)).map(move |server| (notice, server))
        })
    }

    /// What decides whether they apply, and what they would say.
    pub(super) fn finish_probes(&self, probes: &mut Probes<'_>) {
        let seen = Seen::new(self, None);
        for (notice, server) in self.finish_notices() {
            let scope = self.scope(&seen, server);
            notice.when.iter().for_each(|when| probes.expr(when, &scope));
            probes.names(notice.text.names(), &scope, 0);
        }
    }

    /// The to-do items that follow from what was measured last, and are not on the list. Whether one applies that
    /// cannot be told is the operator's to look.
    pub(super) fn left_to_do(&self) -> Vec<String> {
        let seen = Seen::new(self, None);
        let item = |(notice, server): (&Notice, Option<&Server>)| {
            let server = server?;
            let scope = self.scope(&seen, Some(server));
            let holds = notice.when.as_ref().map_or(Some(true), |when| when.test(&|name| scope.lookup(name)));
            if holds == Some(false) {
                return None;
            }
            let text = notice.text.render(Shell::None, &|name| scope.lookup(name));
            let text = text.as_deref().unwrap_or(notice.text.source());
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = server.name.as_str();
            let text = if text.contains(name) { text } else { format!("{name}: {text}") };
            let doubt = if holds.is_none() { " (whether this is needed could not be read)" } else { "" };
            Some(format!("{text}{doubt}"))
        };
        self.finish_notices().filter_map(item).filter(|text| !self.to_do.contains(text)).collect()
    }
}
