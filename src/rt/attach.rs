//! Tasks that are asked to end together.
//!
//! A token (`sync`) has a circle of tasks. A node stands in two lists: its
//! circle's, linked both ways, and its task's (`ties.rs`), so that a task that
//! ends leaves its circles, and a circle that goes leaves its tasks, in the time
//! that those few take.
//!
//! ```text
//!   circle ──▶ node ⇄ node ⇄ node         asked: it stands in the ready queue,
//!                │       │                and asks them all in its turn
//!   task A ──────┘       └────── task B
//! ```
//!
//! Asking needs the whole state of the loop, and whoever calls for it may not
//! have it in hand; so it happens in the circle's own turn, for which a place is
//! set aside, and cannot fail. A task that joins a circle that has been asked is
//! asked too.

use super::core::Core;
use super::event_loop::State;
use super::ready::Entry;
use super::service::Service;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::{Memory, Slab, Text};

#[derive(Default)]
struct Circle {
    ends: Option<(Key, Key)>,
    asked: bool,
    queued: bool,
    closed: bool,
    reason: Text,
}

struct Node {
    task: Key,
    circle: Key,
    before: Option<Key>,
    after: Option<Key>,
    /// The next of the same task.
    next: Option<Key>,
}

/// The circles of a loop.
pub struct Attachments {
    circles: Slab<Circle>,
    nodes: Slab<Node>,
}

impl Attachments {
    /// None yet.
    pub fn new(memory: &Memory) -> Self {
        Attachments { circles: Slab::new(memory.clone(), 1), nodes: Slab::new(memory.clone(), 1) }
    }

    /// Takes a node out of its circle; what stands after it in its task's list.
    fn unlink(&mut self, key: Key) -> Option<Key> {
        let node = self.nodes.remove(key)?;
        if let Some(before) = node.before.and_then(|before| self.nodes.get_mut(before)) {
            before.after = node.after;
        }
        if let Some(after) = node.after.and_then(|after| self.nodes.get_mut(after)) {
            after.before = node.before;
        }
        if let Some(circle) = self.circles.get_mut(node.circle) {
            circle.ends = circle.ends.and_then(|(first, last)| {
                let first = if first == key { node.after? } else { first };
                Some((first, if last == key { node.before? } else { last }))
            });
        }
        node.next
    }
}

impl Core {
    /// A circle with nobody in it.
    pub fn circle_open(&mut self) -> Result<Key> {
        self.ready.reserve_one()?;
        let opened = self.attachments.circles.insert(Circle::default());
        if opened.is_err() {
            self.ready.release_one();
        }
        opened
    }

    /// Ends a circle: everybody is let go. One that has been asked ends in its turn, when it has asked them.
    pub fn circle_close(&mut self, key: Key) {
        match self.attachments.circles.get_mut(key) {
            Some(circle) if circle.queued => circle.closed = true,
            _ => {
                while self.circle_pop(key).is_some() {}
                self.attachments.circles.discard(key);
                self.ready.release_one();
            }
        }
    }

    /// A task joins a circle; one that is in it stays. `ROTA_ERR_DONE`: it has ended.
    pub fn circle_add(&mut self, key: Key, task: Key) -> Result<()> {
        if self.tasks.get(task).ok_or(ROTA_ERR_HANDLE)?.is_over() {
            return Err(ROTA_ERR_DONE.into());
        }
        self.attachments.circles.get(key).ok_or(ROTA_ERR_HANDLE)?;
        let mut at = self.ties_of(task).and_then(|ties| ties.attached);
        while let Some(node) = at.and_then(|node| self.attachments.nodes.get(node)) {
            if node.circle == key {
                return Ok(());
            }
            at = node.next;
        }
        let next = self.ties_make(task)?.attached;
        let node = self.attachments.nodes.insert(Node { task, circle: key, before: None, after: None, next })?;
        if let Some(ties) = self.ties_of_mut(task) {
            ties.attached = Some(node);
        }
        if let Some(circle) = self.attachments.circles.get_mut(key) {
            let last = circle.ends.map(|(_, last)| last);
            circle.ends = Some((circle.ends.map_or(node, |(first, _)| first), node));
            if let Some(last) = last.and_then(|last| self.attachments.nodes.get_mut(last)) {
                last.after = Some(node);
            }
            if let Some(node) = self.attachments.nodes.get_mut(node) {
                node.before = last;
            }
        }
        self.circle_queue(key);
        Ok(())
    }

    /// Everybody in the circle is asked to end, for this reason, and everybody who comes.
    pub fn circle_ask(&mut self, key: Key, reason: &Text) {
        let reason = self.text_copy(reason);
        if let Some(circle) = self.attachments.circles.get_mut(key) {
            circle.asked = true;
            circle.reason = reason;
        }
        self.circle_queue(key);
    }

    fn circle_queue(&mut self, key: Key) {
        let Some(circle) = self.attachments.circles.get_mut(key) else { return };
        if circle.asked && circle.ends.is_some() && !circle.queued {
            circle.queued = true;
            self.ready.push_reserved(Entry::Ask(key));
        }
    }

    /// The task that joined first leaves.
    fn circle_pop(&mut self, key: Key) -> Option<Key> {
        let (node, _) = self.attachments.circles.get(key)?.ends?;
        let task = self.attachments.nodes.get(node)?.task;
        let next = self.attachments.unlink(node);
        let first = self.ties_of(task).and_then(|ties| ties.attached);
        if first == Some(node) {
            if let Some(ties) = self.ties_of_mut(task) {
                ties.attached = next;
            }
            return Some(task);
        }
        let mut at = first;
        while let Some(before) = at.and_then(|at| self.attachments.nodes.get_mut(at)) {
            at = before.next;
            if at == Some(node) {
                before.next = next;
                break;
            }
        }
        Some(task)
    }

    /// A task has ended: it leaves its circles.
    pub(super) fn attached_end(&mut self, mut at: Option<Key>) {
        while let Some(node) = at {
            at = self.attachments.unlink(node);
        }
    }
}

impl<S: Service> State<S> {
    /// The turn of a circle has come: sets the next place aside, and asks.
    pub(super) fn circle_begin(&mut self, key: Key) {
        let Some(circle) = self.core.attachments.circles.get_mut(key) else { return };
        circle.queued = false;
        self.core.ready.reserve_left();
        while let Some(task) = self.core.circle_pop(key) {
            let reason = match self.core.attachments.circles.get(key) {
                Some(circle) => self.core.text_copy(&circle.reason),
                None => Text::None,
            };
            // A task that has ended since would have left; lack of memory takes the words, not the request.
            if self.task_cancel_with(task, reason).is_err() {
                let _ = self.task_cancel(task);
            }
        }
        if self.core.attachments.circles.get(key).is_some_and(|circle| circle.closed) {
            self.core.circle_close(key);
        }
    }
}
