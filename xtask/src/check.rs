//! `cargo xtask check`: what is too slow for every change.

use crate::steps::{Steps, Watch};
use crate::test;
use crate::tools::{self, cargo, root, target};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Definite leaks only: what a program still points to when it ends is no leak of ours.
const VALGRIND: &str = "valgrind --quiet --error-exitcode=99 --leak-check=full \
    --errors-for-leak-kinds=definite --show-leak-kinds=definite --num-callers=30";

/// The target is named so that build scripts and macros are not instrumented.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// How long new random sequences of calls are played.
const FUZZ_SECONDS: &str = "60";

/// Rust tests that are about the tree, or run C programs of their own.
const ABOUT_THE_TREE: [&str; 9] =
    ["asyncio", "bad_input", "c", "header", "layers", "parity", "readme", "symbols", "tidy"];

/// Every checker, as far as the minutes carry.
pub fn all(minutes: Option<u64>) -> Result<(), String> {
    let mut steps = Steps::new(9, minutes.map(|minutes| Duration::from_secs(60 * minutes)));
    steps.step("formatting", |watch| watch.run(&mut cargo(&["fmt", "--all", "--check"])));
    steps.step("clippy", |watch| {
        let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        watch.run(&mut cargo(&clippy))
    });
    steps.step("random sequences", |watch| {
        let mut command = cargo(&["test", "--test", "sequences"]);
        if std::env::var_os("CI").is_some() {
            // A submission is judged by sequences that can be had again; by hand, every run plays others.
            command.env("ROTA_FUZZ_FROM", "1000");
        }
        watch.run(command.env("ROTA_FUZZ_SECONDS", FUZZ_SECONDS))
    });
    steps.step("models of what threads share, in every interleaving", models);
    steps.step("C programs under valgrind", valgrind);
    steps.step("the examples under valgrind", examples_under_valgrind);
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("SKIPPED the sanitizers: they are set up for x86-64 Linux");
        return steps.finish();
    }
    steps.step("C programs with AddressSanitizer", address_sanitizer);
    steps.step("Rust tests with AddressSanitizer", rust_address_sanitizer);
    steps.step("C programs with ThreadSanitizer", thread_sanitizer);
    steps.finish()
}

/// The library is built with its own profile (Cargo.toml): memcheck is ten times slower on one that is not optimised,
/// and takes branches that full optimisation merges for a use of uninitialised memory.
fn valgrind(watch: &mut Watch) -> Result<(), String> {
    tools::package(watch, "valgrind", "valgrind")?;
    watch.run(&mut cargo(&["rustc", "--profile", "valgrind", "--lib", "--crate-type", "cdylib"]))?;
    let mut command = cargo(&["test", "--test", "c", "--test", "bad_input"]);
    command.env("ROTA_C_LIBDIR", target().join("valgrind"));
    let suppressions = root().join("tests/c/valgrind.supp");
    let wrapper = format!("{VALGRIND} --suppressions={}", suppressions.display());
    watch.run(command.env("ROTA_C_WRAPPER", wrapper).env("ROTA_TEST_SLOW", "10"))
}

/// loom runs src/sys/models.rs. A target directory of its own: the flags would rebuild everything in the usual one.
fn models(watch: &mut Watch) -> Result<(), String> {
    let mut command = cargo(&["test", "--lib", "--", "sys::models"]);
    watch.run(command.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", target().join("loom")))
}

fn examples_under_valgrind(watch: &mut Watch) -> Result<(), String> {
    tools::build_tools(watch)?;
    // The examples' own library gives way to the one that is built for valgrind: it has the same soname.
    let library = target().join("valgrind").join("librota.so");
    test::examples(watch, &format!("env LD_PRELOAD='{}' {VALGRIND}", library.display()))
}

/// cargo with everything of ours instrumented; std is as it was shipped.
fn with_address_sanitizer(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command
        .args(["--target", HOST, "--features", "sanitizer"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("CARGO_TARGET_DIR", target().join("address"));
    command
}

/// Where an instrumented library lies, once it is seen to be one.
fn instrumented(folder: &str, symbol: &str) -> Result<PathBuf, String> {
    let folder = target().join(folder).join(HOST).join("debug");
    let library = std::fs::read(folder.join("librota.so")).map_err(|error| format!("the library: {error}"))?;
    match library.windows(symbol.len()).any(|bytes| bytes == symbol.as_bytes()) {
        true => Ok(folder),
        false => Err(format!("the library does not call {symbol}: it is not instrumented")),
    }
}

fn c_programs(tests: &[&str], library: PathBuf) -> Command {
    let mut command = cargo(&["test"]);
    for test in tests {
        command.args(["--test", test]);
    }
    command.env("ROTA_C_LIBDIR", library).env("ROTA_TEST_SLOW", "5");
    command
}

fn address_sanitizer(watch: &mut Watch) -> Result<(), String> {
    watch.run(&mut with_address_sanitizer(&["build"]))?;
    let library = instrumented("address", "__asan_report")?;
    watch.run(c_programs(&["c", "bad_input"], library).env("ROTA_C_FLAGS", "-fsanitize=address"))
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
    // What abandoned and poisoned loops leave behind is a leak, and meant: the sequences do without, the unit tests of
    // poisoning name it.
    let meant = format!("suppressions={}", root().join("tests/lsan.supp").display());
    let mut command = with_address_sanitizer(&arguments);
    watch.run(command.env("ROTA_FUZZ_LEAKLESS", "1").env("LSAN_OPTIONS", meant))
}

/// A toolchain that comes with std's source, beside the usual one: its rustc and its cargo.
const WITH_STD: [&str; 2] = ["/usr/bin/rustc", "/usr/bin/cargo"];

/// std must be instrumented too, or its locks are invisible and everything behind them looks like
/// a race; so a toolchain with std's source builds it. The runtime is the usual toolchain's, linked
/// whole: gcc's own does not know all that Rust's instrumentation calls.
fn thread_sanitizer(watch: &mut Watch) -> Result<(), String> {
    for name in ["rustc-web", "cargo-web", "rust-web-src"] {
        let file = if name == "cargo-web" { WITH_STD[1] } else { WITH_STD[0] };
        let source = name != "rust-web-src" || std_source().is_some();
        if !(Path::new(file).is_file() && source) && tools::install(watch, name).is_err() {
            watch.skip(format!("ThreadSanitizer: it needs Debian's package {name} (a compiler with std's source)"));
            return Ok(());
        }
    }
    let runtime = "librustc-stable_rt.tsan.a";
    let from = libraries("rustc")?.join(runtime);
    if !from.is_file() {
        watch.skip(format!("ThreadSanitizer: this toolchain brings no {runtime}"));
        return Ok(());
    }
    // The other toolchain looks for the runtime among its own libraries.
    let to = libraries(WITH_STD[0])?.join(runtime);
    if let Err(error) = std::fs::copy(&from, &to) {
        watch.skip(format!("ThreadSanitizer: its runtime cannot be put where rustc looks, {}: {error}", to.display()));
        return Ok(());
    }
    let mut build = Command::new(WITH_STD[1]);
    build
        .current_dir(root())
        .args(["build", "--target", HOST, "-Zbuild-std=std,panic_unwind"])
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("RUSTC", WITH_STD[0])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=thread")
        .env("CARGO_TARGET_DIR", target().join("thread"));
    watch.run(&mut build)?;
    let library = instrumented("thread", "__tsan_func_entry")?;
    let whole = format!("-Wl,--whole-archive {} -Wl,--no-whole-archive", from.display());
    watch.run(
        c_programs(&["c"], library)
            .env("ROTA_C_FLAGS", "-fsanitize=thread")
            .env("ROTA_C_LINK", format!("{whole} -rdynamic -lm -ldl -lrt -lresolv"))
            .env("TSAN_OPTIONS", "halt_on_error=1")
            // Its shadow memory has fixed places, where a kernel that spreads addresses widely may have put something.
            .env("ROTA_C_WRAPPER", "setarch -R"),
    )
}

/// The folder of a compiler's own libraries.
fn libraries(rustc: &str) -> Result<PathBuf, String> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).current_dir(root()).output();
    let sysroot = output.map_err(|error| format!("{rustc}: {error}"))?.stdout;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
    Ok(sysroot.join("lib/rustlib").join(HOST).join("lib"))
}

fn std_source() -> Option<PathBuf> {
    let sysroot = libraries(WITH_STD[0]).ok()?.join("../../../..");
    Some(sysroot.join("lib/rustlib/src/rust/library/std")).filter(|folder| folder.exists())
}
