//! `cargo bench`: what the engine and the journal carry, and what a frame costs. `cargo bench --bench core -- engine` measures one of them.

mod engine;
mod frame;
mod journal;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    if is_wanted("journal") {
        journal::run();
    }
    if is_wanted("engine") {
        engine::run();
    }
    if is_wanted("frame") {
        frame::run();
    }
}
