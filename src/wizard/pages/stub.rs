use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{Binding, Command};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::scene::Scene;

pub(super) fn bindings(_scene: &Scene<'_>) -> Vec<Binding> {
    Vec::new()
}
pub(super) fn draw(_scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    canvas.text(0, 0, "not there yet", Tone::Warn);
}
pub(super) fn act(_face: &mut Face, _command: Command) -> Go<()> {
    Ok(())
}
