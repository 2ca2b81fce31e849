//! The last events in words, the newest at the top.

use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};
use crate::wizard::scene::Scene;
use crate::wizard::story::Weight;

pub(in crate::wizard) fn events(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    canvas.rule(0);
    canvas.text(1, 0, " Events ", Tone::Title);
    for (y, line) in (1..).zip(scene.story.feed.iter().rev()) {
        if y >= canvas.height() {
            return;
        }
        let tone = match line.weight {
            Weight::Usual => Tone::Plain,
            Weight::Good => Tone::Ok,
            Weight::Bad => Tone::Fail,
            Weight::Decision => Tone::Focus,
        };
        let mark = match line.weight {
            Weight::Usual => " ",
            Weight::Good => "+",
            Weight::Bad => "X",
            Weight::Decision => ">",
        };
        let x = canvas.text(1, y, &scene.clock(line.at_ms), Tone::Dim) + 1;
        let x = canvas.text(x, y, mark, tone) + 1;
        // One line each: the whole text stands in the journal and in `nofm review`.
        let columns = canvas.width().saturating_sub(x);
        if let Some(first) = lines(&line.text, columns.max(1)).first() {
            canvas.text(x, y, first, Tone::Plain);
        }
    }
}
