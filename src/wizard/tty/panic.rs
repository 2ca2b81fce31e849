//! A panic gives the terminal back before it says anything.

use std::io::Write as _;
use std::panic::{set_hook, take_hook};
use std::sync::Arc;

use super::event::Input;
use super::shared::{Shared, lock};

/// Puts itself before the hook there is; does nothing more once the screen is gone.
pub(super) fn hook(shared: &Arc<Shared>) {
    let shared = Arc::downgrade(shared);
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let Some(shared) = shared.upgrade() else { return before(panic) };
        let was_held = shared.device.give_back();
        before(panic);
        if was_held {
            let words = lock(&shared.last_words);
            if !words.is_empty() {
                // Nobody may be there to read it, and a panic here would end the program at once.
                let _ = writeln!(std::io::stderr(), "{words}");
            }
            drop(words);
            shared.push(Input::Terminate);
        }
    }));
}
