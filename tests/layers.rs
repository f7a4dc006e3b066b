//! Who may import whom: the arrows of the map, dependencies in their rooms, `unsafe` in its three.

mod tools;

use tools::source::{has_word, rust_files, Source};

/// What each room may import besides itself: `base <- sys <- rt <- {sync, io} <- ffi`.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("sys", &["base"]),
    ("rt", &["base", "sys"]),
    ("sync", &["base", "rt"]),
    ("io", &["base", "sys", "rt"]),
    ("ffi", &["base", "sys", "rt", "sync", "io"]),
];

/// Crates that only one place may name.
const CRATES: &[(&str, &str)] = &[
    ("mio", "src/sys/"),
    ("libc", "src/sys/"),
    ("socket2", "src/sys/"),
    ("corosensei", "src/rt/coro/stackful.rs"),
    ("rustls", "src/io/tls.rs"),
];

/// Where `unsafe` lives.
const UNSAFE: &[&str] = &["src/sys/", "src/rt/coro/", "src/ffi/"];

fn check(rule: &str, problems: Vec<String>) {
    assert!(problems.is_empty(), "{rule}:\n{}", problems.join("\n"));
}

/// The first names after each `crate::` of a line, groups opened: `crate::{base::A, rt}` names base and rt.
fn crate_paths(line: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (start, found) in line.match_indices("crate::") {
        if start > 0 && (line.as_bytes()[start - 1].is_ascii_alphanumeric() || line.as_bytes()[start - 1] == b'_') {
            continue;
        }
        let rest = &line[start + found.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            paths.push(rest.to_string());
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in group.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth < 0 || (depth == 0 && c == ',') {
                paths.push(std::mem::take(&mut item).trim().to_string());
            } else {
                item.push(c);
            }
            if depth < 0 {
                break;
            }
        }
    }
    paths
}

fn first_name(path: &str) -> &str {
    path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("")
}

/// Statements of library code, a `use` over several lines being one: line index and text.
fn statements(source: &Source) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in source.library_code() {
        match found.last_mut() {
            Some((_, text)) if open => text.push_str(line.trim()),
            _ => found.push((index, line.to_string())),
        }
        let text = found.last().map_or("", |(_, text)| text.trim_start());
        let is_use =
            ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|word| text.starts_with(word));
        open = is_use && !text.contains(';');
    }
    found
}

#[test]
fn imports_point_left_only() {
    let mut problems = Vec::new();
    for source in rust_files("src") {
        let room = source.room();
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == room) else { continue };
        for (index, text) in statements(&source) {
            for path in crate_paths(&text) {
                let target = first_name(&path);
                let known = LAYERS.iter().any(|(name, _)| *name == target);
                if known && target != room && !allowed.contains(&target) {
                    problems.push(format!("{}: {room} may not use {target}: {}", source.at(index), text.trim()));
                }
            }
        }
    }
    check("layers are base <- sys <- rt <- {sync, io} <- ffi", problems);
}

#[test]
fn sync_and_io_use_what_rt_re_exports() {
    let mut problems = Vec::new();
    for source in rust_files("src").iter().filter(|source| ["sync", "io"].contains(&source.room())) {
        for (index, text) in statements(source) {
            for path in crate_paths(&text) {
                let Some(inside) = path.strip_prefix("rt::") else { continue };
                let inside = inside.trim_start_matches('{');
                let name = first_name(inside);
                let module = name.starts_with(|c: char| c.is_lowercase()) && inside[name.len()..].starts_with("::");
                if module {
                    problems.push(format!("{}: reaches into rt::{name}: {}", source.at(index), text.trim()));
                }
            }
        }
    }
    check("sync and io are built on what rt/mod.rs re-exports, as a user would be", problems);
}

#[test]
fn no_path_climbs_to_the_root_by_super() {
    let mut problems = Vec::new();
    for source in rust_files("src") {
        let parts = source.name.trim_start_matches("src/").trim_end_matches(".rs").split('/');
        let depth = parts.filter(|part| !["mod", "lib"].contains(part)).count();
        let chain = "super::".repeat(depth.max(1));
        for (index, line) in source.library_code() {
            if line.contains(&chain) {
                problems.push(format!("{}: {}", source.at(index), line.trim()));
            }
        }
    }
    check("another room is named with crate::, where the layer test sees it", problems);
}

#[test]
fn crates_of_the_system_stay_in_their_room() {
    let mut problems = Vec::new();
    for source in rust_files("src") {
        for (index, line) in source.library_code() {
            for (name, place) in CRATES {
                let named = line.contains(&format!("{name}::")) && has_word(line, name);
                let imported =
                    line.trim_start().starts_with("use ") && has_word(line, name) && !line.contains("crate::");
                if (named || imported) && !source.name.starts_with(place) {
                    problems.push(format!("{}: {name} belongs to {place}: {}", source.at(index), line.trim()));
                }
            }
        }
    }
    check("a dependency is named in one room", problems);
}

#[test]
fn unsafe_lives_in_three_rooms() {
    let mut problems = Vec::new();
    for source in rust_files("src").iter().filter(|source| !UNSAFE.iter().any(|room| source.name.starts_with(room))) {
        for (index, line) in source.code.iter().enumerate().filter(|(_, line)| has_word(line, "unsafe")) {
            problems.push(format!("{}: {}", source.at(index), line.trim()));
        }
    }
    check("`unsafe` only in src/sys, src/rt/coro and src/ffi", problems);
}

#[test]
fn groups_of_imports_are_opened() {
    assert_eq!(crate_paths("use crate::{base::{A, B}, rt};"), ["base::{A, B}", "rt"]);
}
