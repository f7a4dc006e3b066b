//! `cargo xtask check`: what is too slow for every change.

use crate::steps::{Steps, Watch};
use crate::tools::{self, cargo, target};
use std::time::Duration;

const VALGRIND: &str = "valgrind --quiet --error-exitcode=99 --leak-check=full \
    --errors-for-leak-kinds=definite --show-leak-kinds=definite --num-callers=30";

/// The target is named so that build scripts and macros are not instrumented.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// Every checker, as far as the minutes carry.
pub fn all(minutes: Option<u64>) -> Result<(), String> {
    let mut steps = Steps::new(5, minutes.map(|minutes| Duration::from_secs(60 * minutes)));
    steps.step("formatting", |watch| watch.run(&mut cargo(&["fmt", "--all", "--check"])));
    steps.step("clippy", |watch| {
        let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        watch.run(&mut cargo(&clippy))
    });
    steps.step("C programs under valgrind", valgrind);
    steps.step("C programs with AddressSanitizer", address_sanitizer);
    steps.step("Rust tests with AddressSanitizer", rust_address_sanitizer);
    steps.finish()
}

fn valgrind(watch: &mut Watch) -> Result<(), String> {
    tools::package(watch, "valgrind", "valgrind")?;
    let mut command = cargo(&["test", "--test", "c"]);
    watch.run(command.env("ROTA_C_WRAPPER", VALGRIND).env("ROTA_TEST_SLOW", "10"))
}

fn sanitized(arguments: &[&str]) -> std::process::Command {
    let mut command = cargo(arguments);
    command
        .args(["--target", HOST, "--features", "sanitizer"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("CARGO_TARGET_DIR", target().join("asan"));
    command
}

fn address_sanitizer(watch: &mut Watch) -> Result<(), String> {
    watch.run(&mut sanitized(&["build"]))?;
    let library = target().join("asan").join(HOST).join("debug");
    let mut command = cargo(&["test", "--test", "c"]);
    watch.run(
        command
            .env("ROTA_C_FLAGS", "-fsanitize=address -DROTA_TEST_SANITIZED=1")
            .env("ROTA_C_LIBDIR", library)
            .env("ASAN_OPTIONS", "detect_stack_use_after_return=0")
            .env("ROTA_TEST_SLOW", "5"),
    )
}

fn rust_address_sanitizer(watch: &mut Watch) -> Result<(), String> {
    watch.run(&mut sanitized(&["test", "--lib"]))
}
