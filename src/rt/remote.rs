//! The one part of a loop that other threads may touch.

use crate::base::{limits, rota_status, Result};
use crate::sys::host::{HostCall, HostPointer};
use crate::sys::waker::Waker;
use crate::sys::Inbox;
use core::sync::atomic::{AtomicBool, Ordering};

/// What other threads hand to a loop.
#[derive(Clone, Copy)]
pub enum Message {
    /// A callback to be called.
    Call(HostCall),
    /// A completion for the host to fetch.
    Completion(HostPointer),
}

/// Posts, wakes and stops, from any thread.
pub struct Remote {
    inbox: Inbox<Message>,
    waker: Waker,
    stop: AtomicBool,
    closing: AtomicBool,
    poisoned: AtomicBool,
    completions: AtomicBool,
}

impl Remote {
    /// The far side of a loop whose driver has this waker.
    pub fn new(waker: Waker) -> Result<Self> {
        let inbox = Inbox::new(limits::POSTS_SET_ASIDE)?;
        let [stop, closing, poisoned, completions] = [const { AtomicBool::new(false) }; 4];
        Ok(Remote { inbox, waker, stop, closing, poisoned, completions })
    }

    /// From now on the loop does nothing that it is asked for.
    pub fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
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
        !self.inbox.is_empty()
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
