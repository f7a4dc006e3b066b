//! `cargo xtask check`: what is too slow for every change.

use crate::steps::{Steps, Watch};
use crate::test;
use crate::tools::{self, cargo, root, target};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Definite leaks only: what a program still points to when it ends is no leak of ours.
const VALGRIND: &str = "valgrind --quiet --error-exitcode=99 --leak-check=full \
    --errors-for-leak-kinds=definite --show-leak-kinds=definite --num-callers=30";

/// The target is named so that build scripts and macros are not instrumented.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// How long new random sequences of calls are played.
const FUZZ_SECONDS: &str = "60";

/// Rust tests that are about the tree, not about the library's behaviour.
const ABOUT_THE_TREE: [&str; 6] = ["c", "header", "layers", "readme", "symbols", "tidy"];

/// Every checker, as far as the minutes carry.
pub fn all(minutes: Option<u64>) -> Result<(), String> {
    let mut steps = Steps::new(8, minutes.map(|minutes| Duration::from_secs(60 * minutes)));
    steps.step("formatting", |watch| watch.run(&mut cargo(&["fmt", "--all", "--check"])));
    steps.step("clippy", |watch| {
        let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        watch.run(&mut cargo(&clippy))
    });
    steps.step("random sequences", |watch| {
        watch.run(cargo(&["test", "--test", "sequences"]).env("ROTA_FUZZ_SECONDS", FUZZ_SECONDS))
    });
    steps.step("C programs under valgrind", valgrind);
    steps.step("the examples under valgrind", |watch| {
        tools::build_tools(watch)?;
        tools::package(watch, "valgrind", "valgrind")?;
        test::examples(watch, VALGRIND)
    });
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("SKIPPED the sanitizers: they are set up for x86-64 Linux");
        return steps.finish();
    }
    steps.step("C programs with AddressSanitizer", address_sanitizer);
    steps.step("Rust tests with AddressSanitizer", rust_address_sanitizer);
    steps.step("C programs with ThreadSanitizer", thread_sanitizer);
    steps.finish()
}

fn valgrind(watch: &mut Watch) -> Result<(), String> {
    tools::package(watch, "valgrind", "valgrind")?;
    let mut command = cargo(&["test", "--test", "c"]);
    watch.run(command.env("ROTA_C_WRAPPER", VALGRIND).env("ROTA_TEST_SLOW", "10"))
}

/// cargo with everything of ours instrumented; std is as it was shipped.
fn sanitized(sanitizer: &str, flags: &str, arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command
        .args(["--target", HOST, "--features", "sanitizer"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("-Zsanitizer={sanitizer}{flags}"))
        .env("CARGO_TARGET_DIR", target().join(sanitizer));
    command
}

/// Builds the instrumented library and proves that it is; the folder where it lies.
fn sanitized_library(watch: &mut Watch, sanitizer: &str, flags: &str, symbol: &str) -> Result<PathBuf, String> {
    watch.run(&mut sanitized(sanitizer, flags, &["build"]))?;
    let folder = target().join(sanitizer).join(HOST).join("debug");
    let library = std::fs::read(folder.join("librota.so")).map_err(|error| format!("the library: {error}"))?;
    match library.windows(symbol.len()).any(|bytes| bytes == symbol.as_bytes()) {
        true => Ok(folder),
        false => Err(format!("the library does not call {symbol}: it is not instrumented")),
    }
}

fn c_programs(library: PathBuf) -> Command {
    let mut command = cargo(&["test", "--test", "c"]);
    command.env("ROTA_C_LIBDIR", library).env("ROTA_TEST_SLOW", "5");
    command
}

fn address_sanitizer(watch: &mut Watch) -> Result<(), String> {
    let library = sanitized_library(watch, "address", "", "__asan_report")?;
    watch.run(c_programs(library).env("ROTA_C_FLAGS", "-fsanitize=address"))
}

fn rust_address_sanitizer(watch: &mut Watch) -> Result<(), String> {
    let mut arguments = vec!["test".to_string(), "--lib".to_string()];
    let entries = std::fs::read_dir(root().join("tests")).map_err(|error| format!("tests: {error}"))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|kind| kind == "rs") && !ABOUT_THE_TREE.contains(&name.as_str()) {
            arguments.extend(["--test".to_string(), name]);
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Abandoning a loop leaks by intent.
    let mut command = sanitized("address", "", &arguments);
    watch.run(command.env("ROTA_FUZZ_LEAKLESS", "1").env("ROTA_FUZZ_SECONDS", FUZZ_SECONDS))
}

/// gcc's own runtime does not know what Rust's instrumentation calls: rustc's is linked whole.
///
/// std is not instrumented, and what it does alone is invisible: see the suppressions.
fn thread_sanitizer(watch: &mut Watch) -> Result<(), String> {
    let flags = " -Cunsafe-allow-abi-mismatch=sanitizer";
    let library = sanitized_library(watch, "thread", flags, "__tsan_func_entry")?;
    let output = Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()).output();
    let sysroot = output.map_err(|error| format!("rustc: {error}"))?.stdout;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
    let runtime = sysroot.join("lib/rustlib").join(HOST).join("lib/librustc-stable_rt.tsan.a");
    if !runtime.is_file() {
        watch.skip("ThreadSanitizer: this toolchain brings no librustc-stable_rt.tsan.a".to_string());
        return Ok(());
    }
    let link =
        format!("-Wl,--whole-archive {} -Wl,--no-whole-archive -rdynamic -lm -ldl -lrt -lresolv", runtime.display());
    watch.run(
        c_programs(library)
            .env("ROTA_C_FLAGS", "-fsanitize=thread")
            .env("ROTA_C_LINK", link)
            .env("TSAN_OPTIONS", "halt_on_error=1"),
    )
}
