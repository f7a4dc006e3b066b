//! Where things lie, and the programs that a fresh machine lacks.
//!
//! cmake and ninja come as wheels into a virtual environment under `target/`;
//! others by apt-get where that is possible without asking anyone. Where it is
//! not, the error is one sentence that says what to install.

use crate::steps::Watch;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const WHEELS: [&str; 2] = ["cmake==3.31.6", "ninja==1.11.1.4"];

/// The repository.
pub fn root() -> PathBuf {
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.pop();
    folder
}

/// cargo's target directory; everything made here goes below it.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A cargo command at the top of the repository.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(arguments);
    command
}

/// A command that finds cmake and ninja wherever `build_tools` put them.
pub fn with_build_tools(program: &str) -> Command {
    let own = venv().join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(own.clone()).chain(std::env::split_paths(&path));
    let joined = std::env::join_paths(folders).unwrap_or(path);
    // The search for the program itself uses our PATH, not the one set here.
    let inside = own.join(program);
    let mut command = Command::new(if inside.is_file() { inside.into_os_string() } else { program.into() });
    command.env("PATH", joined).current_dir(root());
    command
}

fn venv() -> PathBuf {
    target().join("tools").join("venv")
}

/// Whether a program is there and answers.
pub fn works(program: &str) -> bool {
    answers(&mut with_build_tools(program))
}

fn answers(command: &mut Command) -> bool {
    let quiet = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Sees to cmake and ninja.
pub fn build_tools(watch: &mut Watch) -> Result<(), String> {
    if works("cmake") && works("ninja") {
        return Ok(());
    }
    let hint = "cmake and ninja are missing: install them, or Python 3 with venv and pip so that they can be fetched";
    if !answers(&mut Command::new("python3")) {
        return Err(hint.to_string());
    }
    println!("      fetching {} into a virtual environment (once)", WHEELS.join(" and "));
    let folder = venv();
    let made = watch.run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    let pip = folder.join("bin").join("pip");
    let fetched = made.and_then(|()| {
        watch.run(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check"]).args(WHEELS))
    });
    if fetched.is_err() || !works("cmake") || !works("ninja") {
        // A half-made environment would be found again next time.
        let _ = std::fs::remove_dir_all(folder);
        return Err(format!("{hint} ({})", fetched.err().unwrap_or_default()));
    }
    Ok(())
}

/// Sees to a program of the system's packages.
pub fn package(watch: &mut Watch, program: &str, package: &str) -> Result<(), String> {
    if works(program) {
        return Ok(());
    }
    let missing = format!("{program} is missing: install it (Debian's package is {package}) and run this again");
    match install(watch, package) {
        Ok(()) if works(program) => Ok(()),
        Ok(()) => Err(missing),
        Err(reason) => Err(format!("{missing} ({reason})")),
    }
}

/// Installs a package, where that needs nobody's word.
pub fn install(watch: &mut Watch, package: &str) -> Result<(), String> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root || !answers(&mut Command::new("apt-get")) {
        return Err("apt-get cannot install it here".to_string());
    }
    println!("      installing {package} with apt-get (once)");
    let mut apt = |arguments: &[&str]| {
        watch.run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // The lists of a fresh machine are empty or old.
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", package])
}

/// As `package`, for what is good to have: its lack is said aloud and nothing fails.
pub fn optional_package(watch: &mut Watch, program: &str, name: &str) -> bool {
    match package(watch, program, name) {
        Ok(()) => true,
        Err(reason) => {
            watch.skip(reason);
            false
        }
    }
}
