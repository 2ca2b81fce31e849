//! Room on the disk that the console keeps its sessions on.

use std::path::Path;
use std::time::Duration;

use crate::engine::Event;

/// Bytes that must be free before anything new is started.
const LEAST: u64 = 8 << 20;
/// Bytes that must be free before it goes on: more, so that what is written next does not hold it again.
const ENOUGH: u64 = 2 * LEAST;
/// How often is looked while it is held.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// Whether `event` says that something will be started that was not under way.
pub(super) fn starts(event: &Event) -> bool {
    matches!(
        event,
        Event::StageEntered { .. }
            | Event::LaneEntered { .. }
            | Event::StepIntended { .. }
            | Event::RecoveryBegun { .. }
            | Event::CollectBegun { .. }
            | Event::FixBegun { .. }
    )
}

/// What is to be journalled, with `free` bytes below `path`, and held by it already or not (`low`).
pub(super) fn news(low: bool, free: u64, path: &Path) -> Option<Event> {
    match low {
        false if free < LEAST => Some(Event::RoomLow { free, path: path.display().to_string() }),
        true if free >= ENOUGH => Some(Event::RoomBack { free }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_goes_on_only_with_room_to_spare() {
        let news = |low, free| news(low, free, Path::new("/state"));
        assert!(news(false, LEAST).is_none());
        let path = "/state".to_owned();
        assert_eq!(news(false, LEAST - 1), Some(Event::RoomLow { free: LEAST - 1, path }));
        assert!(news(true, LEAST - 1).is_none(), "said once");
        assert!(news(true, ENOUGH - 1).is_none());
        assert_eq!(news(true, ENOUGH), Some(Event::RoomBack { free: ENOUGH }));
    }
}
