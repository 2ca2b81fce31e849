//! The list of steps at the left.

use crate::wizard::look::Tone;
use crate::wizard::pages;
use crate::wizard::paint::Canvas;
use crate::wizard::scene::{Scene, Seat};

pub(in crate::wizard) fn steps(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let mut inside = canvas.boxed("Steps", false);
    let pages = pages::all(scene);
    let at = pages.iter().position(|page| *page == scene.view.page).unwrap_or(0);
    let mut y = 1;
    for (index, page) in pages.iter().enumerate() {
        let (mark, tone) = match index {
            index if index == at => (">", Tone::Selected),
            _ if pages::is_behind(scene, *page) => ("+", Tone::Ok),
            _ => (" ", Tone::Plain),
        };
        inside.text(1, y, &format!("{mark}{:>2} {}", index + 1, page.title()), tone);
        y += 1;
    }
    let rows = inside.height();
    let (session, viewer) = (&scene.session.0, scene.viewer.as_str());
    // The session's name without the product, which stands above.
    let mut parts = session.split('-');
    let time: Vec<&str> = parts.by_ref().take(3).collect();
    let short = session.rsplit('-').next().unwrap_or(session);
    if rows > y + 5 {
        inside.text(1, rows - 4, "Session", Tone::Dim);
        inside.text(
            1,
            rows - 3,
            &format!("{} {short}", time.join("-").chars().take(10).collect::<String>()),
            Tone::Plain,
        );
        inside.text(1, rows - 2, viewer, Tone::Plain);
        let pen = match scene.seat {
            Seat::Operator { pen: true } => "holds the pen",
            Seat::Operator { pen: false } => "without the pen",
            Seat::Watcher => "looks on",
            Seat::Reviewer => "reviews",
        };
        inside.text(1, rows - 1, pen, Tone::Dim);
    }
}
