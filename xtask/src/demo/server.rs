//! The file server as a process that cannot outlive the demo.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::Duration;

/// Stands between the demo and the server. However the demo ends, the pipe that is this shell's
/// input ends with it, and the server is asked to end. A line asks too; a second one kills.
const GUARD: &str = r#"
trap '' INT
"$@" </dev/null &
server=$!
exec >&-
read -r line
kill -TERM "$server"
read -r line && kill -KILL "$server"
wait "$server"
"#;

/// Longer than the server gives clients that it is still answering.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it asks the server to end.
pub struct Server {
    /// Where it listens, without a slash at the end.
    pub url: String,
    guard: Child,
    line: Option<ChildStdin>,
    rest: Receiver<String>,
}

impl Server {
    /// Starts the server on a free port and waits for its address.
    pub fn start(program: &Path, root: &Path) -> Result<Server, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", program.display());
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .arg("--root")
            .arg(root)
            .args(["--stats", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let line = guard.stdin.take();
        let mut out = BufReader::new(guard.stdout.take().ok_or_else(|| failed(&"no output"))?);
        let mut first = String::new();
        out.read_line(&mut first).map_err(|error| failed(&error))?;
        let (sender, rest) = channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = out.read_to_string(&mut text);
            let _ = sender.send(text);
        });
        let url = first.trim().strip_prefix("listening on ").unwrap_or("").trim_end_matches('/').to_string();
        let server = Server { url, guard, line, rest };
        match server.url.is_empty() {
            true => Err(failed(&format!("it did not tell its address but {first:?}"))),
            false => Ok(server),
        }
    }

    /// Ends the server; what it printed after its address.
    pub fn stop(mut self) -> Result<String, String> {
        let said = self.end();
        let status = self.guard.wait().map_err(|error| format!("the server: {error}"))?;
        match (said, status.success()) {
            (Some(said), true) => Ok(said),
            (Some(_), false) => Err(format!("the server ended with {status}")),
            (None, _) => Err("the server did not end when it was asked to, and was killed".to_string()),
        }
    }

    fn end(&mut self) -> Option<String> {
        let mut line = self.line.take()?;
        let _ = line.write_all(b"end\n");
        let said = self.rest.recv_timeout(PATIENCE).ok();
        if said.is_none() {
            let _ = line.write_all(b"kill\n");
        }
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        let _ = self.guard.wait();
    }
}

/// Becomes the server: returns only if that fails.
pub fn serve_on(program: &Path, root: &Path) -> Result<(), String> {
    // It must be known before the server runs in our place.
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    let port = free.map_err(|error| format!("a free port: {error}"))?.port();
    let url = format!("http://127.0.0.1:{port}");
    println!("\nThe server is left running. Try, or open it in a browser:\n");
    println!("    curl {url}/repository/");
    println!("    curl {url}/repository/README.md");
    println!("    curl --range 0-99 {url}/generated/large/0.bin | xxd\n\nCtrl-C ends it.");
    let mut command = Command::new(program);
    command.arg("--root").arg(root).args(["--port", &port.to_string()]);
    become_it(&mut command)
}

/// As the same process, so that Ctrl-C and every other signal is the server's, and nothing is left behind.
#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<(), String> {
    use std::os::unix::process::CommandExt;
    Err(format!("the server: {}", command.exec()))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<(), String> {
    command.status().map(|_| ()).map_err(|error| format!("the server: {error}"))
}
