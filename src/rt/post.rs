//! What becomes of what other threads posted, on the loop's thread.
//!
//! A message names its future or task by a key, and a key whose life is over
//! finds nothing: then nothing happens, but that a result is let go. Messages
//! are taken in the order in which they were posted, callbacks included; what a
//! message does at once runs nobody's code.
//!
//! **A blocked thread** is a waiter of its future like any other: a claim, with a
//! place in the ready queue.
//!
//! ```text
//!   Wait(future, ticket) ──▶ in the future's line ──▶ done: queued ──▶ its turn: answered
//!                                   │                                      │
//!   Leave(future, ticket) ──────────┘ the claim is taken back              └ gone home: given back
//! ```
//!
//! The thread that leaves has ended its ticket before it says so. An answer that
//! finds the ticket ended has told nobody, and the future is left as if that
//! claim had never been.

use super::drain::Completed;
use super::event_loop::State;
use super::future::{Object, Source};
use super::outcome::Outcome;
use super::ready::Entry;
use super::remote::{Message, Told};
use super::service::Service;
use super::waiters::Waiter;
use crate::base::Key;
use crate::sys::host::{HostFree, HostResult};
use crate::sys::{Text, Ticket};

impl<S: Service> State<S> {
    /// Does what a message asks for. There is room in the ready queue for one more entry.
    #[inline(never)]
    pub(super) fn posted(&mut self, message: Message) {
        match message {
            Message::Call(call) => drop(self.core.ready.push(Entry::Call(call))),
            Message::Completion(data) => {
                // There is room for it too.
                self.core.drain.reserve_for_post();
                let _ = self.core.ready.push(Entry::Drain(Completed::Post(data)));
            }
            Message::Complete(future, short) => {
                if let (true, Some(outcome)) = (self.is_open_promise(future), Outcome::from_short(short)) {
                    self.core.future_complete(future, outcome, Text::None, Object::None);
                }
            }
            Message::Result(future, result) => self.posted_result(future, result),
            Message::CancelTask(task) => drop(self.task_cancel(task)),
            Message::CancelScope(scope) => drop(self.scope_cancel(scope, Text::None)),
            Message::CancelGroup(group) => self.group_cancel(group, Text::None),
            Message::Wait(future, ticket) => {
                if let Err(error) = self.core.future_claim(future, Waiter::Blocked(ticket)) {
                    self.core.remote.waits().answer(ticket, Err(error));
                }
            }
            Message::Leave(future, ticket) => {
                let gone = |waiter: &Waiter| matches!(waiter, Waiter::Blocked(of) if *of == ticket);
                self.core.future_unclaim(future, gone);
            }
            Message::Service(object) => self.service.told(&mut self.core, Some(object)),
        }
    }

    fn posted_result(&mut self, future: Key, result: HostResult) {
        let (pointer, free) = result.parts();
        if self.is_open_promise(future) {
            self.core.future_complete(future, Outcome::default(), Text::None, Object::Result(pointer, free));
        } else if let Some(free) = free {
            let _ = self.core.ready.push(Entry::Free(free));
        }
    }

    fn is_open_promise(&self, future: Key) -> bool {
        let found = self.core.futures.get(future);
        found.is_some_and(|future| !future.done && matches!(future.source, Source::Promise))
    }

    /// The turn of a blocked thread has come. A destructor that is due is the caller's to call.
    pub(super) fn blocked_answer(&mut self, key: Key, ticket: Ticket) -> Option<HostFree> {
        let future = self.core.futures.get(key)?;
        let told = Told { outcome: future.outcome, message: future.text.as_static() };
        if self.core.remote.waits().answer(ticket, Ok(told)) {
            self.core.future_answer(key);
            return self.future_settle(key);
        }
        self.future_give_back(key)
    }

    /// Takes a claim back from a done future whose outcome nobody got by it: only what others have seen ends.
    pub(super) fn future_give_back(&mut self, key: Key) -> Option<HostFree> {
        let future = self.core.futures.get_mut(key)?;
        future.claims = future.claims.saturating_sub(1);
        if future.seen || future.closed {
            return self.future_settle(key);
        }
        None
    }
}
