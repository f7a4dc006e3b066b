//! The model's scopes and groups, as they open, fire and end.

use super::*;

impl Model {
    fn scope_new(&mut self, task: usize, group: Option<usize>, shield: bool, timeout: u64) -> usize {
        let inside = self.tasks[task].scopes.len();
        let entry = if shield { 0 } else { self.outstanding(task, inside) };
        let deadline = if timeout == 0 { u64::MAX } else { self.now + timeout };
        let (fired, request) = (Fired::No, Request::None);
        let scope = self.scopes.len();
        self.tasks[task].scopes.push(scope);
        self.scopes.push(Scope { task, group, shield, linked: true, over: false, fired, request, deadline, entry });
        scope
    }

    pub fn enter(&mut self, task: usize, shield: bool, timeout: u64) -> usize {
        self.scope_new(task, None, shield, timeout)
    }

    pub fn open_group(&mut self, owner: usize, timeout: u64) -> usize {
        let group = self.groups.len();
        let scope = self.scope_new(owner, Some(group), false, timeout);
        let (members, failures) = (Vec::new(), Vec::new());
        self.groups.push(Group { scope, owner, members, failures, closed: false, over: false, succeeded: 0 });
        group
    }

    /// A scope leaves its task's list, and its request goes.
    pub fn unlink(&mut self, scope: usize) {
        self.scopes[scope].request = Request::None;
        self.scopes[scope].linked = false;
        let task = self.scopes[scope].task;
        self.tasks[task].scopes.retain(|listed| *listed != scope);
    }

    pub fn drop_innermost(&mut self, task: usize, result: i64) -> i64 {
        let Some(scope) = self.tasks[task].scopes.last().copied() else { return result };
        self.unlink(scope);
        let slot = &mut self.scopes[scope];
        slot.over |= slot.group.is_none();
        let (shield, entry, timed_out) = (slot.shield, slot.entry, slot.fired == Fired::TimedOut);
        let others = if shield { 0 } else { self.outstanding(task, self.tasks[task].scopes.len()) };
        if timed_out && result == CANCELLED && others <= entry {
            TIMEOUT
        } else {
            result
        }
    }

    /// A running task leaves a scope of its own; what `result` is outside it.
    pub fn leave(&mut self, scope: usize, mut result: i64) -> i64 {
        let task = self.scopes[scope].task;
        while !self.scopes[scope].over {
            let innermost = self.tasks[task].scopes.last().copied();
            let group = innermost.and_then(|scope| self.scopes[scope].group);
            result = self.drop_innermost(task, result);
            if let Some(group) = group {
                self.group_cancel(group);
            }
        }
        result
    }

    /// Whether the scope had not fired.
    pub fn scope_cancel(&mut self, scope: usize) -> bool {
        let open = self.scopes[scope].fired == Fired::No;
        if open {
            self.fire(scope, Fired::Cancelled);
        }
        open
    }

    pub fn fire(&mut self, scope: usize, how: Fired) {
        self.scopes[scope].fired = how;
        let Some(group) = self.scopes[scope].group else { return self.scope_ask(scope) };
        self.asking.push_back(group);
        if std::mem::replace(&mut self.busy, true) {
            return;
        }
        let began = self.begins_sweep();
        while let Some(group) = self.asking.pop_front() {
            for member in self.groups[group].members.clone() {
                if !self.meets(member) {
                    self.cancel(member);
                }
            }
            self.scope_ask(self.groups[group].scope);
        }
        self.busy = false;
        self.ends_sweep(began);
    }

    fn scope_ask(&mut self, scope: usize) {
        if !self.scopes[scope].linked {
            return;
        }
        let task = self.scopes[scope].task;
        self.scopes[scope].request = Request::Due;
        self.tasks[task].made += 1;
        if let (State::Waiting(on), false) = (self.tasks[task].state, self.is_shielded(task, Some(scope))) {
            self.deliver(task, Asker::Scope(scope), on);
        }
    }

    pub fn group_cancel(&mut self, group: usize) {
        let scope = self.groups[group].scope;
        if self.scopes[scope].fired == Fired::No && !self.groups[group].over {
            self.fire(scope, Fired::Cancelled);
        }
    }

    /// Whether it ended at once.
    pub fn group_close(&mut self, group: usize) -> bool {
        self.unlink(self.groups[group].scope);
        if self.groups[group].members.is_empty() {
            self.group_end(group);
            return true;
        }
        self.groups[group].closed = true;
        self.group_cancel(group);
        false
    }

    pub fn group_end(&mut self, group: usize) {
        let (scope, owner) = (self.groups[group].scope, self.groups[group].owner);
        self.unlink(scope);
        self.scopes[scope].over = true;
        self.groups[group].over = true;
        let left = self.groups.iter().any(|group| group.owner == owner && !group.over);
        if !left && self.tasks[owner].state == State::Leaving {
            self.queue.push_back(owner);
        }
    }

    pub fn group_outcome(&self, group: usize) -> i64 {
        let slot = &self.groups[group];
        match (slot.failures.first(), self.scopes[slot.scope].fired) {
            (Some((_, short)), _) => *short,
            (None, Fired::TimedOut) => TIMEOUT,
            (None, Fired::Cancelled) => CANCELLED,
            (None, Fired::No | Fired::Failed) => slot.succeeded,
        }
    }

    /// Whether the group still takes members.
    pub fn spawn(&mut self, group: Option<usize>, task: usize) -> bool {
        if let Some(group) = group {
            if self.scopes[self.groups[group].scope].fired != Fired::No {
                return false;
            }
            self.groups[group].members.push(task);
        }
        self.spawned.push(task);
        self.tasks[task].group = group;
        self.tasks[task].state = State::Queued;
        self.queue.push_back(task);
        true
    }
}
