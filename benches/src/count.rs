//! What valgrind and strace count, where this machine has them.

use crate::table::Row;
use crate::{output, Setup};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Works without sockets that a slope is taken of, and between which counts.
const COUNTED: &[(&str, u64)] = &[
    ("post_chain", 20_000),
    ("post_chains_1000", 20_000),
    ("handle_call", 20_000),
    ("timer_at_cancel", 1_000_000),
    ("timer_rearm", 100_000),
    ("spawn_join", 10_000),
    ("spawn_join_1000", 10_000),
    ("spawn_join_stepped", 10_000),
    ("spawn_join_stepped_1000", 10_000),
    ("yield", 20_000),
    ("lock_round", 20_000),
    ("queue_pass", 20_000),
];

/// Echo requests between which the slope is taken.
const REQUESTS: u64 = 5_000;

fn have(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_err() {
        eprintln!("{tool} is not here: its columns stay empty");
    }
    there.is_ok()
}

/// Fills in the instructions for an operation.
pub fn instructions(setup: &Setup, rows: &mut [Row]) -> Result<(), String> {
    if !have("valgrind") {
        return Ok(());
    }
    for row in rows {
        eprintln!("instructions of {}", row.work);
        let work = row.work.clone();
        let connections = work.strip_prefix("echo_").map(str::to_owned);
        let counted = COUNTED.iter().find(|counted| counted.0 == work).map(|counted| counted.1);
        for figures in &mut row.figures {
            let (program, contestant) = (figures.program.clone(), figures.contestant.clone());
            let measure = |operations: u64| match &connections {
                Some(connections) => server_under(setup, "valgrind", &contestant, connections, operations),
                None => once(setup, &program, &work, &contestant, operations),
            };
            let step = if connections.is_some() { Some(REQUESTS) } else { counted };
            if let Some(step) = step {
                figures.instructions = Some((measure(2 * step)? - measure(step)?) / step as f64);
            }
        }
    }
    Ok(())
}

/// Fills in the system calls for an echo request.
pub fn system_calls(setup: &Setup, rows: &mut [Row]) -> Result<(), String> {
    if !have("strace") {
        return Ok(());
    }
    for row in rows {
        let Some(connections) = row.work.strip_prefix("echo_").map(str::to_owned) else { continue };
        for figures in &mut row.figures {
            let contestant = figures.contestant.clone();
            let measure = |requests| server_under(setup, "strace", &contestant, &connections, requests);
            figures.calls = Some((measure(2 * REQUESTS)? - measure(REQUESTS)?) / REQUESTS as f64);
        }
    }
    Ok(())
}

fn callgrind(file: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display())).stderr(Stdio::null());
    command
}

fn once(setup: &Setup, program: &Path, work: &str, contestant: &str, operations: u64) -> Result<f64, String> {
    let file = setup.folder.join("callgrind.out");
    let mut command = callgrind(&file);
    output(command.arg(program).args(["once", work, contestant, &operations.to_string()]))?;
    total(&file, "valgrind")
}

/// The number that a tool has written: callgrind's `totals:`, or the calls in strace's last line.
fn total(file: &Path, tool: &str) -> Result<f64, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let found = match tool {
        "valgrind" => text.lines().find_map(|line| line.strip_prefix("totals: ")),
        // % time, seconds, usecs/call, calls, [errors,] "total"
        _ => text.lines().find(|line| line.ends_with(" total")).and_then(|line| line.split_whitespace().nth(3)),
    };
    found.and_then(|number| number.trim().parse().ok()).ok_or(format!("no total in {}", file.display()))
}

/// Runs an echo server under a tool, and the client beside it.
fn server_under(setup: &Setup, tool: &str, contestant: &str, connections: &str, requests: u64) -> Result<f64, String> {
    let file = setup.folder.join(format!("{tool}.out"));
    let mut command = match tool {
        "valgrind" => callgrind(&file),
        _ => {
            let mut command = Command::new("strace");
            command.args(["-f", "-c", "-o"]).arg(&file);
            command
        }
    };
    command.arg(&setup.program).args(["serve", contestant]).stdout(Stdio::piped());
    let mut server = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let mut port = String::new();
    if let Some(stdout) = server.stdout.take() {
        BufReader::new(stdout).read_line(&mut port).map_err(|error| error.to_string())?;
    }
    let mut client = Command::new(&setup.program);
    let asked = output(client.args(["client", port.trim(), connections, &requests.to_string()]));
    if asked.is_err() {
        let _ = server.kill();
    }
    let ended = server.wait().map_err(|error| error.to_string())?;
    asked?;
    match ended.success() {
        true => total(&file, tool),
        false => Err(format!("{command:?}: {ended}")),
    }
}
