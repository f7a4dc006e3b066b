//! The files that are served.

use super::{read, write};
use crate::tools::{root, target};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const SMALL: u64 = 2000;
const SMALL_LIMIT: u64 = 64 * 1024;
const LARGE: u64 = 3;
const LARGE_SIZE: u64 = 64 * 1024 * 1024;

/// Changes whenever the generated files do: those of another plan are made anew.
const PLAN: &str = "2000 files of 1 to 64 KiB, 3 of 64 MiB; SplitMix64, second version\n";

/// Makes `files` below the demo's folder; the URL path of each, sorted.
pub fn make(folder: &Path) -> Result<Vec<String>, String> {
    let files = folder.join("files");
    let failed = |error: std::io::Error| format!("{}: {error}", files.display());
    fs::create_dir_all(&files).map_err(failed)?;
    let mut names = copy_repository(&files).map_err(failed)?;
    let generated = generated();
    let plan = folder.join("plan.txt");
    if read(&plan).is_ok_and(|text| text == PLAN) {
        println!("     the generated ones are there from the last time");
    } else {
        generate(&files, &generated).map_err(failed)?;
        write(&plan, PLAN)?;
    }
    names.extend(generated.into_iter().map(|(name, _)| name));
    names.sort();
    Ok(names.iter().map(|name| format!("/{}", encode(name))).collect())
}

/// Copies what git tracks, or what lies here if this is no checkout.
fn copy_repository(files: &Path) -> std::io::Result<Vec<String>> {
    let to = files.join("repository");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    let mut names = Vec::new();
    for path in tracked()? {
        let Some(name) = path.to_str() else { continue };
        // Links, and what is deleted but still tracked, are nothing to serve.
        if !fs::symlink_metadata(root().join(&path)).is_ok_and(|info| info.is_file()) {
            continue;
        }
        let copy = to.join(&path);
        fs::create_dir_all(copy.parent().unwrap_or(&to))?;
        fs::copy(root().join(&path), copy)?;
        names.push(format!("repository/{name}"));
    }
    println!("     repository: {} files", names.len());
    Ok(names)
}

fn tracked() -> std::io::Result<Vec<PathBuf>> {
    let git = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output();
    match git {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(text.split_terminator('\0').map(PathBuf::from).collect())
        }
        _ => {
            let mut found = Vec::new();
            walk(Path::new(""), &mut found)?;
            Ok(found)
        }
    }
}

fn walk(below: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(root().join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let is_ours = path != Path::new(".git") && path != Path::new("target") && entry.path() != target();
        match entry.file_type()? {
            kind if kind.is_dir() && is_ours => walk(&path, found)?,
            kind if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    Ok(())
}

/// Names and sizes.
fn generated() -> Vec<(String, u64)> {
    let mut random = Random(1);
    let small = (0..SMALL).map(|number| {
        let size = 1024 + random.next() % (SMALL_LIMIT - 1024 + 1);
        (format!("generated/small/{:02}/file {number:04}.bin", number / 100), size)
    });
    let mut all: Vec<(String, u64)> = small.collect();
    all.extend((0..LARGE).map(|number| (format!("generated/large/{number}.bin"), LARGE_SIZE)));
    all
}

fn generate(files: &Path, generated: &[(String, u64)]) -> std::io::Result<()> {
    let total: u64 = generated.iter().map(|(_, size)| size).sum();
    println!("     generated: {} files, {} MB (once)", generated.len(), total / 1_000_000);
    let mut said = 0;
    let mut written = 0;
    for (number, (name, size)) in generated.iter().enumerate() {
        let path = files.join(name);
        fs::create_dir_all(path.parent().unwrap_or(files))?;
        fill(&path, number as u64, *size)?;
        written += size;
        if written * 4 / total > said {
            said = written * 4 / total;
            println!("     {} %", said * 25);
        }
    }
    Ok(())
}

/// Noise, so that no two files and no two places in a file are alike.
fn fill(path: &Path, seed: u64, size: u64) -> std::io::Result<()> {
    let mut random = Random(seed << 32);
    let mut block = vec![0; 64 * 1024];
    let mut file = fs::File::create(path)?;
    let mut left = size;
    while left > 0 {
        for word in block.chunks_exact_mut(8) {
            word.copy_from_slice(&random.next().to_le_bytes());
        }
        let part = left.min(block.len() as u64);
        file.write_all(&block[..part as usize])?;
        left -= part;
    }
    Ok(())
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A name as it stands in a URL.
fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}
