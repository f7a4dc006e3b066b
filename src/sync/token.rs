//! Tokens: a broadcast that something is to end.
//!
//! ```text
//!   shutdown ──┬── connection ── request        cancelling one cancels all below it,
//!              └── connection                   and none above or beside
//! ```
//!
//! A cancelled token stays so. Cancelling tells those who wait for it, and asks
//! the tasks that are attached to end (`rt/attach.rs`). Whether it is cancelled
//! every thread may ask: that is a flag which threads share, found by the handle.
//! Another thread raises the flag and tells the loop, which does the rest in its
//! next turn; the flags below follow then.
//!
//! A token that is closed lets go of everybody: its tasks go on unasked, and the
//! tokens below it stand on their own.

use super::line::{Line, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{Core, Operation, Outcome, Text};
use core::sync::atomic::{AtomicBool, Ordering};

/// The number of the object that another thread tells of.
pub(super) const TOKENS: u8 = 67;

/// What the loop is told of when another thread has raised the flag of a token.
pub fn token_object(object: Key) -> Operation {
    Operation { object, kind: TOKENS }
}

/// A token's slot.
pub struct Token {
    cancelled: bool,
    reason: Text,
    /// The tasks that it asks.
    circle: Key,
    parent: Option<Key>,
    child: Option<Key>,
    /// Those beside it, below the same parent.
    before: Option<Key>,
    after: Option<Key>,
    pub(super) line: Line,
}

impl Objects {
    /// A token below another, or on its own; below a cancelled one it is cancelled.
    pub fn token_open(&mut self, core: &mut Core, parent: Option<Key>) -> Result<Key> {
        let above = parent.map(|parent| self.tokens.get(parent).ok_or(ROTA_ERR_HANDLE)).transpose()?;
        let (cancelled, after) = above.map_or((false, None), |above| (above.cancelled, above.child));
        let reason = above.map_or(Text::None, |above| core.text_copy(&above.reason));
        let key = self.tokens.next_key()?;
        let circle = core.circle_open()?;
        if let Err(error) = core.remote.tokens().enter(key, AtomicBool::new(cancelled)) {
            core.circle_close(circle);
            return Err(error);
        }
        if cancelled {
            core.circle_ask(circle, &reason);
        }
        let line = Line::default();
        let token = Token { cancelled, reason, circle, parent, child: None, before: None, after, line };
        let key = self.tokens.insert(token)?;
        if let Some(parent) = parent.and_then(|parent| self.tokens.get_mut(parent)) {
            parent.child = Some(key);
        }
        if let Some(after) = after.and_then(|after| self.tokens.get_mut(after)) {
            after.before = Some(key);
        }
        Ok(key)
    }

    /// Cancels a token and all below it; those that are cancelled stay as they are.
    pub fn token_cancel(&mut self, core: &mut Core, key: Key, reason: Text) -> Result<()> {
        self.tokens.get(key).ok_or(ROTA_ERR_HANDLE)?;
        let mut at = key;
        loop {
            let fresh = self.token_set(core, at, &reason);
            let child = self.tokens.get(at).and_then(|token| token.child);
            at = match child {
                // Below one that was cancelled before, all are.
                Some(child) if fresh => child,
                _ => match self.token_after(at, key) {
                    Some(next) => next,
                    None => return Ok(()),
                },
            };
        }
    }

    /// The next below `top` that is neither at nor below `at`.
    fn token_after(&self, mut at: Key, top: Key) -> Option<Key> {
        while at != top {
            let token = self.tokens.get(at)?;
            match token.after {
                Some(after) => return Some(after),
                None => at = token.parent?,
            }
        }
        None
    }

    /// Cancels one. Whether it was not before.
    fn token_set(&mut self, core: &mut Core, key: Key, reason: &Text) -> bool {
        let Some(token) = self.tokens.get_mut(key).filter(|token| !token.cancelled) else { return false };
        token.cancelled = true;
        token.reason = core.text_copy(reason);
        core.remote.tokens().find(key, |flag| flag.store(true, Ordering::Release));
        core.circle_ask(token.circle, reason);
        self.lines.serve_all(core, &mut token.line, Outcome::value(0));
        true
    }

    /// Another thread has raised flags: this token's, or any.
    pub(super) fn token_told(&mut self, core: &mut Core, key: Option<Key>) {
        let mut next = key.or_else(|| self.tokens.next(0));
        while let Some(at) = next {
            if core.remote.tokens().find(at, |flag| flag.load(Ordering::Acquire)) == Some(true) {
                let _ = self.token_cancel(core, at, Text::None);
            }
            next = if key.is_some() { None } else { self.tokens.next(at.slot + 1) };
        }
    }

    /// A future for the moment in which it is cancelled.
    pub fn token_wait(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let token = self.tokens.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if token.cancelled {
            return Ok(core.future_done(Outcome::value(0), Text::None));
        }
        self.lines.join(core, &mut token.line, Owner::Token(key), NOTHING)
    }

    /// A task is to be asked when it is cancelled.
    pub fn token_attach(&mut self, core: &mut Core, key: Key, task: Key) -> Result<()> {
        let token = self.tokens.get(key).ok_or(ROTA_ERR_HANDLE)?;
        core.circle_add(token.circle, task)
    }

    /// Why it was cancelled.
    pub fn token_reason(&self, key: Key) -> Result<&Text> {
        Ok(&self.tokens.get(key).ok_or(ROTA_ERR_HANDLE)?.reason)
    }

    /// Ends it; those who wait for it are told that they were cancelled, all others are let go.
    pub fn token_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut token = self.tokens.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        core.remote.tokens().remove(key);
        core.circle_close(token.circle);
        match token.before.and_then(|before| self.tokens.get_mut(before)) {
            Some(before) => before.after = token.after,
            None => {
                if let Some(parent) = token.parent.and_then(|parent| self.tokens.get_mut(parent)) {
                    parent.child = token.after;
                }
            }
        }
        if let Some(after) = token.after.and_then(|after| self.tokens.get_mut(after)) {
            after.before = token.before;
        }
        let mut below = token.child;
        while let Some(child) = below.and_then(|child| self.tokens.get_mut(child)) {
            (child.parent, child.before) = (None, None);
            below = child.after.take();
        }
        self.lines.serve_all(core, &mut token.line, Outcome::cancelled());
        Ok(())
    }
}
