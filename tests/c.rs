//! Runs the programs of tests/c and tests/cpp against the shared library, each
//! in a process of its own with a time limit.
//!
//! A program passes with exit code 0 and skips with 77, its last line of output
//! being the reason. From the environment: `ROTA_C_ONLY` (parts of names, with commas),
//! `ROTA_C_WRAPPER` (put before each run: "valgrind -q"), `ROTA_C_FLAGS` (more
//! flags for the compiler), `ROTA_C_LINK` (flags for linking, if not the same;
//! a C++ compiler links), `ROTA_C_LIBDIR` (where librota.so lies),
//! `ROTA_TEST_SLOW` (a factor on the limits).

mod tools;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::Duration;
use tools::process::{self, say};
use tools::{compiler, root, shown};

/// How many programs run at once: they wait more than they compute.
const AT_ONCE: usize = 2;
const SKIP: i32 = 77;
const WARNINGS: &str = "-g -O1 -Wall -Wextra -Werror -fno-omit-frame-pointer";

enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

/// What is the same for every program of a run.
struct Setup {
    compiler: compiler::Compiler,
    library: PathBuf,
    scratch: PathBuf,
    flags: Vec<String>,
    link_flags: Option<Vec<String>>,
}

impl Setup {
    fn new() -> Setup {
        // Apart for each library, so that a checker may run beside another.
        let place = std::env::var("ROTA_C_LIBDIR").unwrap_or_default();
        let scratch = tools::scratch(&format!("c-{}", place.replace(|c: char| !c.is_alphanumeric(), "-")));
        Setup {
            compiler: compiler::default(),
            library: compiler::library_folder(&tools::shared_library(), &scratch.join("lib")),
            scratch,
            flags: compiler::words(&std::env::var("ROTA_C_FLAGS").unwrap_or_default()),
            link_flags: std::env::var("ROTA_C_LINK").ok().map(|flags| compiler::words(&flags)),
        }
    }

    fn build(&self, source: &Path, program: &Path) -> Result<(), String> {
        let cpp = source.extension().is_some_and(|extension| extension == "cpp");
        let (command, standard) = if cpp { (&self.compiler.cpp, "c++20") } else { (&self.compiler.c, "c11") };
        // GNU modes would hide what a strict user meets; POSIX is asked for by name.
        let mut arguments = vec![format!("-std={standard}"), "-D_POSIX_C_SOURCE=200809L".into()];
        arguments.push("-D_DEFAULT_SOURCE".into());
        arguments.extend(compiler::words(WARNINGS));
        for folder in ["include", "tests/c"] {
            arguments.push(format!("-I{}", root().join(folder).display()));
        }
        arguments.extend(self.flags.iter().cloned());
        let object = program.with_extension("o").display().to_string();
        arguments.extend(["-c".into(), source.display().to_string(), "-o".into(), object.clone()]);
        compiler::compile(command, &arguments)?;
        // A sanitizer's runtime that is not the compiler's own is C++ and has its own flags.
        let linker = if self.link_flags.is_some() { &self.compiler.cpp } else { command };
        let mut arguments = vec![object, "-o".into(), program.display().to_string()];
        arguments.extend(self.link_flags.as_ref().unwrap_or(&self.flags).iter().cloned());
        arguments.extend(compiler::link_arguments(&self.library));
        compiler::compile(linker, &arguments)
    }

    fn try_one(&self, source: &Path) -> (Outcome, Duration) {
        let kind = source.extension().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{}-{kind}", name_of(source));
        // A folder for each, so that a program may leave files in its current one.
        let folder = self.scratch.join(&name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for the program");
        let program = folder.join(&name);
        if let Err(message) = self.build(source, &program) {
            return (Outcome::Failed(message), Duration::ZERO);
        }
        let limit = process::limit();
        let ended = process::run(&[program.display().to_string()], &folder, &folder.join("output.txt"), limit);
        let output = ended.output;
        let outcome = match ended.code {
            _ if ended.timed_out => Outcome::Failed(format!("still running after {} s\n{output}", limit.as_secs())),
            0 => Outcome::Passed,
            SKIP => Outcome::Skipped(output.lines().last().unwrap_or("no reason given").to_string()),
            code if code > 128 => Outcome::Failed(format!("killed by signal {}\n{output}", code - 128)),
            code => Outcome::Failed(format!("exit code {code}\n{output}")),
        };
        (outcome, ended.took)
    }
}

fn name_of(source: &Path) -> String {
    source.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn sources() -> Vec<PathBuf> {
    let mut sources = tools::files_under(&root().join("tests/c"), "c");
    sources.extend(tools::files_under(&root().join("tests/cpp"), "cpp"));
    if let Ok(only) = std::env::var("ROTA_C_ONLY") {
        sources.retain(|source| only.split(',').any(|part| name_of(source).contains(part)));
    }
    sources
}

#[test]
fn every_c_and_cpp_program_passes() {
    let sources = sources();
    assert!(!sources.is_empty(), "no programs in tests/c and tests/cpp, or none that ROTA_C_ONLY names");
    let setup = Setup::new();
    let next = AtomicUsize::new(0);
    let counts = [const { AtomicUsize::new(0) }; 3];
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (outcome, took) = setup.try_one(source);
                    let (kind, text) = match &outcome {
                        Outcome::Passed => (0, "ok".to_string()),
                        Outcome::Failed(_) => (1, "FAILED".to_string()),
                        Outcome::Skipped(reason) => (2, format!("SKIPPED: {reason}")),
                    };
                    counts[kind].fetch_add(1, Ordering::Relaxed);
                    let number: usize = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                    let name = name_of(source);
                    say(&format!("[{number}/{}] {name} ... {text} {:.2}s", sources.len(), took.as_secs_f64()));
                    if let Outcome::Failed(message) = outcome {
                        failures.lock().expect("the list").push(format!("--- {}: {message}", shown(source)));
                    }
                }
            });
        }
    });
    let [passed, failed, skipped] = counts.map(AtomicUsize::into_inner);
    say(&format!("C programs: {passed} passed, {failed} failed, {skipped} skipped"));
    let failures = failures.into_inner().expect("the list");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
