//! Connecting to a host by several addresses at once, as RFC 8305 has it.
//!
//! ```text
//!   resolving ──▶ racing: an attempt, and after a delay or a failure the next ──▶ the first that stands wins
//! ```
//!
//! The addresses alternate between the families, beginning with the one that
//! the resolver prefers. The losers are closed. If all attempts fail, the
//! outcome has the error that tells most and the message says what came of each.

use super::resolve::{ask, literal};
use super::token::{Role, PARTS};
use super::Io;
use crate::base::rota_status::{ROTA_ERR_ADDRESS, ROTA_ERR_NOT_FOUND, ROTA_ERR_UNREACHABLE, ROTA_ERR_UNSUPPORTED};
use crate::base::status::TABLE;
use crate::base::{limits, rota_address, Error, Handle, Key, Result};
use crate::rt::{Core, Object, Outcome, TimerAction};
use crate::sys::driver::{Direction, OpOutcome, Socket, Start};
use crate::sys::executor::JobId;
use crate::sys::resolver::Resolved;
use crate::sys::{List, Memory, Text};

/// The longest message about failed attempts.
const MESSAGE_MAX: usize = 512;

/// How to connect.
#[derive(Clone, Copy)]
pub struct ConnectOptions {
    /// ROTA_FAMILY_...
    pub family: u32,
    /// Between two attempts; 0 is RFC 8305's recommendation.
    pub attempt_delay_ns: u64,
}

/// A connect that is under way.
pub struct Connecting {
    future: Key,
    delay_ns: u64,
    job: Option<JobId>,
    addresses: List<rota_address>,
    /// The next address to try.
    next: usize,
    /// Attempts under way, by the number of their address.
    attempts: List<(usize, Socket)>,
    timer: Option<Key>,
    error: Option<Error>,
    message: List<u8>,
}

/// The families in turn, each in its order, beginning with that of the first address.
fn interleave(memory: &Memory, mut addresses: List<rota_address>) -> Result<List<rota_address>> {
    addresses.truncate(PARTS);
    let mut mixed = List::new(memory.clone());
    mixed.reserve_exact(addresses.len())?;
    let first = addresses.first().is_some_and(rota_address::is_ipv6);
    let mut one = addresses.iter().filter(|address| address.is_ipv6() == first);
    let mut other = addresses.iter().filter(|address| address.is_ipv6() != first);
    while mixed.len() < addresses.len() {
        for address in [one.next(), other.next()].into_iter().flatten() {
            mixed.push(*address)?;
        }
    }
    Ok(mixed)
}

/// Whether an error says that this machine had no way at all, which tells less than an answer from the other side.
fn tells_little(error: Error) -> bool {
    matches!(error.status, ROTA_ERR_UNREACHABLE | ROTA_ERR_UNSUPPORTED | ROTA_ERR_ADDRESS)
}

fn phrase(error: Error) -> &'static str {
    let row = TABLE.iter().find(|row| row.0 == error.status);
    row.map_or("failed", |row| row.2.trim_end_matches('\0'))
}

impl Connecting {
    fn new(core: &Core, options: ConnectOptions) -> Self {
        let delay_ns = if options.attempt_delay_ns == 0 { limits::ATTEMPT_DELAY_NS } else { options.attempt_delay_ns };
        Connecting {
            future: Key::default(),
            delay_ns,
            job: None,
            addresses: List::new(core.memory.clone()),
            next: 0,
            attempts: List::new(core.memory.clone()),
            timer: None,
            error: None,
            message: List::new(core.memory.clone()),
        }
    }

    /// Starts the next attempt, and those after it as long as they fail at once. The connection, if one stands.
    fn attempt(&mut self, core: &mut Core, key: Key) -> Option<Socket> {
        self.disarm(core);
        while let Some(address) = self.addresses.get(self.next).copied() {
            let number = self.next;
            self.next += 1;
            let begun = self
                .attempts
                .reserve(1)
                .and_then(|()| core.driver.connect(&address, Role::Connect.token_part(key, number)));
            match begun {
                Err(error) => self.note(core, number, error),
                Ok((socket, Start::Done(OpOutcome { error: Some(error), .. }))) => {
                    core.driver.close(socket);
                    self.note(core, number, error);
                }
                Ok((socket, Start::Done(_))) => return Some(socket),
                Ok((socket, Start::Pending)) => {
                    // There is room: made above.
                    let _ = self.attempts.push((number, socket));
                    if self.next < self.addresses.len() {
                        let deadline = core.read_clock().saturating_add(self.delay_ns);
                        // Without memory for the timer the next attempt waits for this one.
                        self.timer = core.timers.arm(deadline, TimerAction::Service(Role::Connect.token(key))).ok();
                    }
                    return None;
                }
            }
        }
        None
    }

    /// Whether nothing can come of it any more.
    fn is_hopeless(&self) -> bool {
        self.attempts.is_empty() && self.next == self.addresses.len()
    }

    fn disarm(&mut self, core: &mut Core) {
        if let Some(timer) = self.timer.take() {
            core.timers.cancel(timer);
        }
    }

    /// Remembers what came of an attempt.
    fn note(&mut self, core: &Core, number: usize, error: Error) {
        if self.error.is_none_or(|before| tells_little(before) || !tells_little(error)) {
            self.error = Some(error);
        }
        let Some(address) = self.addresses.get(number) else { return };
        let comma = if self.message.is_empty() { "" } else { ", " };
        let text = Text::format(core.memory.clone(), format_args!("{comma}{address}: {}", phrase(error)));
        if self.message.len() + text.as_bytes().len() <= MESSAGE_MAX {
            // Without memory the status has to do.
            let _ = self.message.extend_from_slice(text.as_bytes());
        }
    }

    /// Closes everything but the winner.
    fn clear(&mut self, core: &mut Core) {
        self.disarm(core);
        if let Some(job) = self.job.take() {
            core.executor.withdraw(job);
        }
        while let Some((_, socket)) = self.attempts.pop() {
            // Whatever it comes to, its completion finds no slot.
            core.driver.withdraw(socket, Direction::Write);
            core.driver.close(socket);
        }
    }
}

impl Io {
    /// A future for a connection to a host.
    pub fn connect(&mut self, core: &mut Core, host: &[u8], service: &[u8], options: ConnectOptions) -> Result<Handle> {
        core.futures.reserve()?;
        let mut connecting = Connecting::new(core, options);
        let found = literal(core, host, Some(service), options.family)?;
        let is_literal = found.is_some();
        if let Some(addresses) = found {
            connecting.addresses = addresses;
        }
        let key = self.connects.insert(connecting)?;
        let future = core.future_new(Role::Connect.of(key))?;
        let handle = core.future_handle(future);
        let job = match is_literal {
            true => None,
            false => match ask(core, host, Some(service), options.family, Role::Connect.token(key)) {
                Ok(job) => Some(job),
                Err(error) => {
                    self.connects.remove(key);
                    core.futures.remove(future);
                    return Err(error);
                }
            },
        };
        if let Some(connecting) = self.connects.get_mut(key) {
            (connecting.future, connecting.job) = (future, job);
        }
        if is_literal {
            self.connect_go_on(core, key);
        }
        Ok(handle)
    }

    /// The addresses have come.
    pub(super) fn connect_resolved(&mut self, core: &mut Core, key: Key, result: Resolved) {
        let Some(connecting) = self.connects.get_mut(key) else { return };
        connecting.job = None;
        let mixed = match result {
            Ok(addresses) => interleave(&core.memory, addresses),
            Err(failure) => {
                self.connect_end(core, key, Outcome::failed(failure.error, 0), failure.message, None);
                return;
            }
        };
        match mixed {
            Ok(addresses) => {
                connecting.addresses = addresses;
                self.connect_go_on(core, key);
            }
            Err(error) => self.connect_end(core, key, Outcome::failed(error, 0), Text::None, None),
        }
    }

    /// Time for the next attempt.
    pub(super) fn connect_go_on(&mut self, core: &mut Core, key: Key) {
        let Some(connecting) = self.connects.get_mut(key) else { return };
        if let Some(socket) = connecting.attempt(core, key) {
            return self.connect_won(core, key, socket);
        }
        if connecting.is_hopeless() {
            let error = connecting.error.unwrap_or(ROTA_ERR_NOT_FOUND.into());
            let message = Text::copy(core.memory.clone(), &connecting.message).unwrap_or_default();
            self.connect_end(core, key, Outcome::failed(error, 0), message, None);
        }
    }

    /// The delay between two attempts is over.
    pub(super) fn connect_due(&mut self, core: &mut Core, key: Key) {
        if let Some(connecting) = self.connects.get_mut(key) {
            connecting.timer = None;
            self.connect_go_on(core, key);
        }
    }

    /// An attempt has ended.
    pub(super) fn connect_completed(&mut self, core: &mut Core, key: Key, number: usize, outcome: OpOutcome) {
        let Some(connecting) = self.connects.get_mut(key) else { return };
        let Some(at) = connecting.attempts.iter().position(|attempt| attempt.0 == number) else { return };
        let (_, socket) = connecting.attempts.swap_remove(at);
        match outcome.error {
            None => self.connect_won(core, key, socket),
            Some(error) => {
                core.driver.close(socket);
                connecting.note(core, number, error);
                self.connect_go_on(core, key);
            }
        }
    }

    fn connect_won(&mut self, core: &mut Core, key: Key, socket: Socket) {
        match self.stream_open(core, socket) {
            Ok(stream) => self.connect_end(core, key, Outcome::default(), Text::None, Some(stream)),
            Err(error) => self.connect_end(core, key, Outcome::failed(error, 0), Text::None, None),
        }
    }

    fn connect_end(&mut self, core: &mut Core, key: Key, outcome: Outcome, text: Text, stream: Option<Key>) {
        let Some(mut connecting) = self.connects.remove(key) else { return };
        connecting.clear(core);
        let object = stream.map_or(Object::None, Object::Stream);
        let told = core.future_complete(connecting.future, outcome, text, object);
        if let (false, Some(stream)) = (told, stream) {
            let _ = self.stream_close(core, stream);
        }
    }

    /// Nobody wants the connection any more.
    pub(super) fn connect_cancel(&mut self, core: &mut Core, key: Key) {
        self.connect_end(core, key, Outcome::cancelled(), Text::None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_from_the_preferred_one() {
        let memory = Memory::new(None, u64::MAX);
        let mixed = |texts: &[&str]| {
            let mut list = List::new(memory.clone());
            for text in texts {
                list.push(rota_address::parse(text, 1).unwrap()).unwrap();
            }
            let mixed = interleave(&memory, list).unwrap();
            mixed.iter().map(|address| address.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            mixed(&["::1", "::2", "::3", "1.1.1.1", "1.1.1.2"]),
            ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"]
        );
        assert_eq!(mixed(&["1.1.1.1", "::1", "1.1.1.2"]), ["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]);
        assert!(mixed(&[]).is_empty());
    }

    #[test]
    fn an_answer_tells_more_than_no_way() {
        assert!(tells_little(ROTA_ERR_UNREACHABLE.into()));
        assert!(!tells_little(crate::base::rota_status::ROTA_ERR_REFUSED.into()));
    }
}
