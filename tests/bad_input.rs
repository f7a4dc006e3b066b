//! Bad input for every exported function: tests/bad_input.py writes a C program
//! from the header, which is built against the shared library and run here.

mod tools;

use std::path::Path;
use std::process::Command;
use tools::{compiler, process, root};

/// The program for this header, or what the generator says against it.
fn generate(header: &Path) -> Result<String, String> {
    let script = root().join("tests/bad_input.py");
    let output = Command::new("python3").arg(script).arg(header).output().expect("python3 runs");
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).expect("the program is UTF-8")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn every_exported_function_survives_bad_input() {
    let scratch = tools::scratch("bad_input");
    let source = scratch.join("bad_input_generated.c");
    let program = scratch.join("bad_input_generated");
    let text = generate(&root().join("include/rota.h")).unwrap_or_else(|message| panic!("{message}"));
    std::fs::write(&source, text).expect("the program is written");
    let library = compiler::library_folder(&tools::shared_library(), &scratch.join("lib"));
    const FLAGS: &str = "-std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -g -O1 -Wall -Wextra -Werror";
    let mut arguments = compiler::words(FLAGS);
    for folder in ["include", "tests/c"] {
        arguments.push(format!("-I{}", root().join(folder).display()));
    }
    arguments.extend(compiler::words(&std::env::var("ROTA_C_FLAGS").unwrap_or_default()));
    arguments.extend([source.display().to_string(), "-o".into(), program.display().to_string()]);
    if let Ok(link) = std::env::var("ROTA_C_LINK") {
        arguments.extend(compiler::words(&link));
    }
    arguments.extend(compiler::link_arguments(&library));
    compiler::compile(&compiler::default().c, &arguments).unwrap_or_else(|message| panic!("{message}"));
    // It calls every function some hundred times, a few of them on a fixture of their own.
    let limit = process::limit() * 3;
    let ended = process::run(&[program.display().to_string()], &scratch, &scratch.join("output.txt"), limit);
    assert!(!ended.timed_out, "still running after {} s\n{}", limit.as_secs(), ended.output);
    assert_eq!(ended.code, 0, "{}", ended.output);
}

#[test]
fn a_function_that_no_rule_covers_is_noticed() {
    let header = std::fs::read_to_string(root().join("include/rota.h")).expect("the header");
    let path = tools::scratch("bad_input").join("more.h");
    for (declaration, said) in [
        ("rota_status rota_loop_fly(rota_loop loop, rota_wing wing);", "rota_loop_fly: no good value"),
        ("rota_status rota_nothing(void);", "rota_nothing: no rule covers it"),
        ("rota_wing (*rota_odd(int))(int);", "not understood: rota_odd"),
    ] {
        let more = header.replace("#ifdef __cplusplus\n}", &format!("{declaration}\n\n#ifdef __cplusplus\n}}"));
        assert_ne!(more, header, "the header ends differently now");
        std::fs::write(&path, more).expect("the header is written");
        let message = generate(&path).expect_err(declaration);
        assert!(message.contains(said), "{declaration}: {message}");
    }
}
