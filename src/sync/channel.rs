//! Channels: the loop's side of what threads and loops send to it.
//!
//! The items, and those who wait to put one in, are shared (`sys/channel.rs`):
//! everybody reaches them by the handle, through the loop's `Remote`. Here stand
//! those who wait to take one out, in a line like others, and this loop's own
//! sends that wait for room, in whichever channel.
//!
//! A receiver joins the line and the line is served: what is in goes to the
//! first, and the last look at an empty channel asks to be told of the next item.
//! Being told only means to look. A send that goes away, with its loop as well,
//! leaves the line of its channel.

use super::line::{Line, Owner, NOTHING};
use super::Objects;
use crate::base::{rota_status::*, Handle, Key, Result};
use crate::rt::{self, Core, HostPointer, Object, Operation, Outcome, Shared, Source, Teller, Text};

/// The number of the operation that a send stands for.
pub const SENDS: u8 = 65;
/// And of the object that a channel tells its loop of.
const RECEIVES: u8 = 66;

/// A channel's slot, on the receiving loop.
pub struct Channel {
    shared: Shared<rt::Channel>,
    pub(super) receivers: Line,
}

/// A send that waits for room, on the sending loop.
pub struct Sending {
    channel: Shared<rt::Channel>,
    number: u64,
    future: Key,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.channel.leave(self.number);
    }
}

impl Objects {
    /// A channel that is empty, for items to this loop.
    pub fn channel_open(&mut self, core: &mut Core, capacity: usize) -> Result<Key> {
        if capacity == 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        let object = self.channels.next_key()?;
        let teller = Teller::new(core.remote.clone(), Operation { object, kind: RECEIVES });
        let shared = rt::Channel::open(capacity, teller)?;
        core.remote.channels().enter(object, shared.clone())?;
        self.channels.insert(Channel { shared, receivers: Line::default() })
    }

    /// A future for the oldest item.
    pub fn channel_receive(&mut self, core: &mut Core, key: Key) -> Result<Handle> {
        let channel = self.channels.get_mut(key).ok_or(ROTA_ERR_HANDLE)?;
        let handle = self.lines.join(core, &mut channel.receivers, Owner::Receive(key), NOTHING)?;
        self.channel_serve(core, key);
        Ok(handle)
    }

    /// The oldest item, if there is one and nobody came before.
    pub fn channel_try_receive(&mut self, core: &mut Core, key: Key) -> Result<HostPointer> {
        self.channel_serve(core, key);
        let channel = self.channels.get(key).ok_or(ROTA_ERR_HANDLE)?;
        if !channel.receivers.is_empty() {
            return Err(ROTA_ERR_PENDING.into());
        }
        channel.shared.receive(false)
    }

    /// Gives those who wait what there is.
    fn channel_serve(&mut self, core: &mut Core, key: Key) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        let line = &mut channel.receivers;
        while !line.is_empty() {
            match channel.shared.receive(true) {
                Ok(item) => drop(self.lines.serve(core, line, Outcome::value(0), Object::Result(item, None))),
                Err(error) if error.status == ROTA_ERR_PENDING => return,
                Err(error) => self.lines.serve_all(core, line, Outcome::failed(error, 0)),
            }
        }
    }

    /// Ends it: those who wait on either side are told that they were cancelled, and what is in it is forgotten.
    pub fn channel_close(&mut self, core: &mut Core, key: Key) -> Result<()> {
        let mut channel = self.channels.remove(key).ok_or(ROTA_ERR_HANDLE)?;
        core.remote.channels().remove(key);
        channel.shared.end(ROTA_ERR_CANCELLED);
        self.lines.serve_all(core, &mut channel.receivers, Outcome::cancelled());
        Ok(())
    }

    /// Sends to a channel, of whichever loop: at once, or as a future in its line.
    pub fn channel_send(&mut self, core: &mut Core, channel: Shared<rt::Channel>, item: HostPointer) -> Result<Handle> {
        core.futures.reserve()?;
        let operation = Operation { object: self.sends.next_key()?, kind: SENDS };
        let teller = Teller::new(core.remote.clone(), operation);
        let Some(number) = channel.send(item, Some(teller))? else {
            return Ok(core.future_done(Outcome::value(0), Text::None));
        };
        // Both have their places: from here on nothing fails.
        let future = core.future_new(Source::Service(operation))?;
        self.sends.insert(Sending { channel, number, future })?;
        Ok(core.future_handle(future))
    }

    /// Looks what has become of a send.
    fn send_look(&mut self, core: &mut Core, key: Key) {
        let Some(send) = self.sends.get(key) else { return };
        let Some(came_to) = send.channel.look(send.number) else { return };
        let outcome = came_to.map_or_else(|error| Outcome::failed(error, 0), |()| Outcome::value(0));
        core.future_complete(send.future, outcome, Text::None, Object::None);
        self.sends.remove(key);
    }

    /// A send is not to wait any longer: its item is in already, or never was.
    pub fn send_cancel(&mut self, core: &mut Core, key: Key) {
        let Some(send) = self.sends.remove(key) else { return };
        let outcome = if send.channel.leave(send.number) { Outcome::cancelled() } else { Outcome::value(0) };
        core.future_complete(send.future, outcome, Text::None, Object::None);
    }

    /// Another thread told that something happened to a channel, or to any of them and of the sends.
    pub(super) fn channel_told(&mut self, core: &mut Core, object: Option<Operation>) {
        match object {
            Some(Operation { object, kind: SENDS }) => self.send_look(core, object),
            Some(Operation { object, .. }) => self.channel_serve(core, object),
            None => {
                let mut at = 0;
                while let Some(key) = self.sends.next(at) {
                    at = key.slot + 1;
                    self.send_look(core, key);
                }
                at = 0;
                while let Some(key) = self.channels.next(at) {
                    at = key.slot + 1;
                    self.channel_serve(core, key);
                }
            }
        }
    }
}
