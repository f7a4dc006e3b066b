//! The one part of a loop that other threads may touch.

use super::outcome::Outcome;
use super::service::Operation;
use crate::base::{limits, rota_outcome, rota_status, Key, Result};
use crate::sys::channel::{self, Tell};
use crate::sys::host::{HostCall, HostPointer, HostResult};
use crate::sys::waker::Waker;
use crate::sys::{Directory, Inbox, Shared, Text, Ticket, Waits};
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// What other threads hand to a loop; `post.rs` says what becomes of each. Small, because every post carries one.
#[derive(Clone, Copy)]
pub enum Message {
    /// A callback to be called.
    Call(HostCall),
    /// A completion for the host to fetch.
    Completion(HostPointer),
    /// A promise to be completed: its outcome in short form.
    Complete(Key, i64),
    /// A promise to be completed with a pointer.
    Result(Key, HostResult),
    /// A task to be asked to end.
    CancelTask(Key),
    /// A scope to be cancelled.
    CancelScope(Key),
    /// A group to be cancelled.
    CancelGroup(Key),
    /// A thread is blocked until this future is done.
    Wait(Key, Ticket),
    /// It is no longer.
    Leave(Key, Ticket),
    /// Something has happened to one of the service's objects.
    Service(Operation),
}

const _: () = assert!(size_of::<Message>() <= 32, "every post carries one");

/// What a blocked thread is told.
#[derive(Clone, Copy)]
pub struct Told {
    /// The numbers.
    pub outcome: Outcome,
    /// And in words, where they are the library's own.
    pub message: &'static CStr,
}

impl Told {
    /// What a future that is a value carries.
    pub fn carried(short: i64) -> Option<Self> {
        let outcome = Outcome { moved: short.max(0) as u64, ..Outcome::from_short(short)? };
        Some(Told { outcome, message: c"" })
    }

    /// As C sees it.
    pub fn to_host(self) -> rota_outcome {
        self.outcome.to_host(&Text::Static(self.message))
    }
}

/// How a channel tells a loop: which one, and of what.
pub struct Teller {
    remote: Arc<Remote>,
    object: Operation,
}

impl Teller {
    /// Tells this loop of that object.
    pub fn new(remote: Arc<Remote>, object: Operation) -> Self {
        Teller { remote, object }
    }
}

impl Tell for Teller {
    fn tell(&self) {
        self.remote.tell(self.object);
    }
}

/// A channel of the host's pointers.
pub type Channel = channel::Channel<HostPointer, Teller>;

/// Posts, wakes, stops, blocked threads, and what threads share with the loop.
pub struct Remote {
    inbox: Inbox<Message>,
    waits: Waits<Result<Told>>,
    channels: Directory<Shared<Channel>>,
    tokens: Directory<AtomicBool>,
    waker: Waker,
    stop: AtomicBool,
    missed: AtomicBool,
    closing: AtomicBool,
    poisoned: AtomicBool,
    completions: AtomicBool,
}

impl Remote {
    /// The far side of a loop whose driver has this waker.
    pub fn new(waker: Waker) -> Result<Self> {
        let inbox = Inbox::new(limits::POSTS_SET_ASIDE)?;
        let [stop, missed, closing, poisoned, completions] = [const { AtomicBool::new(false) }; 5];
        let (waits, channels, tokens) = (Waits::default(), Directory::default(), Directory::default());
        Ok(Remote { inbox, waits, channels, tokens, waker, stop, missed, closing, poisoned, completions })
    }

    /// From now on the loop does nothing that it is asked for, and nobody waits for it.
    pub fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
        self.end(rota_status::ROTA_ERR_PANIC);
    }

    /// The loop goes away: whoever is blocked on it is told this, and whoever comes too late.
    pub fn end(&self, status: rota_status) {
        self.waits.end(Err(status.into()));
        self.channels.clear(|channel| channel.end(status));
    }

    /// The loop's channels, by their keys.
    pub fn channels(&self) -> &Directory<Shared<Channel>> {
        &self.channels
    }

    /// Whether each of the loop's tokens is cancelled, by their keys.
    pub fn tokens(&self) -> &Directory<AtomicBool> {
        &self.tokens
    }

    /// The threads that are blocked on the loop.
    pub fn waits(&self) -> &Waits<Result<Told>> {
        &self.waits
    }

    /// The answer to every thread when the loop is poisoned.
    pub fn refuse_if_poisoned(&self) -> Result<()> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(rota_status::ROTA_ERR_PANIC.into());
        }
        Ok(())
    }

    /// Hands the loop a message; the first of a batch wakes it.
    pub fn post(&self, message: Message) -> Result<()> {
        if self.closing.load(Ordering::Acquire) {
            return Err(rota_status::ROTA_ERR_CLOSING.into());
        }
        if self.inbox.push(message)? {
            self.waker.wake();
        }
        Ok(())
    }

    /// As `post`, of a completion: from now on the loop makes room for such.
    pub fn post_completion(&self, data: HostPointer) -> Result<()> {
        // Whoever takes the message from the inbox sees this too: it is stored before the message is pushed.
        self.completions.store(true, Ordering::Relaxed);
        self.post(Message::Completion(data))
    }

    /// Whether completions have ever been posted.
    pub fn posts_completions(&self) -> bool {
        self.completions.load(Ordering::Relaxed)
    }

    /// Tells the loop that something happened to an object, also while it closes. It cannot fail: where there is no
    /// memory for a message, the loop looks at all its objects.
    pub fn tell(&self, object: Operation) {
        match self.inbox.push(Message::Service(object)) {
            Ok(false) => return,
            Ok(true) => {}
            Err(_) => return self.miss(),
        }
        self.waker.wake();
    }

    /// There was no memory for a message: the loop looks at all its objects.
    pub fn miss(&self) {
        self.missed.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the loop has to look at all its objects, now.
    pub fn take_missed(&self) -> bool {
        self.missed.load(Ordering::Relaxed) && self.missed.swap(false, Ordering::AcqRel)
    }

    /// The calling thread is about to block until a future of the loop's is done.
    pub fn begin_wait(&self, future: Key) -> Result<Ticket> {
        let ticket = self.waits.enter()?;
        let posted = self.post(Message::Wait(future, ticket));
        if posted.is_err() {
            self.waits.leave(ticket);
        }
        posted.map(|()| ticket)
    }

    /// A thread's time was over: its ticket has ended, and its claim is given back. If the loop cannot be told, because
    /// it closes or there is no memory, the claim is answered when the future is done, and tells nobody.
    pub fn end_wait(&self, future: Key, ticket: Ticket) {
        let _ = self.post(Message::Leave(future, ticket));
    }

    /// Ends a wait of the loop.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Asks the loop to stop after its turn.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether a stop is asked.
    pub fn stop_asked(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Answers a stop: whether one was asked.
    pub fn take_stop(&self) -> bool {
        // Asked in every turn: a load is free, a locked exchange costs more than the rest of an empty turn.
        self.stop.load(Ordering::Relaxed) && self.stop.swap(false, Ordering::AcqRel)
    }

    /// From now on posts are refused.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether posts wait to be taken.
    pub fn has_posts(&self) -> bool {
        !self.inbox.is_empty() || self.missed.load(Ordering::Relaxed)
    }

    /// Begins to take what has been posted until now. On the loop's thread only.
    pub fn begin_batch(&self) {
        self.inbox.begin();
    }

    /// The oldest post of the batch. On the loop's thread only.
    pub fn take(&self) -> Option<Message> {
        self.inbox.pop()
    }
}
