//! A Rust file as tidy.rs reads it: code apart from comments, texts and tests.

use super::{files_under, read, root, shown};
use std::path::Path;

/// One file of ours.
pub struct Source {
    /// Its path from the repository's top, with `/`.
    pub name: String,
    /// Its lines as they stand.
    pub lines: Vec<String>,
    /// Its lines with comments and the insides of literals blanked.
    pub code: Vec<String>,
    /// Which lines belong to `#[cfg(test)]` items.
    pub test: Vec<bool>,
}

/// A function: where it begins and ends, by index of line.
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`.
    pub first: usize,
    /// The line of the closing brace.
    pub last: usize,
    /// What stands between the braces, blanked.
    pub body: String,
}

/// Every Rust file under a folder of the repository.
pub fn rust_files(folder: &str) -> Vec<Source> {
    files_under(&root().join(folder), "rs").iter().map(|path| Source::open(path)).collect()
}

impl Source {
    /// Reads and scans a file.
    pub fn open(path: &Path) -> Source {
        Source::new(shown(path), &read(path))
    }

    /// Scans a text.
    pub fn new(name: String, text: &str) -> Source {
        let code: Vec<String> = blank(text).lines().map(str::to_string).collect();
        // A module of tests in a file of its own is marked where it is declared.
        let all_tests = name.ends_with("/tests.rs") || name.contains("/tests/");
        let test = if all_tests { vec![true; code.len()] } else { test_lines(&code) };
        Source { name, lines: text.lines().map(str::to_string).collect(), code, test }
    }

    /// The top folder under src: `rt` for src/rt/coro/mod.rs; empty for src/lib.rs.
    pub fn room(&self) -> &str {
        let rest = self.name.strip_prefix("src/").unwrap_or("");
        rest.split_once('/').map_or("", |(room, _)| room)
    }

    /// "file:line", for messages.
    pub fn at(&self, index: usize) -> String {
        format!("{}:{}", self.name, index + 1)
    }

    /// Lines of code outside tests: index and text.
    pub fn library_code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.iter().enumerate().filter(|(index, _)| !self.test[*index]).map(|(index, line)| (index, line.as_str()))
    }

    /// Every function that has a body.
    pub fn functions(&self) -> Vec<Function> {
        let text = self.code.join("\n");
        let mut found = Vec::new();
        for (start, _) in text.match_indices("fn ") {
            let whole_word = start == 0 || !is_word(text.as_bytes()[start - 1]);
            let name: String = text[start + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !whole_word || name.is_empty() {
                continue;
            }
            let Some((open, close)) = body_of(&text, start) else { continue };
            let line_of = |offset: usize| text[..offset].matches('\n').count();
            let body = text[open + 1..close].to_string();
            found.push(Function { name, first: line_of(start), last: line_of(close), body });
        }
        found
    }
}

/// Whether `text` has `word` standing by itself.
pub fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = start.checked_sub(1).map(|index| text.as_bytes()[index]);
        let after = text.as_bytes().get(start + word.len()).copied();
        let ends = |byte: Option<u8>| !byte.is_some_and(is_word);
        ends(before) && ends(after)
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The braces of the item that begins at `start`; none if a `;` ends it first.
fn body_of(text: &str, start: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    let mut open = None;
    for (index, &byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' => {
                depth += 1;
                open = open.or(Some(index));
            }
            b'}' => {
                depth -= 1;
                if depth == 0 && open.is_some() {
                    return open.map(|open| (open, index));
                }
            }
            b';' if depth == 0 => return None,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    None
}

/// Marks the lines of items under `#[cfg(test)]`.
fn test_lines(code: &[String]) -> Vec<bool> {
    let text = code.join("\n");
    let mut marks = vec![false; code.len()];
    for (start, attribute) in text.match_indices("#[cfg(test)]") {
        let after = start + attribute.len();
        let end = body_of(&text, after).map_or(after, |(_, close)| close);
        let line_of = |offset: usize| text[..offset].matches('\n').count();
        marks[line_of(start)..=line_of(end)].fill(true);
    }
    marks
}

/// Blanks comments and the insides of texts and characters; lines and columns stay.
pub fn blank(text: &str) -> String {
    let mut out: Vec<u8> = text.bytes().collect();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = match rest {
            [b'/', b'/', ..] => at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => comment_end(bytes, at),
            [b'"', ..] => text_end(bytes, at),
            [b'r', b'"' | b'#', ..] if at == 0 || !is_word(bytes[at - 1]) || bytes[at - 1] == b'b' => {
                raw_text_end(bytes, at)
            }
            [b'\'', b'\\', _, tail @ ..] => at + 4 + tail.iter().position(|&byte| byte == b'\'').unwrap_or(0),
            [b'\'', ..] => character_end(bytes, at),
            _ => at + 1,
        };
        let end = end.min(bytes.len());
        if end > at + 1 {
            out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn text_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"…"` and `r#"…"#`; `r#name` is a name, of which one byte is passed.
fn raw_text_end(bytes: &[u8], start: usize) -> usize {
    let hashes = bytes[start + 1..].iter().take_while(|&&byte| byte == b'#').count();
    if bytes.get(start + 1 + hashes) != Some(&b'"') {
        return start + 1;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let inside = start + 2 + hashes;
    let found = bytes[inside..].windows(close.len()).position(|window| window == close);
    found.map_or(bytes.len(), |position| inside + position + close.len())
}

/// `'x'` is a character; `'x` is a lifetime, of which one byte is passed.
fn character_end(bytes: &[u8], start: usize) -> usize {
    let width = match bytes.get(start + 1) {
        Some(byte) if *byte >= 0xf0 => 4,
        Some(byte) if *byte >= 0xe0 => 3,
        Some(byte) if *byte >= 0xc0 => 2,
        _ => 1,
    };
    if bytes.get(start + 1 + width) == Some(&b'\'') {
        start + width + 2
    } else {
        start + 1
    }
}
