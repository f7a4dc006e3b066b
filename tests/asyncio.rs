//! Random programs of tasks are played with rota and with the asyncio of the `python3` on this machine: their tasks see
//! the same things at the same moments of a virtual clock. tests/asyncio/reference.py makes trees of tasks, times and
//! combinations, and says which are left out, and why; player.c plays them. sync_reference.py and sync_player.c do
//! so for locks and their kin.
//!
//! `ROTA_PROGRAMS=FIRST..LAST` plays others than the usual ones.

mod tools;

use std::path::Path;
use std::process::Command;
use tools::{compiler, process, root};

/// From which Python on asyncio has groups and timeouts.
const OLD: &str = "import sys; sys.exit(sys.version_info < (3, 11))";

/// A program, and what its tasks saw, sorted: what happens at one moment has no order here.
type Played = Vec<(String, Vec<String>)>;

fn read(text: &str) -> Played {
    let mut played = Played::new();
    for line in text.lines() {
        match (line.starts_with("program "), played.last_mut()) {
            (false, Some((_, events))) => events.push(line.to_string()),
            _ => played.push((line.to_string(), Vec::new())),
        }
    }
    played.iter_mut().for_each(|(_, events)| events.sort());
    played
}

/// What asyncio makes of so many programs.
fn reference(script: &str, first: usize, count: usize) -> String {
    let script = root().join("tests/asyncio").join(script);
    let output = Command::new("python3").arg(script).args([first.to_string(), count.to_string()]).output();
    let output = output.expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("programs are UTF-8")
}

/// What rota makes of the programs in a file.
fn player(source: &str, programs: &Path, scratch: &Path) -> String {
    const FLAGS: &str = "-std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -g -O1 -Wall -Wextra -Werror";
    let program = scratch.join("player");
    let library = compiler::library_folder(&tools::shared_library(), &scratch.join("lib"));
    let mut arguments = compiler::words(FLAGS);
    arguments.push(format!("-I{}", root().join("include").display()));
    arguments.extend(compiler::words(&std::env::var("ROTA_C_FLAGS").unwrap_or_default()));
    let source = root().join("tests/asyncio").join(source);
    arguments.extend([source.display().to_string(), "-o".into(), program.display().to_string()]);
    arguments.extend(compiler::words(&std::env::var("ROTA_C_LINK").unwrap_or_default()));
    arguments.extend(compiler::link_arguments(&library));
    compiler::compile(&compiler::default().c, &arguments).unwrap_or_else(|message| panic!("{message}"));
    let words = [program.display().to_string(), programs.display().to_string()];
    let limit = process::limit() * 3;
    let ended = process::run(&words, scratch, &scratch.join("output.txt"), limit);
    assert!(!ended.timed_out, "still running after {} s", limit.as_secs());
    assert_eq!(ended.code, 0, "{}", ended.output);
    ended.output
}

fn range() -> (usize, usize) {
    let text = std::env::var("ROTA_PROGRAMS").unwrap_or_else(|_| "0..600".into());
    let ends = text.split_once("..").map(|(first, last)| (first.parse(), last.parse()));
    let Some((Ok(first), Ok(last))) = ends else { panic!("ROTA_PROGRAMS={text}: not FIRST..LAST") };
    (first, last)
}

fn compare(script: &str, source: &str) {
    let old = Command::new("python3").args(["-c", OLD]).status().expect("python3 runs");
    if !old.success() {
        return process::say("SKIPPED: asyncio has groups and timeouts from Python 3.11 on");
    }
    let scratch = tools::scratch(&format!("asyncio-{source}"));
    let programs = scratch.join("programs.txt");
    let (first, last) = range();
    let text = reference(script, first, last - first);
    std::fs::write(&programs, &text).expect("the programs are written");
    let (expected, found) = (read(&text), read(&player(source, &programs, &scratch)));
    assert!(expected.len() > (last - first) * 9 / 10, "most are left out: {} are not", expected.len());
    assert_eq!(found.len(), expected.len(), "programs that were played");
    for ((program, expected), (played, found)) in expected.iter().zip(&found) {
        assert_eq!(program, played);
        assert_eq!(expected, found, "in asyncio and in rota: {program}");
    }
}

#[test]
fn random_programs_see_what_they_see_in_asyncio() {
    compare("reference.py", "player.c");
}

#[test]
fn locks_and_their_kin_serve_whom_they_serve_in_asyncio() {
    compare("sync_reference.py", "sync_player.c");
}
