//! `cargo bench`: what the engine and the journal carry, what a frame costs, and what many servers behind SSH do.
//! `cargo bench --bench core -- engine` measures one of them.

mod engine;
mod frame;
mod journal;
mod ssh;

fn main() {
    let mut words = std::env::args().skip(1);
    if let (Some(ssh::WORD), Some(order)) = (words.next().as_deref(), words.next()) {
        return ssh::obey(&order);
    }
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
    if is_wanted("ssh") {
        ssh::run();
    }
}
