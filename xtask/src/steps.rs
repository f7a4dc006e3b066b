//! Numbered steps with the time on them, and commands whose output is shown and counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What the tests of a run came to.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// Tests, programs and steps that did what they should.
    pub passed: u64,
    /// Those that did not.
    pub failed: u64,
}

/// A run of several steps: one that fails does not keep the others from running.
pub struct Steps {
    started: Instant,
    limit: Option<Duration>,
    total: usize,
    number: usize,
    counts: Counts,
    remarks: Vec<String>,
}

impl Steps {
    /// A run of `total` steps, none of which begins after `limit`.
    pub fn new(total: usize, limit: Option<Duration>) -> Steps {
        Steps { started: Instant::now(), limit, total, number: 0, counts: Counts::default(), remarks: Vec::new() }
    }

    /// Runs one step. Its tests are counted; a step without any counts as one.
    pub fn step(&mut self, title: &str, action: impl FnOnce(&mut Watch) -> Result<(), String>) -> bool {
        self.number += 1;
        let head = format!("[{}/{}] {}", self.number, self.total, clock(self.started.elapsed()));
        if self.limit.is_some_and(|limit| self.started.elapsed() > limit) {
            self.remark(format!("NOT RUN, out of time: {title}"));
            return false;
        }
        println!("{head} {title}");
        let mut watch = Watch::default();
        let began = Instant::now();
        let result = action(&mut watch);
        self.remarks.append(&mut watch.skipped);
        let counts = watch.counts;
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        let took = clock(began.elapsed());
        match result {
            Ok(()) => {
                self.counts.passed += u64::from(counts.passed + counts.failed == 0);
                println!("      done in {took}: {title}");
                true
            }
            Err(message) => {
                self.counts.failed += u64::from(counts.failed == 0);
                self.remark(format!("FAILED after {took}: {title}: {message}"));
                false
            }
        }
    }

    /// A step that cannot run because another failed.
    pub fn give_up(&mut self, title: &str, reason: &str) {
        self.number += 1;
        self.counts.failed += 1;
        self.remark(format!("FAILED: {title}: {reason}"));
    }

    fn remark(&mut self, text: String) {
        println!("{text}");
        self.remarks.push(text);
    }

    /// Says what everything came to; the last line is `N passed, N failed`.
    pub fn finish(self) -> Result<(), String> {
        println!("\nall steps took {}", clock(self.started.elapsed()));
        for remark in &self.remarks {
            println!("{remark}");
        }
        let Counts { passed, failed } = self.counts;
        println!("{passed} passed, {failed} failed");
        match failed {
            0 => Ok(()),
            _ => Err("not everything passed".to_string()),
        }
    }
}

fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// What the commands of a step said of tests.
#[derive(Default)]
pub struct Watch {
    counts: Counts,
    skipped: Vec<String>,
}

impl Watch {
    /// Runs a command; what it writes is shown as it comes, and its tests are counted.
    pub fn run(&mut self, command: &mut Command) -> Result<(), String> {
        let shown = show(command);
        println!("      $ {shown}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{shown}`: {error}"))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let watch = Mutex::new(self);
        std::thread::scope(|scope| {
            scope.spawn(|| relay(out, &watch));
            scope.spawn(|| relay(err, &watch));
        });
        let status = child.wait().map_err(|error| format!("`{shown}`: {error}"))?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("`{shown}`: {status}")),
        }
    }

    /// Something that could not be tried, to be said again at the end.
    pub fn skip(&mut self, reason: String) {
        println!("      SKIPPED {reason}");
        self.skipped.push(format!("SKIPPED {reason}"));
    }

    fn read(&mut self, line: &str) {
        if line.starts_with("test result: ") || line.starts_with("C programs: ") {
            self.counts.passed += number_before(line, " passed");
            self.counts.failed += number_before(line, " failed");
        } else if line.contains("SKIPPED") && !self.skipped.iter().any(|known| known == line) {
            self.skipped.push(line.to_string());
        }
    }
}

fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or("");
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn relay(from: Option<impl Read>, watch: &Mutex<&mut Watch>) {
    let Some(from) = from else { return };
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let mut watch = watch.lock().expect("the other relay");
        // Under the lock, so that lines of the two streams do not mix.
        let _ = writeln!(std::io::stdout(), "{line}");
        watch.read(&line);
    }
}

/// A command as one would type it, with what it changes in the environment.
fn show(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter(|(name, _)| *name != "PATH")
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy())))
        .collect();
    words.push(command.get_program().to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ").replace(&format!("{}/", crate::tools::root().display()), "")
}
