//! `cargo xtask test`: every test there is, in the order in which a failure tells most.

use crate::package;
use crate::steps::{Steps, Watch};
use crate::tools::{self, cargo};
use std::process::Command;

const POLL: &str = "--cfg mio_unsupported_force_poll_poll";

/// Every test.
pub fn all() -> Result<(), String> {
    let mut steps = Steps::new(4 + package::STEPS, None);
    steps.step("tools: cmake, ninja, clang, pkg-config", see_to_tools);
    steps.step("Rust tests, C and C++ programs, header, symbols, tidy", |watch| {
        watch.run(&mut cargo(&["test", "--no-fail-fast"]))
    });
    package::all(&mut steps);
    steps.step("the examples as programs, seen from outside", |watch| examples(watch, ""));
    steps.step("the whole suite again, over mio's poll fallback", over_poll);
    steps.finish()
}

fn over_poll(watch: &mut Watch) -> Result<(), String> {
    // A target directory of its own: the flags would rebuild everything in the usual one, twice.
    let folder = tools::target().join("poll");
    let mut command = cargo(&["test", "--no-fail-fast"]);
    // What compilers make of templates and macros has been seen in the first round.
    command.env("RUSTFLAGS", POLL).env("CARGO_TARGET_DIR", &folder).env("ROTA_C_ONE_WAY", "1");
    let suite = watch.run(&mut command);
    if !cfg!(target_os = "linux") {
        return suite;
    }
    // The examples' own library gives way to this one, which has the same soname.
    let library = folder.join("debug").join("deps").join("librota.so");
    suite.and(examples(watch, &format!("env LD_PRELOAD='{}'", library.display())))
}

fn see_to_tools(watch: &mut Watch) -> Result<(), String> {
    for (program, package) in [("cc", "gcc"), ("c++", "g++"), ("nm", "binutils"), ("python3", "python3")] {
        tools::package(watch, program, package)?;
    }
    tools::optional_package(watch, "clang", "clang");
    tools::optional_package(watch, "pkg-config", "pkg-config");
    tools::build_tools(watch)
}

/// The examples of the tree, run by a program that plays the other side of their connections.
///
/// `wrap` is a command to run each example under, or empty.
pub fn examples(watch: &mut Watch, wrap: &str) -> Result<(), String> {
    let programs = package::build_tree(watch)?.join("c_examples");
    let mut command = Command::new("python3");
    command.current_dir(tools::root()).arg("tests/examples.py").arg("--bin").arg(programs);
    watch.run(command.arg(format!("--wrap={wrap}")))
}

/// `cargo xtask header`: writes the generated files anew.
pub fn refresh() -> Result<(), String> {
    let mut watch = Watch::default();
    for test in ["header", "symbols"] {
        let names = ["the_header_is_fresh", "the_exports_are_the_list"];
        let mut command = cargo(&["test", "--quiet", "--test", test, "--"]);
        watch.run(command.args(names).env("UPDATE", "1"))?;
    }
    println!("include/rota.h and tests/symbols.txt are what the source says");
    Ok(())
}
