//! The model's tasks, as they wait, go on and end.

use super::*;

impl Model {
    /// The owner asks for the group's end; what it is if it is empty.
    pub fn group_wait(&mut self, group: usize) -> Option<i64> {
        let (scope, owner) = (self.groups[group].scope, self.groups[group].owner);
        if self.groups[group].over {
            return Some(ROTA_ERR_HANDLE as i64);
        }
        let slot = &self.scopes[scope];
        let outside = self.tasks[owner].scopes.iter().position(|listed| *listed == scope);
        let asked = outside.is_some_and(|outside| {
            !self.is_shielded(owner, Some(scope)) && self.outstanding(owner, outside) > slot.entry
        });
        self.unlink(scope);
        if self.groups[group].members.is_empty() {
            return Some(self.group_outcome(group));
        }
        if asked {
            self.group_cancel(group);
        }
        None
    }

    /// A join is asked for; what it is if it is known.
    pub fn join(&mut self, task: usize, joined: usize) -> Option<i64> {
        if self.refuses(task) {
            return Some(CANCELLED);
        }
        match self.tasks[joined].state {
            State::Absent | State::Ended => Some(ROTA_ERR_HANDLE as i64),
            _ => None,
        }
    }

    /// A task begins to wait; what it gets at once if that is known.
    pub fn wait(&mut self, task: usize, on: On, known: Option<i64>) -> Option<i64> {
        let known = match on {
            On::Promise => {
                self.tasks[task].idle = false;
                self.tasks[task].promise.take().or(known)
            }
            _ => known,
        };
        if let Some(short) = known {
            self.answered(task, short);
            return Some(short);
        }
        self.tasks[task].state = State::Waiting(on);
        if let On::Join(joined) = on {
            self.tasks[joined].joiners.push(task);
        }
        if let Some(asker) = self.next_due(task) {
            self.deliver(task, asker, on);
        }
        None
    }

    /// A task goes on: with what its wait came to, if it waited.
    pub fn goes_on(&mut self, task: usize) -> Option<i64> {
        self.tasks[task].state = State::Running;
        let short = self.tasks[task].ready.take();
        if let Some(short) = short {
            self.answered(task, short);
        }
        short
    }

    /// Whether the promise of a task is open.
    pub fn is_open(&self, task: usize) -> bool {
        self.tasks[task].idle || self.tasks[task].state == State::Waiting(On::Promise)
    }

    /// The promise of a task is done, which was open.
    pub fn complete(&mut self, task: usize, short: i64) {
        if std::mem::take(&mut self.tasks[task].idle) {
            self.tasks[task].promise = Some(short);
        } else {
            self.wake(task, short);
        }
    }

    /// The body of a task has returned.
    pub fn body_ends(&mut self, task: usize, answer: i64) {
        let asked = self.cancelling(task) > 0;
        let mut answer = answer;
        while !self.tasks[task].scopes.is_empty() {
            answer = self.drop_innermost(task, answer);
        }
        self.tasks[task].asked = asked;
        self.tasks[task].outcome = answer;
        // The newest first.
        for group in (0..self.groups.len()).rev() {
            let slot = &mut self.groups[group];
            if slot.owner != task || slot.over {
                continue;
            }
            if slot.members.is_empty() {
                self.group_end(group);
            } else {
                slot.closed = true;
                self.group_cancel(group);
            }
        }
        if self.groups.iter().any(|group| group.owner == task && !group.over) {
            self.tasks[task].state = State::Leaving;
        } else {
            self.task_ends(task);
        }
    }

    /// The end of a task is told to everybody.
    pub fn task_ends(&mut self, task: usize) {
        self.tasks[task].state = State::Ended;
        let short = self.tasks[task].outcome;
        for joiner in self.tasks[task].joiners.clone() {
            self.wake(joiner, short);
        }
        let Some(group) = self.tasks[task].group else { return };
        self.groups[group].members.retain(|member| *member != task);
        self.groups[group].succeeded += i64::from(short >= 0);
        let failed = short < 0 && (short != CANCELLED || !self.tasks[task].asked);
        if failed {
            self.groups[group].failures.push((task, short));
            let scope = self.groups[group].scope;
            if self.scopes[scope].fired == Fired::No {
                self.fire(scope, Fired::Failed);
            }
        }
        if !self.groups[group].members.is_empty() {
            return;
        }
        let short = self.group_outcome(group);
        for owner in 0..self.tasks.len() {
            if self.tasks[owner].state == State::Waiting(On::Group(group)) {
                self.wake(owner, short);
            }
        }
        if self.groups[group].closed {
            self.group_end(group);
        }
    }

    /// Deadlines that have not fired, with their scopes, in the order in which they do.
    pub fn deadlines(&self) -> Vec<(u64, usize)> {
        let armed = |scope: &&usize| {
            let slot = &self.scopes[**scope];
            slot.fired == Fired::No && !slot.over && slot.deadline != u64::MAX
        };
        let all: Vec<usize> = (0..self.scopes.len()).collect();
        let mut deadlines: Vec<_> =
            all.iter().filter(armed).map(|scope| (self.scopes[*scope].deadline, *scope)).collect();
        deadlines.sort_unstable();
        deadlines
    }

    /// The loop takes the next of its queue, in a new turn if the last one is over: who goes on.
    pub fn next_of_queue(&mut self) -> Option<usize> {
        if self.batch == 0 {
            while let Some((deadline, scope)) = self.deadlines().first().copied().filter(|first| first.0 <= self.now) {
                debug_assert!(deadline <= self.now);
                self.fire(scope, Fired::TimedOut);
            }
            self.batch = self.queue.len();
        }
        let task = self.queue.pop_front()?;
        self.batch -= 1;
        Some(task)
    }

    /// The loop asks everything to end, and withdraws the promises that wait for nobody.
    pub fn close(&mut self) {
        self.closing = true;
        for group in 0..self.groups.len() {
            let scope = self.groups[group].scope;
            let fresh = !self.groups[group].over && self.scopes[scope].fired == Fired::No;
            if fresh {
                self.unlink(scope);
            }
        }
        let began = self.begins_sweep();
        for group in 0..self.groups.len() {
            self.group_cancel(group);
        }
        for task in self.spawned.clone() {
            if !self.meets(task) {
                self.cancel(task);
            }
        }
        self.ends_sweep(began);
        for task in &mut self.tasks {
            if std::mem::take(&mut task.idle) {
                task.promise = Some(CANCELLED);
            }
        }
    }
}
