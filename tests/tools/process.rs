//! A program in a process group of its own, with limits, and its output kept.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How a program ended.
pub struct Ended {
    /// Its exit code; a signal counts as 128 and its number, as in a shell.
    pub code: i32,
    /// What it wrote, both streams in the order of writing.
    pub output: String,
    /// How long it ran.
    pub took: Duration,
    /// Whether it was killed because its time was over.
    pub timed_out: bool,
}

/// No core files, no files above a gigabyte; and, where the system can, no life after the test's
/// own: a group of its own keeps Ctrl-C from reaching the program.
const LIMITS: &str = "ulimit -c 0; ulimit -f 2097152; \
    if command -v setpriv >/dev/null; then exec setpriv --pdeathsig KILL \"$@\"; else exec \"$@\"; fi";

/// Writes a line past the capture of the test harness: progress is for whoever waits.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The usual time limit, lengthened by `ROTA_TEST_SLOW` (a factor) where a checker slows programs down.
pub fn limit() -> Duration {
    let factor = std::env::var("ROTA_TEST_SLOW").ok().and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    Duration::from_secs(20) * factor.max(1)
}

/// Runs `words` with the wrapper of `ROTA_C_WRAPPER` before it, at most for `limit`.
///
/// It has no input. What it leaves running is killed with it.
pub fn run(words: &[String], folder: &Path, log: &Path, limit: Duration) -> Ended {
    let wrapper = std::env::var("ROTA_C_WRAPPER").unwrap_or_default();
    let file = File::create(log).expect("a log file");
    let started = Instant::now();
    let mut child = Command::new("sh")
        .args(["-c", LIMITS, "sh"])
        .args(wrapper.split_whitespace())
        .args(words)
        .current_dir(folder)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a second handle of the log file"))
        .stderr(file)
        .process_group(0)
        .spawn()
        .expect("a shell to run it");
    let group = child.id();
    let (send, ended) = mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let _ = send.send(child.wait());
    });
    let first = ended.recv_timeout(limit);
    let timed_out = first.is_err();
    // The leader may be gone and its children not.
    let _ = Command::new("sh").args(["-c", &format!("kill -KILL -{group} 2>/dev/null")]).status();
    let status = first.unwrap_or_else(|_| ended.recv().expect("the waiting thread"));
    let took = started.elapsed();
    let _ = waiter.join();
    let status = status.expect("the end of the program");
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    let output = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    Ended { code, output, took, timed_out }
}
