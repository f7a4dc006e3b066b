//! What README.md and the header's introduction show compiles, and runs where it is a whole program.
//!
//! A block fenced as `c` that has a `main` is linked and run and must return 0. Other blocks are
//! fragments: they must compile at the top of a file or inside a function, where the usual names
//! (`loop`, `stream`, `future`, ...) are declared. `<!-- file: c_examples/x.c -->` before a block
//! says that it is that file as it stands.

mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use tools::{compiler, process, root};

/// A piece of C and where it stands.
struct Snippet {
    at: String,
    text: String,
    /// The file it claims to be.
    file: Option<PathBuf>,
}

const HEADERS: &str = "#include <rota.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n";

/// What a fragment may use without saying where it comes from.
const AROUND: &str = "void fragment(rota_loop loop, rota_task task, rota_future future, rota_timer timer, \
    rota_stream stream, rota_stream conn, rota_listener listener, char *buf, size_t size, void *user_data, \
    void *app);\n\
    void fragment(rota_loop loop, rota_task task, rota_future future, rota_timer timer, rota_stream stream, \
    rota_stream conn, rota_listener listener, char *buf, size_t size, void *user_data, void *app) {\n\
    (void)loop; (void)task; (void)future; (void)timer; (void)stream; (void)conn; (void)listener; (void)buf;\n\
    (void)size; (void)user_data; (void)app;\n";

fn readme_snippets() -> Vec<Snippet> {
    let text = tools::read(&root().join("README.md"));
    let mut found: Vec<Snippet> = Vec::new();
    let (mut open, mut file) = (false, None);
    for (index, line) in text.lines().enumerate() {
        let said = line.trim();
        if said == "```c" {
            open = true;
            found.push(Snippet { at: format!("README.md:{}", index + 1), text: String::new(), file: file.take() });
        } else if said == "```" && open {
            open = false;
        } else if let (true, Some(snippet)) = (open, found.last_mut()) {
            snippet.text.push_str(line);
            snippet.text.push('\n');
        } else if let Some(name) = said.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")) {
            file = Some(PathBuf::from(name));
        }
    }
    found
}

/// The program of the introduction: the indented lines under its title.
fn header_program() -> Snippet {
    let text = tools::read(&root().join("include/rota.h"));
    let after = text.lines().enumerate().skip_while(|(_, line)| *line != "// A PROGRAM").skip(1);
    let mut lines = Vec::new();
    let mut first = 0;
    for (index, line) in after {
        let Some(comment) = line.strip_prefix("//") else { break };
        if let Some(code) = comment.strip_prefix("     ") {
            first = if lines.is_empty() { index + 1 } else { first };
            lines.push(code);
        } else if comment.is_empty() && !lines.is_empty() {
            lines.push("");
        } else if !comment.is_empty() {
            break;
        }
    }
    assert!(!lines.is_empty(), "include/rota.h has no program under `// A PROGRAM`");
    Snippet { at: format!("include/rota.h:{first}"), text: lines.join("\n") + "\n", file: None }
}

fn build(source: &Path, text: &str, more: &[String]) -> Result<(), String> {
    fs::write(source, text).expect("a source file");
    let mut arguments = compiler::words("-std=c11 -Wall -Wextra -Werror -D_DEFAULT_SOURCE");
    // What a fragment defines it need not use.
    arguments.extend(compiler::words("-Wno-unused-function -Wno-unused-variable -Wno-unused-parameter"));
    arguments.push(format!("-I{}", root().join("include").display()));
    arguments.push(source.display().to_string());
    arguments.extend(more.iter().cloned());
    compiler::compile(&compiler::default().c, &arguments)
}

fn run_program(snippet: &Snippet, folder: &Path) -> Result<(), String> {
    let library = compiler::library_folder(&tools::shared_library(), &folder.join("lib"));
    let name = snippet.at.replace(['/', ':', '.'], "-");
    let program = folder.join(&name);
    let mut more = vec!["-o".to_string(), program.display().to_string()];
    more.extend(compiler::link_arguments(&library));
    build(&folder.join(format!("{name}.c")), &snippet.text, &more)?;
    let log = folder.join(format!("{name}.txt"));
    let ended = process::run(&[program.display().to_string()], folder, &log, process::limit());
    if ended.timed_out || ended.code != 0 {
        return Err(format!("{}: exit code {}\n{}", snippet.at, ended.code, ended.output));
    }
    Ok(())
}

/// A fragment compiles as declarations, or else as statements.
fn check_fragment(snippet: &Snippet, folder: &Path) -> Result<(), String> {
    let source = folder.join(format!("{}.c", snippet.at.replace(['/', ':', '.'], "-")));
    let only_check = ["-fsyntax-only".to_string()];
    let text = &snippet.text;
    let Err(outside) = build(&source, &format!("{HEADERS}{text}"), &only_check) else { return Ok(()) };
    let inside = build(&source, &format!("{HEADERS}{AROUND}{text}\n}}\n"), &only_check);
    inside.map_err(|inside| {
        format!("{}: neither at the top of a file\n{outside}\nnor in a function\n{inside}", snippet.at)
    })
}

fn check(snippet: &Snippet, folder: &Path) -> Result<(), String> {
    if let Some(file) = &snippet.file {
        if tools::read(&root().join(file)) != snippet.text {
            return Err(format!("{}: not {} as it stands", snippet.at, file.display()));
        }
    }
    // A whole file of c_examples is built by CMake and tested there.
    match (snippet.text.contains("int main("), &snippet.file) {
        (true, None) => run_program(snippet, folder),
        (true, Some(_)) => Ok(()),
        (false, _) => check_fragment(snippet, folder),
    }
}

#[test]
fn the_snippets_of_the_readme_compile_and_run() {
    let folder = tools::scratch("readme");
    let snippets = readme_snippets();
    assert!(!snippets.is_empty(), "README.md shows no C");
    let failures: Vec<String> = snippets.iter().filter_map(|snippet| check(snippet, &folder).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_program_of_the_header_compiles_and_runs() {
    let folder = tools::scratch("header-program");
    run_program(&header_program(), &folder).unwrap_or_else(|message| panic!("{message}"));
}
