//! `cargo xtask demo`: the main job, done before one's eyes.
//!
//! The example file server serves a folder of real files, on a free port of
//! the loopback. Every file is fetched by the example fetcher, 100 tasks at a
//! time, and then again by a client that is not ours. What came over the wire
//! is held against the files as another program finds them on the disk.
//!
//! Everything lies in `target/demo`, and is used again by the next demo:
//!
//! ```text
//! files/repository   a copy of what git tracks here
//! files/generated    many small files and a few large ones, always the same
//! theirs             what the other client has fetched; removed at the end
//! ```

mod files;
mod report;
mod server;

use crate::package;
use crate::steps::Watch;
use crate::tools::{self, root, target};
use report::{Column, Figures, Sums};
use server::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const JOBS: &str = "100";

/// Nothing here takes so long: who waits for more has found a fault.
const LIMIT_MS: &str = "300000";

/// Removes what demos have left under `target/`.
pub fn clean() -> Result<(), String> {
    match folder().exists() {
        true => fs::remove_dir_all(folder()).map_err(|error| format!("{}: {error}", folder().display())),
        false => Ok(()),
    }
}

/// The demo. With `serve` the server is left running at its end, until Ctrl-C.
pub fn run(serve: bool) -> Result<(), String> {
    if !cfg!(unix) {
        return Err("the demo's file server and fetcher are POSIX programs: run it on Linux or macOS".to_string());
    }
    let demo = Demo { started: Instant::now(), programs: build()? };
    demo.say("files to serve: this repository's own, and generated ones");
    let targets = files::make(&folder())?;
    demo.say("the checksums of the files on the disk (Python's hashlib)");
    let expected = demo.sums_of(&files_folder(), &targets)?;

    let ours = demo.ours(&targets)?;
    let theirs = demo.theirs(&targets)?;
    demo.say("done\n");
    print!("{}", report::table(&[&ours, &theirs]));
    println!("http_fetch makes its checksums within its seconds, on the threads of its loop's executor;");
    println!("{} writes files, whose checksums are made afterwards.\n", theirs.name);
    report::verdict(&expected, &[&ours, &theirs])?;
    match serve {
        true => server::serve_on(&demo.program("http_file_server"), &files_folder()),
        false => Ok(()),
    }
}

fn folder() -> PathBuf {
    target().join("demo")
}

fn files_folder() -> PathBuf {
    folder().join("files")
}

/// The folder of the built examples.
fn build() -> Result<PathBuf, String> {
    println!("0:00 building the release library and the examples; the first time this takes a minute or more");
    let mut watch = Watch::default();
    for (program, package) in [("cc", "gcc"), ("c++", "g++"), ("python3", "python3")] {
        tools::package(&mut watch, program, package)?;
    }
    tools::build_tools(&mut watch)?;
    Ok(package::build_tree(&mut watch)?.join("c_examples"))
}

struct Demo {
    started: Instant,
    programs: PathBuf,
}

impl Demo {
    fn say(&self, text: &str) {
        let seconds = self.started.elapsed().as_secs();
        println!("{}:{:02} {text}", seconds / 60, seconds % 60);
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Writes the list of URLs that a client is to fetch.
    fn list(&self, server: &Server, targets: &[String]) -> Result<PathBuf, String> {
        let urls: Vec<String> = targets.iter().map(|target| format!("{}{target}", server.url)).collect();
        let path = folder().join("urls.txt");
        write(&path, &(urls.join("\n") + "\n"))?;
        Ok(path)
    }

    fn ours(&self, targets: &[String]) -> Result<Column, String> {
        let server = Server::start(&self.program("http_file_server"), &files_folder())?;
        self.say(&format!("http_fetch: {} files from {}, {JOBS} at a time", targets.len(), server.url));
        let figures = folder().join("ours.json");
        let mut command = Command::new(self.program("http_fetch"));
        command.args(["--sums", "--jobs", JOBS, "--timeout-ms", LIMIT_MS, "--urls"]);
        command.arg(self.list(&server, targets)?).arg("--json").arg(&figures);
        let said = output(&mut command)?;
        Ok(Column {
            name: "http_fetch".to_string(),
            client: Figures::parse(&read(&figures)?)?,
            server: Figures::parse(&server.stop()?)?,
            sums: Sums::parse(&said)?,
        })
    }

    fn theirs(&self, targets: &[String]) -> Result<Column, String> {
        let server = Server::start(&self.program("http_file_server"), &files_folder())?;
        let (figures, fetched) = (folder().join("theirs.json"), folder().join("theirs"));
        let mut command = script("other_client.py");
        let name = output(command.arg("--name"))?.trim().to_string();
        self.say(&format!("{name}: the same from {}, {JOBS} at a time", server.url));

        let mut command = script("other_client.py");
        command.args(["--jobs", JOBS, "--timeout-ms", LIMIT_MS, "--urls"]).arg(self.list(&server, targets)?);
        output(command.arg("--output").arg(&fetched).arg("--json").arg(&figures))?;
        let server = Figures::parse(&server.stop()?)?;

        self.say(&format!("the checksums of what {name} has fetched"));
        let sums = self.sums_of(&fetched, targets)?;
        fs::remove_dir_all(&fetched).map_err(|error| format!("{}: {error}", fetched.display()))?;
        Ok(Column { name, client: Figures::parse(&read(&figures)?)?, server, sums })
    }

    /// Checksums of the files below a folder, made by nothing of ours.
    fn sums_of(&self, files: &Path, targets: &[String]) -> Result<Sums, String> {
        let list = folder().join("targets.txt");
        write(&list, &(targets.join("\n") + "\n"))?;
        Sums::parse(&output(script("checksums.py").arg(files).arg(list))?)
    }
}

/// One of the Python programs that lie beside this file.
fn script(name: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg("-B").arg(root().join("xtask/src/demo").join(name));
    command
}

/// What a program has to say, once it has ended well; its progress and its errors are shown as they come.
///
/// A client that could not fetch everything is no reason to stop: the comparison tells which files.
fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    match output.status.code() {
        Some(0 | 1) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => Err(format!("{name}: {}", output.status)),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
