//! What the tests of the build share: where things lie, which compilers there
//! are, and running a program with a time limit.
#![allow(dead_code)] // Each test file uses its part of this.

pub mod compiler;
pub mod header;
pub mod process;
pub mod source;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    // cargo says it again at run time, which lets a built test look at another copy of the tree.
    let place = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(place)
}

/// A folder of its own for what a test makes, apart for each profile and target directory.
pub fn scratch(name: &str) -> PathBuf {
    let folder = profile_folder().join("test-scratch").join(name);
    fs::create_dir_all(&folder).expect("a folder under the target directory");
    folder
}

/// Where cargo put this test, without `deps`.
pub fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.parent().and_then(Path::parent).expect("a test lies in target/<profile>/deps").to_path_buf()
}

/// The shared library that belongs to this test: of its profile, flags and features.
///
/// `cargo test` builds it beside the test itself; `ROTA_C_LIBDIR` names another folder.
pub fn shared_library() -> PathBuf {
    let name = format!("{}rota{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = match std::env::var_os("ROTA_C_LIBDIR") {
        Some(folder) => root().join(folder).join(name),
        None => profile_folder().join("deps").join(name),
    };
    assert!(library.is_file(), "{} is not there; `cargo test` builds it", library.display());
    library
}

/// Whether the committed files are to be rewritten (`UPDATE=1`) rather than compared.
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// The files under `folder` (if it exists) with this extension, sorted.
pub fn files_under(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            found.extend(files_under(&path, extension));
        } else if path.extension() == Some(OsStr::new(extension)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file's text.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path as it is named in a message: from the repository's top.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The first line where two texts differ, for a message that fits on a screen.
pub fn first_difference(expected: &str, found: &str) -> String {
    let (mut left, mut right) = (expected.lines(), found.lines());
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let (a, b) = (a.unwrap_or("(the end)"), b.unwrap_or("(the end)"));
                return format!("line {number}:\n  expected: {a}\n  found:    {b}");
            }
        }
    }
    "the ends of lines differ".to_string()
}
