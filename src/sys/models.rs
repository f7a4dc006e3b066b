//! What threads share, tried in every interleaving that a few preemptions allow.
//!
//! Built with `--cfg loom` only: `cargo xtask check` does. A model is small (two
//! or three threads, a few steps each), because what is tried grows with the
//! power of its length; it holds what must be true however the threads meet.
//!
//! loom runs the first thread as far as it goes, then the next, and from there
//! looks for accesses that could have come in another order. A look that found
//! nothing is forgotten once another thread has looked at the same place, so
//! those who leave something run first here, and those who look for it after.

use super::channel::{Channel, Tell};
use super::{Inbox, Waits};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::Arc;
use loom::thread;

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Two producers and the consumer: nothing is lost or doubled, each producer's order is kept, and whoever found it
/// empty knows that he has to wake the consumer. One node is set aside, so that the others come from the system.
#[test]
fn an_inbox_with_two_producers() {
    check(|| {
        let inbox = Arc::new(Inbox::new(1).unwrap());
        let other = {
            let inbox = inbox.clone();
            thread::spawn(move || usize::from(inbox.push(20u32).unwrap()))
        };
        let consumer = {
            let inbox = inbox.clone();
            thread::spawn(move || batch(&inbox))
        };
        let wakes = [10, 11].into_iter().filter(|n| inbox.push(*n).unwrap()).count() + other.join().unwrap();
        let mut seen = consumer.join().unwrap();
        let early = usize::from(!seen.is_empty());
        let late = usize::from(!inbox.is_empty());
        seen.extend(batch(&inbox));
        assert!(inbox.is_empty());
        assert_eq!(wakes, early + late, "one wake for each batch");
        let place = |of: u32| seen.iter().position(|n| *n == of).unwrap();
        assert!(seen.len() == 3 && place(10) < place(11) && place(20) < 3);
    });
}

fn batch(inbox: &Inbox<u32>) -> Vec<u32> {
    inbox.begin();
    core::iter::from_fn(|| inbox.pop()).collect()
}

/// The pool's free list is popped by many: a node that went and came back while another slept on it is not taken for
/// the one that he saw.
#[test]
fn nodes_that_come_back_while_another_takes_one() {
    check(|| {
        let inbox = Arc::new(Inbox::new(2).unwrap());
        let sleepy = {
            let inbox = inbox.clone();
            thread::spawn(move || inbox.push(9u32).map(drop).unwrap())
        };
        inbox.push(1).unwrap();
        inbox.push(2).unwrap();
        inbox.begin();
        let mut seen = Vec::from([inbox.pop().unwrap()]);
        inbox.push(3).unwrap();
        sleepy.join().unwrap();
        seen.extend(core::iter::from_fn(|| inbox.pop()));
        seen.extend(batch(&inbox));
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 9]);
    });
}

/// An answer, and a thread whose time may be over: either both know that it was told, or neither.
#[test]
fn an_answer_meets_one_who_leaves() {
    check(|| {
        let waits = Arc::new(Waits::default());
        let ticket = waits.enter().unwrap();
        let impatient = {
            let waits = waits.clone();
            thread::spawn(move || waits.leave(ticket))
        };
        let told = waits.answer(ticket, 5);
        assert_eq!(impatient.join().unwrap().is_some(), told);
        assert_ne!(waits.enter().unwrap(), ticket);
    });
}

/// Two who wait share a table, one answer comes, and the loop goes away: both wake.
#[test]
fn the_end_leaves_nobody_behind() {
    check(|| {
        let waits = Arc::new(Waits::default());
        let blocked = |waits: &Arc<Waits<u32>>| {
            let waits = waits.clone();
            thread::spawn(move || {
                let ticket = waits.enter().unwrap();
                waits.wait(ticket, None)
            })
        };
        let ticket = waits.enter().unwrap();
        let (first, second) = (blocked(&waits), {
            let waits = waits.clone();
            thread::spawn(move || waits.wait(ticket, None))
        });
        let told = waits.answer(ticket, 1);
        waits.end(2);
        assert!(told);
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (Some(2), Some(1)));
    });
}

/// Counts how often a loop was told.
#[derive(Clone)]
struct Told(Arc<AtomicUsize>);

impl Tell for Told {
    fn tell(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Two threads send into a channel with one place, and the receiver takes: both items come out, and whoever was blocked
/// wakes.
#[test]
fn a_channel_with_two_blocked_senders() {
    check(|| {
        let channel = Channel::open(1, Told(Arc::new(AtomicUsize::new(0)))).unwrap();
        let send = |item: u32| {
            let channel = channel.clone();
            thread::spawn(move || match channel.send(item, None).unwrap() {
                Some(number) => channel.wait(number, None).unwrap(),
                None => {}
            })
        };
        let (one, other) = (send(1), send(2));
        let mut sum = 0;
        // Once one item is out, the other finds room.
        while sum == 0 {
            sum += channel.receive(false).unwrap_or(0);
            thread::yield_now();
        }
        one.join().unwrap();
        other.join().unwrap();
        sum += channel.receive(false).unwrap_or(0);
        assert_eq!((sum, channel.size(), channel.waiting()), (3, 0, 0));
    });
}

/// Shutting a full channel: one who is in line is refused, or was let in before, and both sides agree.
#[test]
fn a_channel_that_is_shut_while_one_waits() {
    check(|| {
        let channel = Channel::open(1, Told(Arc::new(AtomicUsize::new(0)))).unwrap();
        channel.try_send(1u32).unwrap();
        let blocked = {
            let channel = channel.clone();
            thread::spawn(move || match channel.send(2, None) {
                Ok(Some(number)) => channel.wait(number, None).is_ok(),
                sent => sent.is_ok(),
            })
        };
        let shutting = {
            let channel = channel.clone();
            thread::spawn(move || channel.shut())
        };
        assert_eq!(channel.receive(false), Ok(1));
        let was_let_in = blocked.join().unwrap();
        shutting.join().unwrap();
        assert_eq!(channel.receive(false).is_ok(), was_let_in);
    });
}

/// A loop's send that is taken back while the receiver makes room: it went in, or it did not, and both sides agree.
#[test]
fn a_send_that_is_taken_back_while_room_is_made() {
    check(|| {
        let told = Told(Arc::new(AtomicUsize::new(0)));
        let channel = Channel::open(1, told.clone()).unwrap();
        channel.try_send(1u32).unwrap();
        let number = channel.send(2, Some(told)).unwrap().unwrap();
        let sending = {
            let channel = channel.clone();
            thread::spawn(move || channel.leave(number))
        };
        assert_eq!(channel.receive(false), Ok(1));
        let left = sending.join().unwrap();
        assert_eq!(channel.receive(false).is_ok(), !left);
    });
}

/// The receiver says that it is hungry while an item comes: it finds the item, or is told of it.
#[test]
fn an_item_meets_a_hungry_receiver() {
    check(|| {
        let told = Told(Arc::new(AtomicUsize::new(0)));
        let channel = Channel::open(2, told.clone()).unwrap();
        let sending = {
            let channel = channel.clone();
            thread::spawn(move || (1..3u32).for_each(|item| channel.try_send(item).unwrap()))
        };
        let found = channel.receive(true).is_ok();
        sending.join().unwrap();
        assert_eq!(told.0.load(Ordering::Acquire), usize::from(!found), "once for both items, and only if it waits");
    });
}
