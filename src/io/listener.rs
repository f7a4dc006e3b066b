//! Listeners: connections for whoever asks, or a task for each.
//!
//! ```text
//!   IDLE ──accept, serve──▶ ACCEPTING (with the driver) ──a connection──▶ handed on, and again
//!    ▲                          │ no descriptor, no memory
//!    │                          ▼
//!    └──────────────────── RESTING (a timer)
//! ```
//!
//! Accepts are answered in the order in which they were asked. A listener that
//! lacks descriptors or memory says so once, leaves the queue of connections to
//! the system for a while, and goes on: neither its accepts nor its serving
//! end. A connection that came when nobody wanted it any more is kept for the
//! next who asks.

use super::queue::Queue;
use super::token::Role;
use super::Io;
use crate::base::rota_status::{
    ROTA_ERR_ADDRESS, ROTA_ERR_BUSY, ROTA_ERR_CANCELLED, ROTA_ERR_DESCRIPTORS, ROTA_ERR_HANDLE, ROTA_ERR_LIMIT,
    ROTA_ERR_MEMORY, ROTA_ERR_UNSUPPORTED,
};
use crate::base::{limits, rota_address, Error, Handle, Key, Kind, Result};
use crate::rt::{
    Core, NewTask, Object, Outcome, StackWanted, Start as TaskStart, Tag, TimerAction, ROTA_LOG_ERROR, ROTA_LOG_WARNING,
};
use crate::sys::driver::{Direction, ListenOptions, OpOutcome, Socket, Start};
use crate::sys::host::HostServe;
use crate::sys::Text;
use core::net::{Ipv4Addr, Ipv6Addr};

/// A listener's slot.
pub struct Listener {
    socket: Socket,
    accepts: Queue<Key>,
    body: Option<HostServe>,
    /// Whose the tasks are that serve.
    owner: Tag,
    /// The driver has an accept.
    accepting: bool,
    /// The timer until which it is left alone.
    resting: Option<Key>,
    /// Whether the log has been told that it lacks something.
    told: bool,
    /// A connection that nobody wanted when it came.
    kept: Option<Socket>,
}

impl Listener {
    /// Whether it serves, and for this owner.
    pub(super) fn serves_for(&self, owner: Tag) -> bool {
        self.body.is_some() && self.owner == owner
    }
}

/// Whether the machine, not the listener, is at its end.
fn is_lack(error: Error) -> bool {
    matches!(error.status, ROTA_ERR_DESCRIPTORS | ROTA_ERR_MEMORY | ROTA_ERR_LIMIT)
}

impl Io {
    /// Listens at a numeric address, at "localhost", or (`None`) at every address of both families.
    pub fn listen(&mut self, core: &mut Core, host: Option<&str>, port: u16, options: &ListenOptions) -> Result<Key> {
        self.listeners.reserve()?;
        let socket = match host {
            Some("localhost") => {
                core.driver.listen(&rota_address::new(Ipv4Addr::LOCALHOST.into(), port, 0), options)?
            }
            Some(host) => core.driver.listen(&rota_address::parse(host, port)?, options)?,
            None => {
                let every = rota_address::new(Ipv6Addr::UNSPECIFIED.into(), port, 0);
                match core.driver.listen(&every, options) {
                    // A machine without IPv6.
                    Err(error)
                        if !options.ipv6_only && [ROTA_ERR_UNSUPPORTED, ROTA_ERR_ADDRESS].contains(&error.status) =>
                    {
                        let every = rota_address::new(Ipv4Addr::UNSPECIFIED.into(), port, 0);
                        core.driver.listen(&every, options)?
                    }
                    listening => listening?,
                }
            }
        };
        let accepts = Queue::new(core.memory.clone());
        self.listeners.insert(Listener {
            socket,
            accepts,
            body: None,
            owner: Tag::NONE,
            accepting: false,
            resting: None,
            told: false,
            kept: None,
        })
    }

    /// Where a listener listens.
    pub fn listener_address(&self, core: &Core, key: Key) -> Result<rota_address> {
        core.driver.local_address(self.listeners.get(key).ok_or(ROTA_ERR_HANDLE)?.socket)
    }

    /// A future for the next connection.
    pub fn accept(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let listener = self.listeners.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if listener.body.is_some() {
            return Err(ROTA_ERR_BUSY.into());
        }
        let future = core.future_new(Role::Accept.of(key))?;
        if let Err(error) = listener.accepts.push(future) {
            core.futures.remove(future);
            return Err(error);
        }
        self.listener_pump(core, key);
        Ok(core.future_handle(future))
    }

    /// From now on a task for each connection.
    pub fn serve(&mut self, core: &mut Core, key: Key, body: HostServe) -> Result<()> {
        let listener = self.listeners.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        if listener.body.is_some() || !listener.accepts.is_empty() {
            return Err(ROTA_ERR_BUSY.into());
        }
        listener.body = Some(body);
        listener.owner = core.owner;
        self.listener_pump(core, key);
        Ok(())
    }

    /// Accepts while anybody wants a connection and there is one, within a share.
    fn listener_pump(&mut self, core: &mut Core, key: Key) {
        for _ in 0..limits::ACCEPTS_PER_EVENT {
            let Some(listener) = self.listeners.get_mut(key) else { return };
            let serving = listener.body.is_some() && !core.closing && !self.starved;
            if listener.accepting || listener.resting.is_some() || listener.accepts.is_empty() && !serving {
                return;
            }
            if let Some(socket) = listener.kept.take() {
                self.listener_hand_on(core, key, socket);
                continue;
            }
            match core.driver.accept(listener.socket, Role::Accept.token(key)) {
                Start::Done(outcome) => self.listener_arrived(core, key, outcome),
                Start::Pending => listener.accepting = true,
            }
        }
        // It has had its share: others first, then again.
        self.listener_rest(core, key, core.now);
    }

    /// An accept of the driver's has ended.
    pub(super) fn listener_completed(&mut self, core: &mut Core, key: Key, outcome: OpOutcome) {
        match self.listeners.get_mut(key) {
            Some(listener) => listener.accepting = false,
            None => return Self::close_accepted(core, &outcome),
        }
        self.listener_arrived(core, key, outcome);
        self.listener_pump(core, key);
    }

    fn close_accepted(core: &mut Core, outcome: &OpOutcome) {
        if let Some((socket, _)) = outcome.accepted {
            core.driver.close(socket);
        }
    }

    fn listener_arrived(&mut self, core: &mut Core, key: Key, outcome: OpOutcome) {
        match (outcome.accepted, outcome.error) {
            (Some((socket, _)), _) => self.listener_hand_on(core, key, socket),
            (None, Some(error)) => self.listener_failed(core, key, error),
            (None, None) => {}
        }
    }

    /// Gives a connection to whoever is first. One that nobody wants, or that there is no memory for, is kept.
    fn listener_hand_on(&mut self, core: &mut Core, key: Key, socket: Socket) {
        let Some(listener) = self.listeners.get_mut(key) else { return core.driver.close(socket) };
        let (body, owner, wanted) = (listener.body, listener.owner, !listener.accepts.is_empty());
        if core.closing && body.is_some() {
            return core.driver.close(socket);
        }
        let room = if body.is_some() || wanted { self.streams.reserve() } else { Ok(()) };
        if body.is_none() && !wanted || room.is_err() {
            if let Some(older) = listener.kept.replace(socket) {
                core.driver.close(older);
            }
            return room.unwrap_or_else(|error| self.listener_failed(core, key, error));
        }
        let handed = self.stream_open(core, socket).and_then(|stream| match body {
            Some(body) => core.as_owner(owner, |core| self.listener_spawn(core, body, stream)),
            None => {
                self.listener_answer(core, key, stream);
                Ok(())
            }
        });
        match handed {
            Ok(()) => {
                if let Some(listener) = self.listeners.get_mut(key) {
                    listener.told = false;
                }
            }
            Err(error) => self.listener_lacks(core, key, error),
        }
    }

    fn listener_spawn(&mut self, core: &mut Core, body: HostServe, stream: Key) -> Result<()> {
        // Whoever happens to run when a connection comes is not its parent.
        let new = NewTask {
            name: Text::Static(c"serve"),
            stack: StackWanted::Usual,
            free: None,
            detached: true,
            parent: None,
            eager: false,
        };
        let handle = core.handle(Kind::Stream, stream).into();
        let spawned = core.task_spawn(new, TaskStart::Serve(body, handle));
        if spawned.is_err() {
            let _ = self.stream_close(core, stream);
        }
        spawned.map(|_| ())
    }

    fn listener_answer(&mut self, core: &mut Core, key: Key, stream: Key) {
        while let Some(future) = self.listeners.get_mut(key).and_then(|listener| listener.accepts.pop()) {
            if core.future_complete(future, Outcome::default(), Text::None, Object::Stream(stream)) {
                return;
            }
        }
        let _ = self.stream_close(core, stream);
    }

    fn listener_failed(&mut self, core: &mut Core, key: Key, error: Error) {
        let Some(listener) = self.listeners.get_mut(key) else { return };
        if error.status == ROTA_ERR_CANCELLED {
            return;
        }
        // Descriptors come back when connections end. Of memory the host may know more, so whoever asked is told.
        if error.status == ROTA_ERR_DESCRIPTORS || is_lack(error) && listener.accepts.is_empty() {
            return self.listener_lacks(core, key, error);
        }
        if let Some(future) = listener.accepts.pop() {
            core.future_complete(future, Outcome::failed(error, 0), Text::None, Object::None);
            return;
        }
        core.log(ROTA_LOG_ERROR, format_args!("accepting failed: {:?} ({})", error.status, error.os_error));
        self.listener_rest(core, key, core.now.saturating_add(limits::ACCEPT_BACKOFF_NS));
    }

    fn listener_lacks(&mut self, core: &mut Core, key: Key, error: Error) {
        let Some(listener) = self.listeners.get_mut(key) else { return };
        if !core::mem::replace(&mut listener.told, true) {
            core.log(
                ROTA_LOG_WARNING,
                format_args!("a listener rests, connections have to wait: {:?} ({})", error.status, error.os_error),
            );
        }
        let until = core.read_clock().saturating_add(limits::ACCEPT_BACKOFF_NS);
        self.listener_rest(core, key, until);
    }

    /// Leaves a listener alone until then. Without memory for a timer whoever waits is told, and serving goes on with
    /// the next thing that happens.
    fn listener_rest(&mut self, core: &mut Core, key: Key, until: u64) {
        let Some(listener) = self.listeners.get_mut(key) else { return };
        if listener.resting.is_some() || listener.accepting {
            return;
        }
        match core.timers.arm(until, TimerAction::Service(Role::Accept.token(key))) {
            Ok(timer) => listener.resting = Some(timer),
            Err(error) => {
                self.starved |= listener.body.is_some();
                while let Some(future) = listener.accepts.pop() {
                    core.future_complete(future, Outcome::failed(error, 0), Text::None, Object::None);
                }
            }
        }
    }

    /// Tries again those that could not even rest.
    pub(super) fn listeners_revive(&mut self, core: &mut Core) {
        if core::mem::take(&mut self.starved) {
            let mut at = 0;
            while let Some(key) = self.listeners.next(at) {
                at = key.slot + 1;
                self.listener_pump(core, key);
            }
        }
    }

    /// A listener has rested.
    pub(super) fn listener_rested(&mut self, core: &mut Core, key: Key) {
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.resting = None;
            self.listener_pump(core, key);
        }
    }

    /// An accept is to be withdrawn; with the last one the driver's, too.
    pub(super) fn listener_cancel(&mut self, core: &mut Core, key: Key, future: Key) {
        let Some(listener) = self.listeners.get_mut(key) else { return };
        listener.accepts.take(|accept| *accept == future);
        core.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
        if listener.accepts.is_empty() && listener.accepting {
            if let Some(outcome) = core.driver.withdraw(listener.socket, Direction::Read) {
                listener.accepting = false;
                self.listener_arrived(core, key, outcome);
            }
        }
    }

    /// Ends a listener. Connections that were handed on go on.
    pub fn listener_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut listener = self.listeners.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        while let Some(future) = listener.accepts.pop() {
            core.future_complete(future, Outcome::cancelled(), Text::None, Object::None);
        }
        if let Some(timer) = listener.resting {
            core.timers.cancel(timer);
        }
        if listener.accepting {
            if let Some(outcome) = core.driver.withdraw(listener.socket, Direction::Read) {
                Self::close_accepted(core, &outcome);
            }
        }
        if let Some(socket) = listener.kept {
            core.driver.close(socket);
        }
        core.driver.close(listener.socket);
        Ok(())
    }

    /// Closes those that serve for an owner.
    pub(super) fn listeners_drop(&mut self, core: &mut Core, owner: Tag) {
        let mut at = 0;
        while let Some(key) = self.listeners.next(at) {
            at = key.slot + 1;
            if self.listeners.get(key).is_some_and(|listener| listener.serves_for(owner)) {
                let _ = self.listener_close(core, key);
            }
        }
    }

    /// Closes every listener.
    pub(super) fn listeners_shut_down(&mut self, core: &mut Core) {
        while let Some(key) = self.listeners.next(0) {
            let _ = self.listener_close(core, key);
        }
    }
}
