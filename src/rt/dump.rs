//! A dump of the tasks, for people: who waits for whom, and what is wrong.
//!
//! ```text
//!   3 tasks: 0 run, 0 ready, 3 wait
//!   main #1 waits 2.000 s for gather (first #2), 1 step
//!   ├─ first #2 waits 2.000 s for lock (second #3), 2 steps
//!   │  └─ second #3 waits 2.000 s for lock (first #2), 2 steps
//!   │     └─ first #2 (above: a circle)
//!   └─ second #3 (above)
//!   deadlock: first #2 waits for lock (second #3), second #3 waits for lock (first #2)
//!   longest: main #1 2.000 s (gather), ...
//! ```
//!
//! Roots are the tasks that hold up nobody; under each task stand those that hold
//! it up. The tree is walked with a path of our own: an edge that leads back into
//! the path closes a circle, and a task that was shown is only named again. All
//! lines are made with the loop's state in hand, and read by the host afterwards.

use super::core::Core;
use super::event_loop::State;
use super::info::{
    TaskInfo, ROTA_TASK_STATE_LEAVING, ROTA_TASK_STATE_QUEUED, ROTA_TASK_STATE_RUNNING, ROTA_TASK_STATE_WAITING,
};
use super::service::Service;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::{List, Memory};
use core::ffi::CStr;
use core::fmt::{self, Write};

/// How many of those who wait longest are named.
const LONGEST: usize = 3;

/// Lines of text, each with its NUL.
pub(super) struct Lines(List<u8>);

impl Lines {
    fn new(memory: &Memory) -> Self {
        Lines(List::new(memory.clone()))
    }

    /// One after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = &CStr> {
        self.0.split_inclusive(|byte| *byte == 0).filter_map(|line| CStr::from_bytes_with_nul(line).ok())
    }

    fn add(&mut self, text: fmt::Arguments<'_>) -> Result<()> {
        self.write_fmt(text).map_err(|_| ROTA_ERR_MEMORY.into())
    }

    fn end(&mut self) -> Result<()> {
        self.0.push(0)
    }
}

impl Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// A time as people read it.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:03} s", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1000)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    OnPath,
    Shown,
}

/// `from` is held up by `to`.
#[derive(Clone, Copy)]
struct Edge {
    from: usize,
    to: usize,
}

/// A task whose branches are being shown: the next of them, and whether the one shown now is the last.
#[derive(Clone, Copy)]
struct Stop {
    task: usize,
    next: usize,
    last: bool,
}

struct Dump<'a, S> {
    state: &'a State<S>,
    tasks: List<Key>,
    /// Where in `tasks` a slot's task stands.
    places: List<usize>,
    /// In the order of `from`.
    edges: List<Edge>,
    marks: List<Mark>,
    path: List<Stop>,
    out: Lines,
    /// The lines about circles, which come after the tree.
    circles: Lines,
}

/// Where a task stands in the dump, if it has not ended.
fn place_of(places: &[usize], task: Key) -> Option<usize> {
    places.get(task.slot as usize).copied().filter(|place| *place != usize::MAX)
}

impl<S: Service> State<S> {
    /// All lines of a dump.
    pub(super) fn task_lines(&mut self) -> Result<Lines> {
        self.core.read_clock();
        let mut dump = Dump::new(self)?;
        dump.summary()?;
        dump.trees()?;
        let circles = core::mem::replace(&mut dump.circles, Lines::new(&self.core.memory));
        dump.out.0.extend_from_slice(&circles.0)?;
        dump.longest()?;
        dump.verdict()?;
        Ok(dump.out)
    }
}

impl<'a, S: Service> Dump<'a, S> {
    fn new(state: &'a State<S>) -> Result<Self> {
        let memory = &state.core.memory;
        let tasks = state.core.tasks_in_order()?;
        let mut places = List::new(memory.clone());
        for (place, key) in tasks.iter().enumerate() {
            let slot = key.slot as usize;
            places.resize(places.len().max(slot + 1), usize::MAX)?;
            places[slot] = place;
        }
        let mut edges = List::new(memory.clone());
        for (from, key) in tasks.iter().enumerate() {
            state.task_held_up_by(*key, |holder| match place_of(&places, holder) {
                Some(to) => edges.push(Edge { from, to }),
                None => Ok(()),
            })?;
        }
        let mut marks = List::new(memory.clone());
        marks.resize(tasks.len(), Mark::Unseen)?;
        let (out, circles) = (Lines::new(memory), Lines::new(memory));
        Ok(Dump { state, tasks, places, edges, marks, path: List::new(memory.clone()), out, circles })
    }

    fn info(&self, task: usize) -> Result<TaskInfo> {
        self.state.task_info(self.tasks[task])
    }

    fn name(&self, task: usize) -> Name<'a> {
        Name { core: &self.state.core, key: self.tasks[task], number: task + 1 }
    }

    fn summary(&mut self) -> Result<()> {
        let mut counts = [0; 3];
        for task in 0..self.tasks.len() {
            match self.info(task)?.state {
                ROTA_TASK_STATE_RUNNING => counts[0] += 1,
                ROTA_TASK_STATE_QUEUED => counts[1] += 1,
                _ => counts[2] += 1,
            }
        }
        let [run, ready, wait] = counts;
        self.out.add(format_args!("{} tasks: {run} run, {ready} ready, {wait} wait", self.tasks.len()))?;
        self.out.end()
    }

    fn trees(&mut self) -> Result<()> {
        let mut holds_up = List::new(self.state.core.memory.clone());
        holds_up.resize(self.tasks.len(), false)?;
        for edge in self.edges.iter() {
            holds_up[edge.to] = true;
        }
        for root in 0..self.tasks.len() {
            if !holds_up[root] {
                self.tree(root)?;
            }
        }
        // What is left are circles, and who is held up only by them.
        for root in 0..self.tasks.len() {
            if self.marks[root] == Mark::Unseen {
                self.tree(root)?;
            }
        }
        Ok(())
    }

    fn tree(&mut self, root: usize) -> Result<()> {
        self.show(root)?;
        while let Some(stop) = self.path.last().copied() {
            let more = |at: usize| self.edges.get(at).filter(|edge| edge.from == stop.task);
            let Some(edge) = more(stop.next).copied() else {
                self.marks[stop.task] = Mark::Shown;
                self.path.pop();
                continue;
            };
            let last = more(stop.next + 1).is_none();
            if let Some(stop) = self.path.last_mut() {
                stop.next += 1;
                stop.last = last;
            }
            match self.marks[edge.to] {
                Mark::Unseen => self.show(edge.to)?,
                Mark::Shown => self.again(edge.to, "(above)")?,
                Mark::OnPath => {
                    self.again(edge.to, "(above: a circle)")?;
                    self.circle(edge.to)?;
                }
            }
        }
        Ok(())
    }

    fn indent(&mut self) -> Result<()> {
        let Some((inner, outer)) = self.path.split_last() else { return Ok(()) };
        for stop in outer {
            self.out.add(format_args!("{}", if stop.last { "   " } else { "│  " }))?;
        }
        self.out.add(format_args!("{}", if inner.last { "└─ " } else { "├─ " }))
    }

    /// The line of a task, which becomes the end of the path.
    fn show(&mut self, task: usize) -> Result<()> {
        self.indent()?;
        let (info, name) = (self.info(task)?, self.name(task));
        self.out.add(format_args!("{name} "))?;
        match info.state {
            ROTA_TASK_STATE_RUNNING => self.out.add(format_args!("runs"))?,
            ROTA_TASK_STATE_QUEUED => self.out.add(format_args!("is ready"))?,
            ROTA_TASK_STATE_LEAVING => self.out.add(format_args!("has returned and waits for its groups"))?,
            _ => self.wait(&info)?,
        }
        let plural = if info.steps == 1 { "" } else { "s" };
        self.out.add(format_args!(", {} step{plural}", info.steps))?;
        if info.cancelling > 0 {
            self.out.add(format_args!(", asked to end"))?;
        }
        if self.state.core.debug {
            self.out.add(format_args!(", started at {}", info.origin))?;
        }
        self.out.end()?;
        self.marks[task] = Mark::OnPath;
        let next = self.edges.partition_point(|edge| edge.from < task);
        self.path.push(Stop { task, next, last: false })
    }

    fn wait(&mut self, info: &TaskInfo) -> Result<()> {
        let waited = Seconds(self.state.core.now.saturating_sub(info.since));
        self.out.add(format_args!("waits {waited} for {}", Word(info.what)))?;
        match info.task.and_then(|holder| place_of(&self.places, holder)) {
            Some(holder) => {
                let name = self.name(holder);
                self.out.add(format_args!(" ({name})"))
            }
            None => Ok(()),
        }
    }

    fn again(&mut self, task: usize, remark: &str) -> Result<()> {
        self.indent()?;
        let name = self.name(task);
        self.out.add(format_args!("{name} {remark}"))?;
        self.out.end()
    }

    /// The path leads back to `first`. Where one of them waits for a limited time (its scopes' and its group's too), or
    /// for any of several, it is no deadlock.
    fn circle(&mut self, first: usize) -> Result<()> {
        let start = self.path.iter().position(|stop| stop.task == first).unwrap_or(0);
        let mut firm = true;
        for at in start..self.path.len() {
            let task = self.path[at].task;
            let what = self.info(task)?.what;
            firm &= what != c"wait_for" && what != c"wait" && what != c"race";
            firm &= self.state.core.task_deadline(self.tasks[task])? == u64::MAX;
        }
        let mut before = if firm { "deadlock: " } else { "circle: " };
        for at in start..self.path.len() {
            let (task, holder) = (self.path[at].task, self.path.get(at + 1).map_or(first, |stop| stop.task));
            let (name, holder, info) = (self.name(task), self.name(holder), self.info(task)?);
            self.circles.add(format_args!("{before}{name} waits for {} ({holder})", Word(info.what)))?;
            before = ", ";
        }
        self.circles.end()
    }

    fn longest(&mut self) -> Result<()> {
        let mut longest: [Option<(u64, usize)>; LONGEST + 1] = [None; LONGEST + 1];
        for task in 0..self.tasks.len() {
            let info = self.info(task)?;
            if info.state == ROTA_TASK_STATE_WAITING {
                longest[LONGEST] = Some((info.since, task));
                longest.sort_unstable_by_key(|found| found.map_or((u64::MAX, usize::MAX), |found| found));
            }
        }
        let mut before = "longest: ";
        for (since, task) in longest.into_iter().take(LONGEST).flatten() {
            let waited = Seconds(self.state.core.now.saturating_sub(since));
            let (name, info) = (self.name(task), self.info(task)?);
            self.out.add(format_args!("{before}{name} {waited} ({})", Word(info.what)))?;
            before = ", ";
        }
        if before == ", " {
            self.out.end()?;
        }
        Ok(())
    }

    /// Says so where nothing is under way that could wake anybody.
    fn verdict(&mut self) -> Result<()> {
        let core = &self.state.core;
        let (listeners, streams) = self.state.service.counts();
        let under_way = core.ready.len() + core.timers.len() + core.executor.busy() + listeners + streams;
        let mut waiting = 0;
        for task in 0..self.tasks.len() {
            waiting += usize::from(self.info(task)?.state == ROTA_TASK_STATE_WAITING);
        }
        if waiting == 0 || waiting < self.tasks.len() || under_way > 0 || core.remote.has_posts() {
            return Ok(());
        }
        self.out.add(format_args!(
            "stuck: nothing is ready, no timer is armed, no call and no connection is open: \
             none of these tasks goes on unless something outside them acts"
        ))?;
        self.out.end()
    }
}

/// A task's name and its number in the dump.
struct Name<'a> {
    core: &'a Core,
    key: Key,
    number: usize,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(task) = self.core.tasks.get(self.key) {
            write!(out, "{}", task.name)?;
        }
        write!(out, " #{}", self.number)
    }
}

/// What is waited for.
struct Word(&'static CStr);

impl fmt::Display for Word {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_str() {
            Ok(word) if !word.is_empty() => out.write_str(word),
            _ => out.write_str("something"),
        }
    }
}
