//! Looking on, and looking back.

use super::console::Console;
use super::desk::Desk;
use super::error::{End, Go, Stop};

/// Tells what happens until the session is closed or its runner is gone.
pub(super) fn watch(desk: &mut Desk, mut console: Console) -> Go<End> {
    if !desk.is_json() {
        desk.skip()?;
        let now_ms = desk.follower.now_ms();
        super::show::status(&mut desk.out, desk.follower.state(), now_ms)?;
    }
    loop {
        desk.catch_up()?;
        if console.is_interrupted() {
            return Err(Stop::End(End::Left));
        }
        desk.wait()?;
    }
}

/// Tells everything up to where the journal is now.
pub(super) fn tell(desk: &mut Desk) -> Go<End> {
    desk.read()?;
    Ok(match desk.state().close() {
        Some(close) => End::Closed(close.clone()),
        None if desk.follower.session().holder().map_err(crate::client::ClientError::from)?.is_some() => {
            End::Left
        }
        None => End::RunnerGone,
    })
}
