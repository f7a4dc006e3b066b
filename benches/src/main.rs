//! `cargo run --release -p rota-benches [ROUNDS] [WORK...]`: rota's C ABI beside hand-written C and its peers.
//!
//! Builds the shared library and every contestant's program, runs all works in rounds with the contestants
//! interleaved, and adds what the tools of this machine can tell: instructions per operation with valgrind, system
//! calls per request with strace. Both are slopes between two counts, so that beginning and ending do not count.
//!
//! `cargo run --release -p rota-benches parked`: what tasks cost that only wait, up to a million of them.

mod build;
mod count;
mod table;

use std::path::PathBuf;
use std::process::{exit, Command, Stdio};
use table::{Figures, Row};

/// The programs, and a folder for what the tools write.
pub struct Setup {
    /// rota's, with its hand-written floors.
    pub program: PathBuf,
    /// The peers that could be built.
    pub peers: Vec<PathBuf>,
    /// A folder for what the tools write.
    pub folder: PathBuf,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().unwrap_or("7".into());
    let wanted: Vec<String> = arguments.collect();
    let done = match (first.as_str(), first.parse::<usize>()) {
        ("parked", _) => parked(),
        (_, Ok(rounds @ 1..)) => run(rounds, &wanted),
        _ => Err("usage: rota-benches [ROUNDS] [WORK...] | parked; ROUNDS is a number above 0".into()),
    };
    if let Err(problem) = done {
        eprintln!("{problem}");
        exit(1);
    }
}

fn run(rounds: usize, wanted: &[String]) -> Result<(), String> {
    let setup = build::all()?;
    let mut rows = rows(&setup, wanted)?;
    if rows.is_empty() {
        return Err(format!("no such work: {}", wanted.join(" ")));
    }
    for round in 1..=rounds {
        for row in &mut rows {
            let work = row.work.clone();
            for figures in &mut row.figures {
                once(&work, figures)?;
            }
        }
        eprintln!("round {round} of {rounds}");
    }
    rows.iter_mut().flat_map(|row| &mut row.figures).for_each(Figures::sort);
    count::instructions(&setup, &mut rows)?;
    count::system_calls(&setup, &mut rows)?;
    rows.iter().for_each(|row| print!("{}", table::json(row)));
    print!("{}", table::show(&rows));
    match rows.iter().flat_map(|row| &row.figures).all(|figures| figures.checked) {
        true => Ok(()),
        false => Err("a contestant did its work wrong".into()),
    }
}

/// Each kind and number in a process of its own, so that none finds memory that another has left.
fn parked() -> Result<(), String> {
    let setup = build::all()?;
    for kind in ["stackful", "stackful_sleep", "stepped", "stepped_sleep"] {
        for count in ["100000", "1000000"] {
            let mut command = Command::new(&setup.program);
            print!("{}", output(command.args(["parked", kind, count]).stderr(Stdio::inherit()))?);
        }
    }
    Ok(())
}

/// The works that the programs say they have, each with its contestants.
fn rows(setup: &Setup, wanted: &[String]) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for program in std::iter::once(&setup.program).chain(&setup.peers) {
        for line in output(Command::new(program).arg("list"))?.lines() {
            let (work, rest) = line.split_once(' ').ok_or(format!("not a work: {line}"))?;
            let (contestant, operations) = rest.rsplit_once(' ').ok_or(format!("not a work: {line}"))?;
            if !wanted.is_empty() && !wanted.iter().any(|name| name == work) {
                continue;
            }
            let figures = Figures::new(program, contestant, operations.parse().map_err(|_| line.to_owned())?);
            match rows.iter_mut().find(|row| row.work == work) {
                Some(row) => row.figures.push(figures),
                None => rows.push(Row { work: work.into(), figures: vec![figures] }),
            }
        }
    }
    Ok(rows)
}

fn once(work: &str, figures: &mut Figures) -> Result<(), String> {
    let mut command = Command::new(&figures.program);
    command.args(["once", work, &figures.contestant, &figures.operations.to_string()]);
    // A contestant that did it wrong says so in its line, and with its exit status.
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| format!("{command:?}: {error}"))?;
    figures.add(String::from_utf8_lossy(&done.stdout).trim()).map_err(|error| format!("{command:?}: {error}"))
}

/// Runs a command that has to succeed.
pub fn succeed(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// What a command that has to succeed says.
pub fn output(command: &mut Command) -> Result<String, String> {
    let done = command.stdout(Stdio::piped()).output().map_err(|error| format!("{command:?}: {error}"))?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", done.status)),
    }
}
