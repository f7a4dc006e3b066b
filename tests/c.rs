//! Runs the programs of tests/c and tests/cpp against the shared library, each
//! in a process of its own with a time limit.
//!
//! A program passes with exit code 0 and skips with 77, its last line of output
//! being the reason. What templates and macros make depends on the compiler: C++ programs
//! are built and run by each, as C++20 and 23, and those of `EVERY_WAY` as C and as C++ at
//! each level of optimisation. A first line `// flags: ...` has more flags for a program.
//! Lines of output that begin with `|`, a table, are shown.
//!
//! From the environment: `ROTA_C_ONLY` (parts of names, with commas), `ROTA_C_WRAPPER`
//! (put before each run: "valgrind -q"), `ROTA_C_FLAGS` (more flags for the compiler),
//! `ROTA_C_LINK` (flags for linking, if not the same; a C++ compiler links),
//! `ROTA_C_LIBDIR` (where librota.so lies), `ROTA_C_ONE_WAY` (each program built once only),
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

/// Programs that rely on what a compiler makes of macros.
const EVERY_WAY: &[&str] = &["step"];
const STRICT: &str = "-Wpedantic -Wconversion -Wshadow -Wimplicit-fallthrough";
const LEVELS: [&str; 4] = ["-O0", "-O1", "-O2", "-O3"];

enum Outcome {
    /// With what it has to show.
    Passed(String),
    Skipped(String),
    Failed(String),
}

/// A program, and how it is built.
struct Program {
    source: PathBuf,
    /// Its name, and what is special about the way it is built.
    name: String,
    compiler: String,
    /// After all others.
    flags: Vec<String>,
}

impl Program {
    fn new(source: PathBuf, compiler: &str, way: &str, strict: &str) -> Program {
        let text = tools::read(&source);
        let own = text.lines().next().and_then(|line| line.strip_prefix("// flags: ")).unwrap_or("");
        let flags = compiler::words(&format!("{way} {strict} {own}"));
        let name = if strict.is_empty() { name_of(&source) } else { format!("{} {compiler} {way}", name_of(&source)) };
        Program { source, name, compiler: compiler.to_string(), flags }
    }
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

    fn build(&self, built: &Program, program: &Path) -> Result<(), String> {
        // GNU modes would hide what a strict user meets; POSIX is asked for by name.
        let mut arguments = vec!["-D_POSIX_C_SOURCE=200809L".into(), "-D_DEFAULT_SOURCE".into()];
        arguments.extend(compiler::words(WARNINGS));
        for folder in ["include", "tests/c", "tests/cpp"] {
            arguments.push(format!("-I{}", root().join(folder).display()));
        }
        arguments.extend(self.flags.iter().chain(&built.flags).cloned());
        let object = program.with_extension("o").display().to_string();
        arguments.extend(["-c".into(), built.source.display().to_string(), "-o".into(), object.clone()]);
        compiler::compile(&built.compiler, &arguments)?;
        // A sanitizer's runtime that is not the compiler's own is C++ and has its own flags.
        let linker = if self.link_flags.is_some() { &self.compiler.cpp } else { &built.compiler };
        let mut arguments = vec![object, "-o".into(), program.display().to_string()];
        arguments.extend(self.link_flags.as_ref().unwrap_or(&self.flags).iter().cloned());
        arguments.extend(compiler::link_arguments(&self.library));
        compiler::compile(linker, &arguments)
    }

    /// The programs that a source makes: one, built as usual, or one for each way.
    fn programs(&self, source: PathBuf) -> Vec<Program> {
        let cpp = source.extension().is_some_and(|extension| extension == "cpp");
        let (command, standard) = if cpp { (&self.compiler.cpp, "c++20") } else { (&self.compiler.c, "c11") };
        let every_way = EVERY_WAY.contains(&name_of(&source).as_str());
        // A checker has its own compiler and its own flags.
        let checked =
            ["ROTA_C_FLAGS", "ROTA_C_LIBDIR", "ROTA_C_ONE_WAY"].iter().any(|name| std::env::var_os(name).is_some());
        if checked || !(cpp || every_way) {
            return vec![Program::new(source, command, &format!("-std={standard}"), "")];
        }
        let mut programs = Vec::new();
        for compiler in compiler::strict() {
            if cpp {
                let ways: &[&str] = match compiler.name {
                    "gcc" => &["-std=c++20 -O0", "-std=c++2b -O2"],
                    _ => &["-std=c++20 -O2"],
                };
                programs.extend(ways.iter().map(|way| Program::new(source.clone(), &compiler.cpp, way, STRICT)));
                continue;
            }
            for (command, words) in [(&compiler.c, "-xc -std=c99"), (&compiler.cpp, "-xc++ -std=c++11")] {
                let ways = LEVELS.iter().map(|level| format!("{words} {level}"));
                programs.extend(ways.map(|way| Program::new(source.clone(), command, &way, STRICT)));
            }
        }
        programs
    }

    fn try_one(&self, built: &Program) -> (Outcome, Duration) {
        let kind = built.source.extension().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{}-{kind}", built.name.replace(' ', ""));
        // A folder for each, so that a program may leave files in its current one.
        let folder = self.scratch.join(&name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for the program");
        let program = folder.join(&name);
        if let Err(message) = self.build(built, &program) {
            return (Outcome::Failed(message), Duration::ZERO);
        }
        let limit = process::limit();
        let ended = process::run(&[program.display().to_string()], &folder, &folder.join("output.txt"), limit);
        let output = ended.output;
        let outcome = match ended.code {
            _ if ended.timed_out => Outcome::Failed(format!("still running after {} s\n{output}", limit.as_secs())),
            0 => Outcome::Passed(output.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>().join("\n")),
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
    let programs: Vec<Program> = sources.into_iter().flat_map(|source| setup.programs(source)).collect();
    let next = AtomicUsize::new(0);
    let counts = [const { AtomicUsize::new(0) }; 3];
    let failures = Mutex::new(Vec::new());
    let shown_tables = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (outcome, took) = setup.try_one(program);
                    let (kind, text) = match &outcome {
                        Outcome::Passed(_) => (0, "ok".to_string()),
                        Outcome::Failed(_) => (1, "FAILED".to_string()),
                        Outcome::Skipped(reason) => (2, format!("SKIPPED: {reason}")),
                    };
                    counts[kind].fetch_add(1, Ordering::Relaxed);
                    let number: usize = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                    let (name, all) = (&program.name, programs.len());
                    say(&format!("[{number}/{all}] {name} ... {text} {:.2}s", took.as_secs_f64()));
                    if let Outcome::Passed(table) = &outcome {
                        // Built in several ways, a program shows the same.
                        let mut seen = shown_tables.lock().expect("the tables");
                        if !table.is_empty() && !seen.contains(table) {
                            say(table);
                            seen.push(table.clone());
                        }
                    }
                    if let Outcome::Failed(message) = outcome {
                        let at = shown(&program.source);
                        failures.lock().expect("the list").push(format!("--- {at}: {name}: {message}"));
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
