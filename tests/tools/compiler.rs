//! The C and C++ compilers of this machine.

use super::process;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One family: its C and its C++ compiler.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// "gcc", "clang".
    pub name: &'static str,
    /// The command for C.
    pub c: String,
    /// The command for C++.
    pub cpp: String,
}

/// The compilers that programs are built with: `CC` and `CXX`, or `cc` and `c++`.
pub fn default() -> Compiler {
    let of = |variable: &str, usual: &str| std::env::var(variable).unwrap_or_else(|_| usual.to_string());
    Compiler { name: "cc", c: of("CC", "cc"), cpp: of("CXX", "c++") }
}

/// The compilers that the header must please: gcc, and clang where there is one.
pub fn strict() -> Vec<Compiler> {
    let gcc = Compiler { name: "gcc", c: "gcc".into(), cpp: "g++".into() };
    let clang = Compiler { name: "clang", c: "clang".into(), cpp: "clang++".into() };
    let found: Vec<Compiler> = [gcc, clang].into_iter().filter(|one| works(&one.c) && works(&one.cpp)).collect();
    assert!(!found.is_empty(), "neither gcc with g++ nor clang with clang++ is installed");
    if !found.iter().any(|one| one.name == "clang") {
        process::say("SKIPPED clang: it is not installed (apt-get install clang); only gcc saw the header");
    }
    found
}

fn works(command: &str) -> bool {
    Command::new(command).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs a compiler; its messages are the error.
pub fn compile(command: &str, arguments: &[String]) -> Result<(), String> {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap_or("cc"))
        .args(words)
        .args(arguments)
        .output()
        .map_err(|error| format!("{command}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command} {}\n{said}", arguments.join(" ")))
}

/// Arguments from a line of words.
pub fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_string).collect()
}

/// How a program is linked with a shared library: by its folder, found again at run time.
pub fn link_arguments(folder: &Path) -> Vec<String> {
    let folder = folder.display();
    vec![format!("-L{folder}"), "-lrota".into(), format!("-Wl,-rpath,{folder}"), "-lpthread".into()]
}

/// A folder with the library under the names that the linker and the loader look for.
///
/// The library's soname is `librota.so.0`; cargo makes `librota.so` only.
pub fn library_folder(library: &Path, folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder for the library");
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    for name in ["librota.so".to_string(), format!("librota.so.{major}")] {
        let link = folder.join(name);
        // Another test of the same run may be making the same link.
        if std::fs::read_link(&link).ok().as_deref() != Some(library) {
            let _ = std::fs::remove_file(&link);
            let _ = std::os::unix::fs::symlink(library, &link);
        }
    }
    folder.to_path_buf()
}
