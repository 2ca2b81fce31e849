use crate::engine::State;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{Binding, Command};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::scene::Scene;
use crate::wizard::view::Page;

pub(in crate::wizard) fn candidates(
    _state: &State,
    _wanted: &crate::wizard::view::Wanted,
) -> Option<Vec<String>> {
    None
}
pub(in crate::wizard) fn read_input(
    _state: &State,
    _input: &crate::model::InputId,
    _key: &str,
    _text: &str,
) -> Result<Option<crate::model::Value>, String> {
    Ok(None)
}
pub(in crate::wizard) fn input_prompt(
    _state: &State,
    _input: &crate::model::InputId,
    _key: &str,
) -> Vec<String> {
    Vec::new()
}
pub(in crate::wizard) fn command_of(_scene: &Scene<'_>, _row: usize) -> Option<(String, String)> {
    None
}
pub(super) fn title(scene: &Scene<'_>) -> String {
    scene.view.page.title().to_owned()
}
pub(super) fn why_not_next(_state: &State, _page: Page) -> Option<String> {
    None
}
pub(super) fn bindings(_scene: &Scene<'_>) -> Vec<Binding> {
    Vec::new()
}
pub(super) fn draw(_scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    canvas.text(0, 0, "not there yet", Tone::Warn);
}
pub(super) fn act(_face: &mut Face, _command: Command) -> Go<()> {
    Ok(())
}
pub(super) fn enter(_face: &mut Face, _page: Page) -> Go<()> {
    Ok(())
}
