//! include/rota.h is what the source says, and compiles wherever C and C++ do.
//!
//! `UPDATE=1 cargo test --test header` rewrites it.

mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use tools::compiler::{self, Compiler};
use tools::{header, root};

const WARNINGS: &str = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror";
const C: [&str; 3] = ["c99", "c11", "c17"];
const CPP: [&str; 3] = ["c++11", "c++17", "c++20"];

fn path() -> PathBuf {
    root().join("include/rota.h")
}

/// The committed header, as tests look at it.
fn committed() -> String {
    if tools::updating() {
        return header::generate();
    }
    tools::read(&path())
}

#[test]
fn the_header_is_fresh() {
    let generated = header::generate();
    if tools::updating() {
        fs::write(path(), &generated).expect("include/rota.h can be written");
        return;
    }
    let committed = tools::read(&path());
    assert!(
        committed == generated,
        "include/rota.h is not what src/ffi says now, `cargo xtask header` refreshes it: {}",
        tools::first_difference(&generated, &committed)
    );
}

#[test]
fn no_line_is_wider_than_80_columns() {
    let wide: Vec<String> = committed()
        .lines()
        .enumerate()
        .filter(|(_, line)| line.chars().count() > header::COLUMNS)
        .map(|(number, line)| format!("include/rota.h:{}: {line}", number + 1))
        .collect();
    assert!(wide.is_empty(), "over 80 columns:\n{}", wide.join("\n"));
}

#[test]
fn the_version_is_cargos() {
    let part = |text: &str| text.parse::<u32>().expect("a number");
    let [major, minor, patch] =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")].map(part);
    let text = committed();
    let packed = format!("0x{:08X}", major << 16 | minor << 8 | patch);
    for (name, value) in
        [("", packed), ("_MAJOR", major.to_string()), ("_MINOR", minor.to_string()), ("_PATCH", patch.to_string())]
    {
        let line = format!("#define ROTA_VERSION{name} {value}");
        assert!(text.lines().any(|found| found == line), "`{line}` is missing: after_includes in cbindgen.toml");
    }
}

#[test]
fn it_includes_three_headers_and_no_more() {
    let text = committed();
    let includes: Vec<&str> = code_lines(&text).filter(|line| line.starts_with("#include")).collect();
    assert_eq!(includes, ["#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>"]);
}

#[test]
fn it_keeps_to_the_plain_part_of_c() {
    for (number, line) in committed().lines().enumerate() {
        let at = format!("include/rota.h:{}: {line}", number + 1);
        let code = line.split("//").next().unwrap_or("");
        let words: Vec<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        assert!(!code.contains("..."), "variable arguments: {at}");
        for word in ["union", "inline", "static", "long", "va_list"] {
            assert!(!words.contains(&word), "`{word}` in the header: {at}");
        }
        let bit_field = code.trim_end().ends_with(';') && code.contains(" : ");
        assert!(!bit_field, "a bit-field: {at}");
        if let Some(define) = code.strip_prefix("#define ") {
            let name: String = define.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(!define[name.len()..].starts_with('('), "a macro with parameters: {at}");
            assert!(name.starts_with("ROTA_"), "a constant without the prefix: {at}");
        }
    }
}

#[test]
fn every_function_and_type_bears_the_prefix_and_a_comment() {
    let text = committed();
    let mut commented = false;
    for (number, line) in text.lines().enumerate() {
        let at = format!("include/rota.h:{}: {line}", number + 1);
        if line.trim_start().starts_with("///") {
            commented = true;
            continue;
        }
        let declares = !line.starts_with([' ', '}', '#', '/']) && (line.contains('(') || line.starts_with("typedef "));
        if declares && !line.starts_with("extern") {
            assert!(commented, "no comment before it: {at}");
            let named = line.contains("rota_") || line.ends_with('{');
            assert!(named, "no rota_ prefix: {at}");
        }
        commented = false;
    }
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// Compiles one file in one mode; a message if the compiler has anything to say.
fn check(compiler: &Compiler, standard: &str, source: &Path, object: &Path) -> Result<(), String> {
    let cpp = standard.starts_with("c++");
    let mut arguments = vec![format!("-std={standard}")];
    arguments.extend(compiler::words(WARNINGS));
    if !cpp {
        arguments.extend(compiler::words("-Wstrict-prototypes -Wmissing-prototypes"));
    }
    arguments.push(format!("-I{}", root().join("include").display()));
    arguments.extend(["-c".into(), source.display().to_string(), "-o".into(), object.display().to_string()]);
    compiler::compile(if cpp { &compiler.cpp } else { &compiler.c }, &arguments)
}

/// Every compiler with every standard, and a file that includes the header as given.
fn check_everywhere(name: &str, text: &str) {
    let folder = tools::scratch("header");
    let mut failures = Vec::new();
    for compiler in compiler::strict() {
        for standard in C.iter().chain(&CPP) {
            let extension = if standard.starts_with("c++") { "cpp" } else { "c" };
            let source = folder.join(format!("{name}.{extension}"));
            fs::write(&source, text).expect("a source file");
            let object = folder.join(format!("{name}-{}-{standard}.o", compiler.name));
            if let Err(message) = check(&compiler, standard, &source, &object) {
                failures.push(message);
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn it_compiles_alone_in_every_mode() {
    check_everywhere("alone", "#include <rota.h>\nextern int not_empty;\n");
}

#[test]
fn it_may_be_included_twice() {
    check_everywhere("twice", "#include \"rota.h\"\n#include <rota.h>\nextern int not_empty;\n");
}

#[test]
fn two_files_that_include_it_link_as_c_and_as_cpp() {
    let folder = tools::scratch("header");
    let include = format!("-I{}", root().join("include").display());
    let one = "#include <rota.h>\nint other(void);\nint main(void) { return other(); }\n";
    let two = "#include <rota.h>\nint other(void);\nint other(void) { return (int)ROTA_OK; }\n";
    for compiler in compiler::strict() {
        for (command, extension) in [(&compiler.c, "c"), (&compiler.cpp, "cpp")] {
            let files = [("one", one), ("two", two)].map(|(name, text)| {
                let file = folder.join(format!("{name}.{extension}"));
                fs::write(&file, text).expect("a source file");
                file.display().to_string()
            });
            let program = folder.join(format!("linked-{}-{extension}", compiler.name)).display().to_string();
            let [first, second] = files;
            let arguments = [include.clone(), first, second, "-o".into(), program];
            compiler::compile(command, &arguments).unwrap_or_else(|message| panic!("{message}"));
        }
    }
}

/// Handles go into a function, and come back through callbacks, as a `uint64_t` would: the two
/// files differ in the type alone, and the compiler must make the same instructions of them.
#[test]
fn a_handle_has_the_abi_of_a_uint64() {
    const BODY: &str = "
        int32_t callee(HANDLE first, const void *data, HANDLE second, uint32_t flags, void *user_data);
        int32_t caller(void);
        int32_t caller(void) {
            HANDLE a = MAKE(0x1122334455667788u), b = MAKE(0x99aabbccddeeff00u);
            return callee(a, (const void *)0, b, 7u, (void *)0);
        }
        extern volatile uint64_t seen[4];
        void receive(void *before, HANDLE handle, int64_t after, void *user_data);
        void receive(void *before, HANDLE handle, int64_t after, void *user_data) {
            seen[0] = (uint64_t)(uintptr_t)before;
            seen[1] = ID(handle);
            seen[2] = (uint64_t)after;
            seen[3] = (uint64_t)(uintptr_t)user_data;
        }
        HANDLE hand_out(uint64_t id);
        HANDLE hand_out(uint64_t id) { return MAKE(id + 1u); }
        uint64_t take(uint64_t id);
        uint64_t take(uint64_t id) { return ID(hand_out(id)) + 1u; }\n";
    const STRUCT: &str = "#include <stdint.h>\ntypedef struct { uint64_t id; } HANDLE;\n\
        #define MAKE(x) ((HANDLE){(x)})\n#define ID(h) ((h).id)\n";
    const NUMBER: &str = "#include <stdint.h>\ntypedef uint64_t HANDLE;\n#define MAKE(x) (x)\n#define ID(h) (h)\n";
    let folder = tools::scratch("header");
    for compiler in compiler::strict() {
        let [with_struct, with_number] = [("struct", STRUCT), ("number", NUMBER)].map(|(name, head)| {
            // One name for both, because the assembly mentions it.
            let place = folder.join(format!("abi-{name}-{}", compiler.name));
            fs::create_dir_all(&place).expect("a folder");
            let (source, assembly) = (place.join("abi.c"), place.join("abi.s"));
            fs::write(&source, format!("{head}{BODY}")).expect("a source file");
            let mut arguments = compiler::words("-std=c99 -O2 -S -fno-ident");
            arguments.extend([source.display().to_string(), "-o".into(), assembly.display().to_string()]);
            compiler::compile(&compiler.c, &arguments).unwrap_or_else(|message| panic!("{message}"));
            tools::read(&assembly)
        });
        assert!(with_struct.contains("callee"), "the call is in the assembly");
        assert!(
            with_struct == with_number,
            "{}: a handle and a uint64_t differ, {}",
            compiler.name,
            tools::first_difference(&with_number, &with_struct)
        );
    }
}

#[test]
fn the_fold_keeps_to_the_columns_and_loses_nothing() {
    let long = "typedef void (*rota_timer_fn)(rota_timer timer, rota_status status, void *user_data, uint64_t more);";
    let comment = "/// One sentence that is long enough to need a second line, which the fold makes of it by itself.";
    let folded = header::fold(&format!("{comment}\n/// And more.\n{long}\n"));
    assert!(folded.lines().all(|line| line.len() <= 80), "{folded}");
    let squeeze = |text: &str| text.replace("///", "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&folded), squeeze(&format!("{comment} And more. {long}")));
}
