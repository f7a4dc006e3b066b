//! `cargo xtask ...`: everything about rota that takes more than one command.

mod check;
mod demo;
mod package;
mod steps;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask demo             a file server on the loop, and two clients that fetch everything from it
    --serve                  leaves the server running at the end
    --clean                  only removes what demos have left in target/demo
cargo xtask test             every test: Rust, C and C++ programs, the installed package, poll fallback
cargo xtask check            the slow checkers: formatting, clippy, models, valgrind, sanitizers
    --minutes N              begins no further checker after N minutes
cargo xtask header           writes include/rota.h and tests/symbols.txt anew
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["demo"] => demo::run(false),
        ["demo", "--serve"] => demo::run(true),
        ["demo", "--clean"] => demo::clean(),
        ["test"] => test::all(),
        ["check"] => check::all(None),
        ["check", "--minutes", minutes] => match minutes.parse() {
            Ok(minutes) => check::all(Some(minutes)),
            Err(_) => Err(format!("--minutes wants a number, not {minutes}")),
        },
        ["header"] => test::refresh(),
        ["help" | "--help"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("what shall be done?\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
