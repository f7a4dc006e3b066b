//! Where failures came from: how a chain is read, and where links are added.
//!
//! Behind the outcome of a future or a task stands a chain of failures, the
//! nearest first (`base/cause.rs` carries it with the message, so it goes wherever
//! that goes). A failure that came through a task with a name stands in front of
//! its causes once more, with that name: who looks at a gather finds out which of
//! the many it was.
//!
//! Links are added where one failure is made another: by the host
//! (`rota_future_fail_because`, `rota_task_fail`), by a map that answers a failure
//! with another one, and by the end of a task that has a name and is joined, or is
//! a member of a group. All that passes on a failure as it is passes on its chain.

use super::core::Core;
use super::outcome::Outcome;
use super::task::Task;
use crate::base::status::TABLE;
use crate::base::{outcome, rota_failure, rota_outcome, rota_status::*, Key, Numbers, Result};
use crate::sys::{Memory, Text};
use core::fmt;

/// An outcome with its message, and with what is behind it.
#[derive(Clone, Copy)]
pub struct Failure<'a> {
    /// The numbers.
    pub outcome: &'a Outcome,
    /// The message.
    pub text: &'a Text,
}

/// One failure of a chain.
struct Link<'a> {
    numbers: Numbers,
    text: &'a Text,
    name: &'a Text,
}

impl<'a> Failure<'a> {
    fn link(self, depth: usize) -> Option<Link<'a>> {
        let story = self.text.story()?;
        let first = usize::from(!story.name.is_empty());
        if depth < first {
            return Some(Link { numbers: self.outcome.numbers(), text: &story.own, name: &story.name });
        }
        let cause = story.cause(depth - first)?;
        Some(Link { numbers: cause.numbers, text: &cause.text, name: &cause.name })
    }

    /// The failure so far behind it, as C sees it.
    pub fn cause(self, depth: usize) -> Option<rota_failure> {
        let Link { numbers: Numbers { status, os_error, moved }, text, name } = self.link(depth)?;
        let told = rota_outcome { status, os_error, moved_bytes: moved, message: text.as_ptr(), ..outcome::EMPTY };
        Some(rota_failure { size: 0, outcome: told, name: name.as_ptr() })
    }
}

/// A failure in one line, as logs have it.
fn write_failure(out: &mut fmt::Formatter<'_>, status: i32, text: &Text) -> fmt::Result {
    let row = TABLE.iter().find(|row| row.0 as i32 == status);
    let name = row.map_or("a status of the host's", |row| row.1.trim_end_matches('\0'));
    let gap = if text.is_empty() { "" } else { ": " };
    write!(out, "{name} ({status}){gap}{text}")
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_failure(out, self.outcome.status, self.text)?;
        for link in (0..).map_while(|depth| self.link(depth)) {
            out.write_str(": because ")?;
            if !link.name.is_empty() {
                write!(out, "task {}: ", link.name)?;
            }
            write_failure(out, link.numbers.status, link.text)?;
        }
        Ok(())
    }
}

/// Whether a task's name is one that the host gave.
fn is_given(name: &Text) -> bool {
    matches!(name, Text::Owned(_))
}

impl Task {
    /// What there is to tell those who join it: with its name, if it has failed and the host named it. `take` it, or
    /// make a copy.
    pub(super) fn told(&mut self, take: bool, memory: &Memory) -> Text {
        let of = |text: &mut Text| match take {
            true => core::mem::take(text),
            false => text.duplicate(memory),
        };
        let text = of(&mut self.text);
        if !self.outcome.is_error() || !is_given(&self.name) {
            return text;
        }
        text.through(self.outcome.numbers(), of(&mut self.name), memory)
    }
}

impl Core {
    /// A copy of a failure's message, for others than its task, whose name this is.
    pub(super) fn text_through(&self, outcome: &Outcome, text: &Text, name: &Text) -> Text {
        let text = text.duplicate(&self.memory);
        match is_given(name) {
            true => text.through(outcome.numbers(), name.duplicate(&self.memory), &self.memory),
            false => text,
        }
    }

    /// The message of a failure that came of what a done future came to.
    pub fn text_because(&mut self, message: Text, cause: Key) -> Result<Text> {
        let memory = self.memory.clone();
        let slot = self.futures.get_mut(cause).ok_or(ROTA_ERR_HANDLE)?;
        let text = slot.text.duplicate(&memory);
        let text = message.because(slot.outcome.numbers(), text, &memory).map_err(|_| ROTA_ERR_MEMORY)?;
        slot.seen = true;
        Ok(text)
    }

    /// The running task is about to fail with this, because of what its last wait came to, if that was a failure.
    pub fn task_fail(&mut self, key: Key, outcome: Outcome, message: Text) {
        let Some(task) = self.tasks.get_mut(key) else { return };
        let (before, text) = (task.outcome, core::mem::take(&mut task.text));
        task.outcome = outcome;
        task.text = match before.status < 0 {
            true => message.because(before.numbers(), text, &self.memory).unwrap_or_else(|alone| alone),
            false => message,
        };
    }
}
