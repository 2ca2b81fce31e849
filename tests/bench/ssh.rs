//! What many servers behind SSH cost this console, with the servers on the same machine.
//!
//! All sshds together share the processors with the one process that is measured, so that the time on the clock tells
//! little by itself: it is shown beside a floor, below which no client could be here.

mod client;
mod cpu;
mod farm;
#[path = "../bed/tools.rs"]
#[expect(clippy::unwrap_used, reason = "as in the tests that it belongs to")]
mod tools;

use std::fs;
use std::time::Duration;

use client::{Figures, Order};
pub use client::{WORD, obey};
use farm::Farm;

/// How often each line is measured. The median of each figure is shown.
const ROUNDS: usize = 3;

/// The length of the file that is sent, in MB.
const FILE_MB: u64 = 500;

/// The piece in which a file is read.
const PIECE: u64 = 256 * 1024;

/// What was measured, with what stands beside it.
struct Row {
    figures: Figures,
    servers: Duration,
    /// Whatever else ran on this machine meanwhile.
    others: Duration,
}

pub fn run() {
    let farm = Farm::new(200);
    println!("\nssh: three questions, from nothing connected to all answered");
    println!(
        "servers  client ms each  ssh -G ms each  peak MB   wall s  servers' share s  wall/share  others' CPU s"
    );
    for count in [50, 200] {
        questions(&farm, count);
    }
    println!("\nssh: connections held open");
    println!("servers  KB each  peak MB");
    hold(&farm, 200);
    println!("\nssh: one file to many at once");
    println!(
        "servers   file MB  client s/GB  hashing s  peak MB  reads/pieces   wall s  floor s  wall/floor  others' CPU s"
    );
    for count in [5, 20] {
        upload(&farm, count);
    }
}

fn questions(farm: &Farm, count: u32) {
    let order = Order::Questions { inventory: farm.inventory(count) };
    // The first time everything is read from the disk.
    order.give();
    let rows = measured(farm, &order, || {});
    let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(count);
    let cores = cores();
    println!(
        "{count:>7} {:>15.2} {:>15.2} {:>8.1} {:>8.2} {:>17.2} {:>11.2} {:>14.1}",
        median(&rows, |row| each(row.figures.own)),
        median(&rows, |row| each(row.figures.children)),
        median(&rows, |row| mb(row.figures.peak)),
        median(&rows, |row| row.figures.wall.as_secs_f64()),
        median(&rows, |row| row.servers.as_secs_f64() / cores),
        median(&rows, |row| row.figures.wall.as_secs_f64() * cores / row.servers.as_secs_f64()),
        median(&rows, |row| row.others.as_secs_f64()),
    );
}

fn hold(farm: &Farm, count: u32) {
    let order = Order::Hold { inventory: farm.inventory(count) };
    let rows = measured(farm, &order, || {});
    println!(
        "{count:>7} {:>8.1} {:>8.1}",
        median(&rows, |row| mb(row.figures.grown) * 1e3 / f64::from(count - 1)),
        median(&rows, |row| mb(row.figures.peak)),
    );
}

fn upload(farm: &Farm, count: u32) {
    // All copies lie in the memory of this machine.
    let free = cpu::free_mb() / 2 / u64::from(count + 1);
    let length = FILE_MB.min(free) * 1_000_000;
    let (file, into) = (farm.path("file"), farm.path("into"));
    let random = std::io::Read::take(fs::File::open("/dev/urandom").expect("random bytes"), length);
    std::io::copy(&mut { random }, &mut fs::File::create(&file).expect("room")).expect("room");
    let order = Order::Upload { inventory: farm.inventory(count), file, into: into.clone() };
    let rows = measured(farm, &order, || {
        let _ = fs::remove_dir_all(&into);
    });
    #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
    let gb = length as f64 * f64::from(count) / 1e9;
    let floor = |row: &Row| (row.servers + row.figures.own + row.figures.children).as_secs_f64() / cores();
    println!(
        "{count:>7} {:>9} {:>12.2} {:>10.2} {:>8.1} {:>13} {:>8.2} {:>8.2} {:>11.2} {:>14.1}",
        length / 1_000_000,
        median(&rows, |row| row.figures.own.as_secs_f64() / gb),
        median(&rows, |row| row.figures.hashing.as_secs_f64()),
        median(&rows, |row| mb(row.figures.peak)),
        format!("{}/{}", rows.iter().map(|row| row.figures.reads).max().unwrap_or(0), length.div_ceil(PIECE)),
        median(&rows, |row| row.figures.wall.as_secs_f64()),
        median(&rows, floor),
        median(&rows, |row| row.figures.wall.as_secs_f64() / floor(row)),
        median(&rows, |row| row.others.as_secs_f64()),
    );
}

fn measured(farm: &Farm, order: &Order, tidy: impl Fn()) -> Vec<Row> {
    let round = |_| {
        let (servers, machine) = (farm.cpu(), cpu::machine());
        let figures = order.give();
        let all = cpu::machine().saturating_sub(machine);
        let servers = farm.cpu().saturating_sub(servers);
        let ours = servers + figures.own + figures.children + figures.hashing;
        tidy();
        Row { figures, servers, others: all.saturating_sub(ours) }
    };
    (0..ROUNDS).map(round).collect()
}

fn median(rows: &[Row], figure: impl Fn(&Row) -> f64) -> f64 {
    let mut figures: Vec<f64> = rows.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn cores() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).map_or(1.0, f64::from)
}

#[expect(clippy::cast_precision_loss, reason = "a figure to read")]
fn mb(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}
