//! Writes the header: cbindgen's text, with the overlong lines folded.

use super::root;

/// The widest line of the header.
pub const COLUMNS: usize = 80;

/// The header as the source has it now.
pub fn generate() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_crate(root())
        .with_config(config)
        .generate()
        .expect("cbindgen understands the crate")
        .write(&mut text);
    fold(&without_private(&String::from_utf8(text).expect("a header in UTF-8")))
}

/// Takes out what does not bear the prefix, with its comment.
///
/// Constants and types of the library's own are public in Rust, so that its
/// modules can share them; constants of a handle's type are Rust's way to
/// write them, not C's.
pub fn without_private(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut for_rust = false;
    for line in text.lines() {
        // What makes a call from Rust sound is what the text above it says to C already.
        for_rust = line.starts_with("///") && (for_rust || line == "/// # Safety");
        if for_rust {
            if lines.last() == Some(&"///") {
                lines.pop();
            }
        } else if is_private(line) {
            while lines.last().is_some_and(|last| last.starts_with("///")) {
                lines.pop();
            }
        } else if !(line.is_empty() && lines.last().is_some_and(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

fn is_private(line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("#define ") {
        return !rest.starts_with("ROTA_");
    }
    let opaque = line.strip_prefix("typedef struct ").and_then(|rest| rest.strip_suffix(';'));
    opaque.is_some_and(|names| !names.contains("rota_"))
}

/// Brings every line within the columns: declarations are folded at commas,
/// paragraphs of comments are filled anew if one of their lines is too long.
pub fn fold(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !is_text(line) {
            out.push_str(&fold_declaration(line));
            out.push('\n');
            continue;
        }
        let mut paragraph = vec![line];
        while let Some(next) = lines.next_if(|next| is_text(next)) {
            paragraph.push(next);
        }
        for line in fill(&paragraph) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// A line of running text in a comment: no blank, item, table or code line.
fn is_text(line: &str) -> bool {
    let Some(text) = line.trim_start().strip_prefix("/// ") else { return false };
    let first = text.chars().next().unwrap_or(' ');
    !(first.is_whitespace() || first.is_ascii_digit() || "-*|#`".contains(first))
}

fn fill(paragraph: &[&str]) -> Vec<String> {
    if paragraph.iter().all(|line| line.len() <= COLUMNS) {
        return paragraph.iter().map(|line| line.to_string()).collect();
    }
    let indent = paragraph[0].len() - paragraph[0].trim_start().len();
    let start = format!("{}///", " ".repeat(indent));
    let words = paragraph.iter().flat_map(|line| line.trim_start()[3..].split_whitespace());
    let mut lines = vec![start.clone()];
    for word in words {
        let last = lines.last_mut().expect("a line was begun");
        if last.len() + 1 + word.len() > COLUMNS && *last != start {
            lines.push(format!("{start} {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines
}

fn fold_declaration(line: &str) -> String {
    // A negative constant that stands beside an operator must stay whole.
    if let Some((define, number)) = line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -")) {
        return format!("#define {define} (-{number})");
    }
    if line.len() <= COLUMNS || line.trim_start().starts_with("//") || line.starts_with('#') {
        return line.to_string();
    }
    let indent = line.len() - line.trim_start().len();
    let more = " ".repeat(indent + 4);
    let mut lines = vec![String::new()];
    for part in line.split_inclusive(", ") {
        let last = lines.last_mut().expect("a line was begun");
        if last.len() + part.trim_end().len() > COLUMNS && !last.trim().is_empty() {
            *last = last.trim_end().to_string();
            lines.push(format!("{more}{part}"));
        } else {
            last.push_str(part);
        }
    }
    lines.join("\n")
}
