//! What the header promises, as a second state machine: small, recursive, and without memory to manage.
//!
//! It is told of every call that a path makes, from outside and from bodies, and says what the call answers and what
//! everything is like afterwards. Tasks, groups and scopes are numbers. Each scope's request and each of a task's own
//! is due, passed on or arrived (`rt/cancel.rs` in the library says what that means); the one from furthest outside is
//! delivered first.

use rota::base::rota_status::*;
use std::collections::VecDeque;

pub const CANCELLED: i64 = ROTA_ERR_CANCELLED as i64;
pub const TIMEOUT: i64 = ROTA_ERR_TIMEOUT as i64;

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum On {
    /// The promise of its own.
    Promise,
    /// The end of a task.
    Join(usize),
    /// The end of a group that it owns.
    Group(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not spawned, or refused.
    Absent,
    /// In the queue.
    Queued,
    Running,
    Waiting(On),
    /// Its body has ended, its groups have not.
    Leaving,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    None,
    Due,
    PassedOn,
    Arrived,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fired {
    No,
    TimedOut,
    Cancelled,
    Failed,
}

/// Whose a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    Task,
    Scope(usize),
}

#[derive(Clone, Debug, Hash)]
pub struct Task {
    pub state: State,
    /// What its wait came to, until it goes on.
    pub ready: Option<i64>,
    /// What its promise came to before anybody waited for it.
    pub promise: Option<i64>,
    /// Whether its promise is open and nobody waits for it.
    pub idle: bool,
    pub requests: u32,
    pub due: u32,
    pub passed_on: u32,
    /// Its scopes and groups that are open, from the outermost on.
    pub scopes: Vec<usize>,
    pub group: Option<usize>,
    /// Who waits for its end, in the order in which they came.
    pub joiners: Vec<usize>,
    pub asked: bool,
    pub outcome: i64,
    /// Requests that were ever made to it, and answers CANCELLED that its body got.
    pub made: u32,
    pub met: u32,
}

/// A task before it is spawned.
pub const ABSENT: Task = Task {
    state: State::Absent,
    ready: None,
    promise: None,
    idle: false,
    requests: 0,
    due: 0,
    passed_on: 0,
    scopes: Vec::new(),
    group: None,
    joiners: Vec::new(),
    asked: false,
    outcome: 0,
    made: 0,
    met: 0,
};

#[derive(Clone, Debug, Hash)]
pub struct Scope {
    pub task: usize,
    pub group: Option<usize>,
    pub shield: bool,
    pub linked: bool,
    pub over: bool,
    pub fired: Fired,
    pub request: Request,
    pub deadline: u64,
    pub entry: u32,
}

#[derive(Clone, Debug, Hash)]
pub struct Group {
    pub scope: usize,
    pub owner: usize,
    pub members: Vec<usize>,
    pub closed: bool,
    pub over: bool,
    pub succeeded: i64,
    pub failures: Vec<(usize, i64)>,
}

#[derive(Clone, Debug, Default, Hash)]
pub struct Model {
    pub now: u64,
    pub tasks: Vec<Task>,
    pub scopes: Vec<Scope>,
    pub groups: Vec<Group>,
    /// Who goes on next.
    pub queue: VecDeque<usize>,
    /// How many of the queue are left of a turn that was cut short.
    pub batch: usize,
    pub closing: bool,
    /// All tasks that were spawned, in that order.
    pub spawned: Vec<usize>,
    /// Whom the sweep that is under way has met.
    sweep: Option<Vec<usize>>,
    asking: VecDeque<usize>,
    busy: bool,
}

impl Model {
    pub fn new(tasks: usize, now: u64) -> Self {
        Model { now, tasks: vec![ABSENT; tasks], ..Model::default() }
    }

    pub fn is_over(&self, task: usize) -> bool {
        matches!(self.tasks[task].state, State::Absent | State::Leaving | State::Ended)
    }

    /// How many requests stand, of the task and its scopes.
    pub fn cancelling(&self, task: usize) -> u32 {
        let standing = |scope: &&usize| self.scopes[**scope].request != Request::None;
        self.tasks[task].requests + self.tasks[task].scopes.iter().filter(standing).count() as u32
    }

    /// Those of the first `inside` scopes, from the innermost on up to a shield, and of the task itself.
    fn outstanding(&self, task: usize, inside: usize) -> u32 {
        let mut count = 0;
        for scope in self.tasks[task].scopes[..inside].iter().rev() {
            count += u32::from(self.scopes[*scope].request != Request::None);
            if self.scopes[*scope].shield {
                return count;
            }
        }
        count + self.tasks[task].requests
    }

    /// Whether a shield stands between a task and what comes from outside `of`.
    pub fn is_shielded(&self, task: usize, of: Option<usize>) -> bool {
        let inner = self.tasks[task].scopes.iter().rev().take_while(|scope| Some(**scope) != of);
        inner.into_iter().any(|scope| self.scopes[*scope].shield)
    }

    /// The request that is delivered next.
    pub fn next_due(&self, task: usize) -> Option<Asker> {
        let mut found = None;
        for scope in self.tasks[task].scopes.iter().rev() {
            if self.scopes[*scope].request == Request::Due {
                found = Some(Asker::Scope(*scope));
            }
            if self.scopes[*scope].shield {
                return found;
            }
        }
        if self.tasks[task].due > 0 {
            Some(Asker::Task)
        } else {
            found
        }
    }

    fn move_request(&mut self, task: usize, asker: Asker, to: Request) {
        match asker {
            Asker::Task => {
                self.tasks[task].due -= 1;
                self.tasks[task].passed_on += u32::from(to == Request::PassedOn);
            }
            Asker::Scope(scope) => self.scopes[scope].request = to,
        }
    }

    /// An operation is about to start: whether it is refused.
    pub fn refuses(&mut self, task: usize) -> bool {
        let due = self.next_due(task);
        if let Some(asker) = due {
            self.move_request(task, asker, Request::Arrived);
        }
        due.is_some()
    }

    /// A wait came to `short`.
    fn answered(&mut self, task: usize, short: i64) {
        let passed_on = std::mem::take(&mut self.tasks[task].passed_on);
        let cancelled = short == CANCELLED;
        self.tasks[task].due += passed_on.saturating_sub(u32::from(cancelled));
        let mut outermost = None;
        for scope in self.tasks[task].scopes.iter().rev() {
            if self.scopes[*scope].request == Request::PassedOn {
                self.scopes[*scope].request = Request::Due;
                outermost = Some(*scope);
            }
        }
        if let (true, 0, Some(scope)) = (cancelled, passed_on, outermost) {
            self.scopes[scope].request = Request::Arrived;
        }
    }

    /// What a task waits for is done.
    fn wake(&mut self, task: usize, short: i64) {
        if let State::Waiting(on) = self.tasks[task].state {
            if let On::Join(joined) = on {
                self.tasks[joined].joiners.retain(|joiner| *joiner != task);
            }
            self.tasks[task].state = State::Queued;
            self.tasks[task].ready = Some(short);
            self.queue.push_back(task);
        }
    }

    /// Whether the sweep has been there.
    pub(super) fn meets(&mut self, task: usize) -> bool {
        let Some(met) = &mut self.sweep else { return false };
        let before = met.contains(&task);
        met.push(task);
        before
    }

    pub(super) fn begins_sweep(&mut self) -> bool {
        let begins = self.sweep.is_none();
        self.sweep.get_or_insert_default();
        begins
    }

    pub(super) fn ends_sweep(&mut self, began: bool) {
        if began {
            self.sweep = None;
        }
    }

    fn add_request(&mut self, task: usize) {
        self.tasks[task].requests += 1;
        self.tasks[task].due += 1;
        self.tasks[task].made += 1;
    }

    /// Asks a task to end; whether it could be.
    pub fn cancel(&mut self, task: usize) -> bool {
        if self.is_over(task) {
            return false;
        }
        self.add_request(task);
        if let (State::Waiting(on), false) = (self.tasks[task].state, self.is_shielded(task, None)) {
            self.deliver(task, Asker::Task, on);
        }
        true
    }

    fn deliver(&mut self, task: usize, asker: Asker, on: On) {
        let began = self.begins_sweep();
        self.meets(task);
        self.move_request(task, asker, Request::PassedOn);
        match on {
            On::Promise => self.wake(task, CANCELLED),
            On::Group(group) => self.group_cancel(group),
            On::Join(next) => self.deliver_to(task, next),
        }
        self.ends_sweep(began);
    }

    /// `task` waits for the end of `next`.
    fn deliver_to(&mut self, task: usize, next: usize) {
        if self.tasks[next].joiners.len() > 1 || self.is_over(next) {
            return self.wake(task, CANCELLED);
        }
        if self.meets(next) {
            if self.waits_for(next, task, &mut Vec::new()) {
                self.wake(task, CANCELLED);
            }
            return;
        }
        self.add_request(next);
        if let (State::Waiting(on), false) = (self.tasks[next].state, self.is_shielded(next, None)) {
            self.deliver(next, Asker::Task, on);
        }
    }

    /// Whether a task waits for another, through joins and groups.
    fn waits_for(&self, at: usize, task: usize, seen: &mut Vec<usize>) -> bool {
        if at == task || seen.contains(&at) {
            return at == task;
        }
        seen.push(at);
        let members = |group: usize| self.groups[group].members.clone();
        let next = match self.tasks[at].state {
            State::Waiting(On::Join(next)) => vec![next],
            State::Waiting(On::Group(group)) => members(group),
            State::Leaving => {
                (0..self.groups.len()).filter(|group| self.groups[*group].owner == at).flat_map(members).collect()
            }
            _ => Vec::new(),
        };
        next.into_iter().any(|next| self.waits_for(next, task, seen))
    }

    /// Takes a request back; how many are left.
    pub fn uncancel(&mut self, task: usize) -> u32 {
        let slot = &mut self.tasks[task];
        slot.requests = slot.requests.saturating_sub(1);
        slot.due = slot.due.min(slot.requests);
        slot.passed_on = slot.passed_on.min(slot.requests - slot.due);
        self.cancelling(task)
    }
}

/// Scopes, groups and their members.
#[path = "groups.rs"]
mod groups;
/// Waits, ends and turns.
#[path = "steps.rs"]
mod steps;
