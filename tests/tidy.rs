//! The rules of the house that no compiler checks, one test for each.
//!
//! A rule with exceptions has them in a list here, each with its reason.

mod tools;

use std::path::{Path, PathBuf};
use tools::source::{rust_files, Function, Source};
use tools::{files_under, root, shown};

/// Files over 500 lines, and why one file is better than two.
const LONG_FILES: &[(&str, &str)] = &[];

/// What an exported function must run inside: any function of src/ffi/guard.rs whose name starts so.
const GUARD: &str = "guard";

/// Exported functions that need no guard: they call nothing that could panic.
const INFALLIBLE: &[&str] =
    &["rota_version", "rota_version_text", "rota_strerror", "rota_status_name", "rota_os_error"];

/// What aborts where there is no memory, as it is spelled.
const ABORTING: &[&str] = &[
    "vec!",
    "format!",
    "Vec::new(",
    "Vec::with_capacity",
    "Vec::from",
    "Box::new(",
    "Box::from",
    "Rc::new",
    "Arc::new",
    "String::",
    ".to_string(",
    ".to_owned(",
    ".to_vec(",
    ".into_boxed",
    ".collect(",
    ".collect::<",
    "HashMap",
    "HashSet",
    "BTreeMap",
    "VecDeque",
    "BinaryHeap",
];

/// Lines that may use one of those after all: file, a part of the line, the reason.
const MAY_ABORT: &[(&str, &str, &str)] =
    &[("src/rt/core.rs", "Arc::new(Remote::new(", "std's, once, when the loop is opened; other threads keep it alive")];

/// Programs and tests that must sleep: file and reason.
const MAY_SLEEP: &[(&str, &str)] = &[];

fn check(rule: &str, problems: Vec<String>) {
    assert!(problems.is_empty(), "{rule}:\n{}", problems.join("\n"));
}

fn all_rust() -> Vec<Source> {
    ["src", "tests", "xtask", "benches", "fuzz"].into_iter().flat_map(rust_files).collect()
}

fn all_c() -> Vec<PathBuf> {
    let folders = ["tests", "c_examples", "benches", "include"];
    let kinds = ["c", "h", "cpp", "hpp"];
    let pairs = folders.iter().flat_map(|folder| kinds.iter().map(move |kind| (folder, kind)));
    let files = pairs.flat_map(|(folder, kind)| files_under(&root().join(folder), kind));
    files.filter(|path| shown(path) != "include/rota.h").collect()
}

/// Whether a function calls a guard, or another function of its file that does.
fn is_guarded(function: &Function, file: &[Function]) -> bool {
    let mut seen = vec![function.name.as_str()];
    let mut bodies = vec![function.body.as_str()];
    while let Some(body) = bodies.pop() {
        let calls: Vec<&str> = body
            .split(|c: char| !c.is_alphanumeric() && !"_(".contains(c))
            .filter_map(|word| word.split_once('('))
            .map(|(name, _)| name)
            .collect();
        if calls.iter().any(|name| name.starts_with(GUARD)) {
            return true;
        }
        for helper in file.iter().filter(|helper| calls.contains(&helper.name.as_str())) {
            if !seen.contains(&helper.name.as_str()) {
                seen.push(&helper.name);
                bodies.push(&helper.body);
            }
        }
    }
    false
}

#[test]
fn the_c_face_does_not_panic_by_itself() {
    let mut problems = Vec::new();
    for source in rust_files("src").iter().filter(|source| source.room() == "ffi") {
        for (index, line) in source.library_code() {
            let word = [".unwrap()", ".expect(", "panic!", "unreachable!", "assert!(", "assert_eq!("];
            if word.iter().any(|word| line.contains(word)) {
                problems.push(format!("{}: {}", source.at(index), line.trim()));
            }
        }
    }
    check("outside the guard a panic would end the host's process", problems);
}

#[test]
fn exported_functions_live_in_ffi_with_comment_and_guard() {
    let mut problems = Vec::new();
    let mut exported = 0;
    for source in rust_files("src") {
        let mut names = Vec::new();
        let functions = source.functions();
        for function in &functions {
            let signature = &source.code[function.first];
            if !signature.contains("extern") || !function.name.starts_with("rota_") {
                continue;
            }
            let at = format!("{}: {}", source.at(function.first), function.name);
            names.push(function.name.clone());
            let above: Vec<&str> = source.lines[..function.first]
                .iter()
                .rev()
                .map(|line| line.trim())
                .take_while(|line| line.starts_with(['#', '/']))
                .collect();
            if !above.iter().any(|line| line.starts_with("///")) {
                problems.push(format!("{at}: no comment"));
            }
            if !above.iter().any(|line| line.contains("no_mangle")) {
                problems.push(format!("{at}: not exported, though named like it"));
            }
            if !is_guarded(function, &functions) && !INFALLIBLE.contains(&function.name.as_str()) {
                problems.push(format!("{at}: it does not run inside `{GUARD}…(` and is not listed as infallible"));
            }
        }
        let marks = source.code.iter().filter(|line| line.contains("no_mangle")).count();
        if marks != names.len() {
            problems.push(format!(
                "{}: {marks} no_mangle, but {} exported functions: {names:?}",
                source.name,
                names.len()
            ));
        }
        if source.room() != "ffi" && marks > 0 {
            problems.push(format!("{}: exports from outside src/ffi", source.name));
        }
        exported += names.len();
    }
    check("an exported function has a comment and runs inside the guard", problems);
    assert!(exported >= INFALLIBLE.len() - 1, "the scan found {exported} exported functions, which cannot be all");
}

#[test]
fn rooms_of_the_loop_allocate_fallibly() {
    let mut problems = Vec::new();
    for source in rust_files("src").iter().filter(|source| ["base", "rt", "sync", "io"].contains(&source.room())) {
        for (index, line) in source.library_code() {
            let excused = MAY_ABORT.iter().any(|(file, part, _)| *file == source.name && line.contains(part));
            for word in ABORTING.iter().filter(|word| line.contains(**word) && !excused) {
                problems.push(format!("{}: `{word}` aborts without memory: {}", source.at(index), line.trim()));
            }
        }
    }
    check("base, rt, sync and io allocate from the loop's allocator, and a lack is a status", problems);
}

#[test]
fn files_are_short() {
    let mut problems = Vec::new();
    let sources = all_rust().into_iter().map(|source| (source.name, source.lines.len()));
    let c = all_c().into_iter().map(|path| (shown(&path), tools::read(&path).lines().count()));
    for (name, lines) in sources.chain(c) {
        let argued = LONG_FILES.iter().any(|(file, _)| *file == name);
        if lines > 700 || (lines > 500 && !argued) {
            problems.push(format!("{name}: {lines} lines"));
        }
    }
    for (name, _) in LONG_FILES {
        let long = root().join(name).is_file() && tools::read(&root().join(name)).lines().count() > 500;
        if !long {
            problems.push(format!("{name}: no longer long, take it off the list"));
        }
    }
    check("files have 500 lines at most, 700 with a reason in LONG_FILES", problems);
}

#[test]
fn functions_are_short() {
    let mut problems = Vec::new();
    for source in all_rust() {
        for function in source.functions() {
            let length = function.last - function.first + 1;
            if length > 70 {
                problems.push(format!("{}: {} has {length} lines", source.at(function.first), function.name));
            }
        }
    }
    for path in all_c() {
        let text = tools::read(&path);
        let mut start = None;
        for (index, line) in text.lines().enumerate() {
            let begins = line.ends_with('{') && line.contains('(') && !line.starts_with([' ', '\t', '#', '/']);
            if begins {
                start = Some(index);
            } else if line == "}" {
                let length = start.take().map_or(0, |start| index - start + 1);
                if length > 70 {
                    problems.push(format!("{}:{}: {length} lines end here", shown(&path), index + 1));
                }
            }
        }
    }
    check("functions have 70 lines at most", problems);
}

#[test]
fn lines_are_short() {
    let mut problems = Vec::new();
    let rust = all_rust().into_iter().map(|source| (source.name, source.lines, 120));
    let c = all_c().into_iter().map(|path| {
        let lines = tools::read(&path).lines().map(str::to_string).collect();
        (shown(&path), lines, 100)
    });
    for (name, lines, most) in rust.chain(c) {
        for (index, line) in lines.iter().enumerate() {
            let width = line.chars().count();
            if width > most {
                problems.push(format!("{name}:{}: {width} columns", index + 1));
            }
        }
    }
    check("lines have 120 columns at most in Rust, 100 in C and C++", problems);
}

#[test]
fn every_module_opens_with_what_it_is() {
    let without = rust_files("src")
        .into_iter()
        .filter(|source| !source.name.ends_with("/tests.rs"))
        .filter(|source| !source.lines.first().is_some_and(|line| line.starts_with("//!")));
    check("a file under src begins with `//!`", without.map(|source| source.name).collect());
}

#[test]
fn no_file_is_left_out_of_the_build() {
    let mut problems = Vec::new();
    for source in rust_files("src") {
        let path = Path::new(&source.name);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut folder = path.parent().unwrap_or(Path::new("src")).to_path_buf();
        if source.name == "src/lib.rs" || source.name == "src/build.rs" {
            continue;
        }
        let mut module = stem;
        if module == "mod" {
            module = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            folder.pop();
        }
        let owners = [folder.join("mod.rs"), folder.join("lib.rs"), folder.with_extension("rs")];
        let declared = owners.iter().map(|owner| root().join(owner)).filter(|owner| owner.is_file()).any(|owner| {
            let text = tools::read(&owner);
            text.contains(&format!("mod {module};")) || text.contains(&format!("\"{module}.rs\""))
        });
        if !declared {
            problems.push(format!("{}: no `mod {module};` names it", source.name));
        }
    }
    check("every file under src is compiled", problems);
}

#[test]
fn tests_do_not_sleep() {
    let mut problems = Vec::new();
    let rust = ["src", "tests"].into_iter().flat_map(rust_files).map(|source| (source.name, source.code));
    let c = all_c().into_iter().filter(|path| shown(path).starts_with("tests/")).map(|path| {
        let code = tools::source::blank(&tools::read(&path));
        (shown(&path), code.lines().map(str::to_string).collect())
    });
    for (name, lines) in rust.chain(c) {
        if MAY_SLEEP.iter().any(|(file, _)| *file == name) {
            continue;
        }
        for (index, line) in lines.iter().enumerate() {
            let sleeps =
                ["thread::sleep", "usleep(", "nanosleep(", "sleep_for("].iter().any(|word| line.contains(word));
            let c_sleep = name.ends_with(".c")
                && [" ", ";", "(", ")"].iter().any(|before| line.contains(&format!("{before}sleep(")));
            if sleeps || c_sleep {
                problems.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    check("tests use the virtual clock or wait for a condition", problems);
}

/// Every text file of ours: sources, documents and scripts; not what is built or fetched.
fn all_texts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of ours").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_symlink() || ["target", ".git", "__pycache__", "node_modules"].contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).is_ok_and(|bytes| std::str::from_utf8(&bytes).is_ok()) {
                found.push(path);
            }
        }
    }
    found
}

/// Whether `word` stands in a line; where it is a path, from its root.
fn stands(line: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || "./_-".contains(c);
    line.match_indices(word).any(|(at, _)| !word.starts_with('/') || !line[..at].ends_with(inner))
}

/// Words that no text of ours may have, put together here so that this file has none.
fn complain_about(rule: &str, words: &[String]) {
    let mut problems = Vec::new();
    for path in all_texts().into_iter().filter(|path| !path.ends_with("Cargo.lock")) {
        for (index, line) in tools::read(&path).lines().enumerate() {
            for word in words.iter().filter(|word| stands(line, word)) {
                problems.push(format!("{}:{}: {word}", shown(&path), index + 1));
            }
        }
    }
    check(rule, problems);
}

#[test]
fn nothing_is_left_for_later() {
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"], ["todo", "!("], ["unimplemented", "!("]];
    complain_about("no notes to come back to", &words.map(|parts| parts.concat()));
}

#[test]
fn nothing_names_a_machine() {
    let folders = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]];
    complain_about("no path of a machine", &folders.map(|parts| parts.concat()));
    let hosts = [["crates", ".io/"], ["pypi", ".org"], ["deb.debian", ".org"], ["npmjs", ".org"]];
    complain_about("no host of a registry", &hosts.map(|parts| parts.concat()));
}

#[test]
fn the_scan_knows_code_from_text() {
    let text = concat!(
        "fn a<'x>(c: char) -> &'x str { let t = '{'; /* } */ r#\"}\"#; \"}\\\"\" }\n",
        "// fn no() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n"
    );
    let source = Source::new("src/rt/example.rs".to_string(), text);
    let functions: Vec<_> = source.functions().into_iter().map(|f| (f.name, f.first, f.last)).collect();
    assert_eq!(functions, [("a".to_string(), 0, 0), ("b".to_string(), 4, 4), ("c".to_string(), 6, 6)]);
    assert_eq!(source.test, [false, false, true, true, true, true, false]);
}
