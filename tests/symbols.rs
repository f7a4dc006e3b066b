//! The shared library exports what tests/symbols.txt lists, and nothing else.
//!
//! Each line is a symbol and the version that brought it. `UPDATE=1 cargo test
//! --test symbols` adds new ones with the version of Cargo.toml; it takes away
//! only those of that version, because a function that was released stays.

mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn list() -> PathBuf {
    tools::root().join("tests/symbols.txt")
}

/// Symbol and version, as listed.
fn listed() -> BTreeMap<String, String> {
    let mut symbols = BTreeMap::new();
    for (number, line) in tools::read(&list()).lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [symbol, version] = words[..] else {
            panic!("tests/symbols.txt:{}: not `symbol version`: {line}", number + 1);
        };
        let known = symbols.insert(symbol.to_string(), version.to_string());
        assert!(known.is_none(), "tests/symbols.txt:{}: {symbol} is listed twice", number + 1);
    }
    symbols
}

/// What the dynamic loader can see.
fn exported() -> BTreeSet<String> {
    let library = tools::shared_library();
    let output = Command::new("nm")
        .args(["-D", "--defined-only", "--format=posix"])
        .arg(&library)
        .output()
        .expect("nm, from binutils");
    assert!(output.status.success(), "nm: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_string).collect()
}

/// Functions that the header declares: the last name before the first bracket of a line.
fn declared() -> BTreeSet<String> {
    let header = tools::read(&tools::root().join("include/rota.h"));
    let plain = header.lines().filter(|line| !line.starts_with([' ', '#', '/', '}']) && !line.starts_with("typedef"));
    plain
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.split([' ', '*']).next_back())
        .filter(|name| name.starts_with("rota_"))
        .map(str::to_string)
        .collect()
}

#[test]
fn the_exports_are_the_list() {
    let exported = exported();
    if tools::updating() {
        let mut symbols = if list().exists() { listed() } else { BTreeMap::new() };
        symbols.retain(|symbol, version| exported.contains(symbol) || version != env!("CARGO_PKG_VERSION"));
        for symbol in &exported {
            symbols.entry(symbol.clone()).or_insert_with(|| env!("CARGO_PKG_VERSION").to_string());
        }
        let text: String = symbols.iter().map(|(symbol, version)| format!("{symbol} {version}\n")).collect();
        fs::write(list(), text).expect("tests/symbols.txt can be written");
    }
    let listed: BTreeSet<String> = listed().into_keys().collect();
    let extra: Vec<_> = exported.difference(&listed).collect();
    let missing: Vec<_> = listed.difference(&exported).collect();
    assert!(extra.is_empty(), "exported and not in tests/symbols.txt (UPDATE=1 adds them): {extra:?}");
    assert!(missing.is_empty(), "in tests/symbols.txt and not exported: {missing:?}");
}

#[test]
fn only_our_prefix_is_exported() {
    let foreign: Vec<_> = exported().into_iter().filter(|symbol| !symbol.starts_with("rota_")).collect();
    assert!(foreign.is_empty(), "exported without the prefix: {foreign:?}");
}

#[test]
fn the_exports_are_the_functions_of_the_header() {
    if tools::updating() {
        return; // The header may be being rewritten beside us.
    }
    assert_eq!(exported(), declared());
}

#[test]
fn the_soname_carries_the_major_version() {
    let output =
        Command::new("objdump").arg("-p").arg(tools::shared_library()).output().expect("objdump, from binutils");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let soname = text.lines().find_map(|line| line.trim().strip_prefix("SONAME")).map(str::trim);
    assert_eq!(soname, Some(concat!("librota.so.", env!("CARGO_PKG_VERSION_MAJOR"))));
}
