//! `cargo run --release -p rota-benches [ROUNDS]`: the costs of the C ABI beside hand-written C, in one table.
//!
//! Builds the shared library and the C program, runs all works with the contestants interleaved, and adds what the
//! tools of this machine can tell: instructions per operation with valgrind, system calls per request with strace.
//! Both are slopes between two counts, so that beginning and ending do not count.
//!
//! `cargo run --release -p rota-benches parked`: what tasks cost that only wait, up to a million of them.

mod count;
mod table;

use std::path::{Path, PathBuf};
use std::process::{exit, Command, Stdio};

/// Where everything is, and how to call the C program.
pub struct Setup {
    /// The C program.
    pub program: PathBuf,
    /// A folder for what the tools write.
    pub folder: PathBuf,
}

fn main() {
    let first = std::env::args().nth(1).unwrap_or("7".into());
    let done = match first.as_str() {
        "parked" => parked(),
        rounds => run(rounds),
    };
    if let Err(problem) = done {
        eprintln!("{problem}");
        exit(1);
    }
}

fn run(rounds: &str) -> Result<(), String> {
    let setup = build()?;
    eprintln!("running {rounds} rounds");
    let mut command = Command::new(&setup.program);
    command.args(["run", rounds]).stderr(Stdio::inherit());
    let lines = output(&mut command)?;
    println!("{lines}");
    let mut rows = table::rows(&lines)?;
    count::instructions(&setup, &mut rows)?;
    count::system_calls(&setup, &mut rows)?;
    print!("{}", table::show(&rows));
    Ok(())
}

/// Each kind and number in a process of its own, so that none finds memory that another has left.
fn parked() -> Result<(), String> {
    let setup = build()?;
    for kind in ["stackful", "stackful_sleep", "stepped", "stepped_sleep"] {
        for count in ["100000", "1000000"] {
            let mut command = Command::new(&setup.program);
            print!("{}", output(command.args(["parked", kind, count]).stderr(Stdio::inherit()))?);
        }
    }
    Ok(())
}

fn build() -> Result<Setup, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no root")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = target.join("benches");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    // As the package builds it: the crate types are named, since an rlib beside them rules out link-time optimisation.
    command.args(["rustc", "--release", "-p", "rota", "--lib", "--features", "capi"]);
    command.args(["--crate-type", "cdylib,staticlib"]).current_dir(root);
    succeed(&mut command)?;
    let library = target.join("release/librota.so");
    let named = folder.join("librota.so.0");
    // A link that somebody made there would be followed, and the library copied onto itself.
    let _ = std::fs::remove_file(&named);
    std::fs::copy(&library, &named).map_err(|error| format!("{}: {error}", library.display()))?;
    let program = folder.join("rota_bench");
    let sources = std::fs::read_dir(root.join("benches/c")).map_err(|error| error.to_string())?;
    let sources = sources.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "c"));
    let mut command = Command::new("gcc");
    command.args(["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic"]);
    command.arg("-I").arg(root.join("include")).args(sources).arg("-o").arg(&program).arg(&named);
    command.arg("-Wl,-rpath,$ORIGIN");
    succeed(&mut command)?;
    Ok(Setup { program, folder })
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
