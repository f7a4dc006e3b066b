//! Builds the contestants: rota's program against its shared library, and the peers that this machine has.

use crate::{succeed, Setup};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A peer in C++: its source, what it is linked with, and how to get what it needs.
const PEERS: &[(&str, &[&str], &str)] = &[
    ("asio", &[], "apt-get install libasio-dev"),
    ("fiber", &["-lboost_fiber", "-lboost_context"], "apt-get install libboost-fiber-dev"),
];

/// Everything that can be built; what cannot is said aloud.
pub fn all() -> Result<Setup, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no root")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = target.join("benches");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let program = rota(root, &target, &folder)?;
    // Cargo has built the peers in Rust together with this program.
    let mut peers = vec![target.join("release/peers")];
    for (name, libraries, advice) in PEERS {
        let peer = folder.join(name);
        let mut command = Command::new("g++");
        command.args(["-std=c++20", "-O2", "-g", "-Wall", "-Wextra"]).arg(root.join("benches/peers/peer.cpp"));
        command.arg(root.join(format!("benches/peers/{name}.cpp"))).arg("-o").arg(&peer).args(*libraries);
        match command.output() {
            Ok(done) if done.status.success() => peers.push(peer),
            Ok(done) => {
                let said = String::from_utf8_lossy(&done.stderr).lines().next().unwrap_or_default().to_owned();
                eprintln!("{name} is left out ({advice}): {said}");
            }
            Err(error) => eprintln!("{name} is left out: g++: {error}"),
        }
    }
    Ok(Setup { program, peers, folder })
}

fn rota(root: &Path, target: &Path, folder: &Path) -> Result<PathBuf, String> {
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
    Ok(program)
}
