//! Threads that are blocked until a loop answers them.
//!
//! ```text
//!   thread:  enter ──▶ (the loop is told of the ticket) ──▶ wait ──▶ the answer
//!                                                            │
//!   loop:              answer(ticket) ─ is it still there? ──┘
//!                                                            │
//!   thread:            its time is over: leave ──────────────┘
//! ```
//!
//! A ticket names a place in one table under one short lock, and one life of it:
//! who answers and who leaves meet there, and whichever is first has it. So the
//! loop may hold a ticket of a thread that went home long ago; its answer then
//! finds nobody. When the loop goes away, `end` answers all who are here and all
//! who come later: nobody waits for a loop that is no more. The lock is not
//! held while anybody sleeps, and taken by the loop only to answer.

use super::primitives::{is_past, lock, Bells, Mutex};
use crate::base::{rota_status, Result};
use std::time::Instant;

/// Names one wait of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    place: u32,
    life: u32,
}

enum Place<A> {
    /// Nobody's; the next free one.
    Free(Option<u32>),
    /// Its thread waits.
    Waiting,
    /// Its thread has not looked yet.
    Answered(A),
}

struct Table<A> {
    places: Vec<(u32, Place<A>)>,
    free: Option<u32>,
    ended: Option<A>,
}

/// The threads that wait for one loop, each for an answer.
pub struct Waits<A: Copy> {
    table: Mutex<Table<A>>,
    bells: Bells,
}

impl<A: Copy> Table<A> {
    fn enter(&mut self) -> Result<Ticket> {
        let state = self.ended.map_or(Place::Waiting, Place::Answered);
        if let Some(free) = self.free {
            let (life, place) = &mut self.places[free as usize];
            if let Place::Free(next) = place {
                self.free = *next;
            }
            *life = life.wrapping_add(1);
            *place = state;
            return Ok(Ticket { place: free, life: *life });
        }
        let place = u32::try_from(self.places.len()).map_err(|_| rota_status::ROTA_ERR_LIMIT)?;
        self.places.try_reserve(1).map_err(|_| rota_status::ROTA_ERR_MEMORY)?;
        self.places.push((0, state));
        Ok(Ticket { place, life: 0 })
    }

    /// The place of a ticket whose thread is still there.
    fn find(&mut self, ticket: Ticket) -> Option<&mut Place<A>> {
        let (life, place) = self.places.get_mut(ticket.place as usize)?;
        (*life == ticket.life && !matches!(place, Place::Free(_))).then_some(place)
    }

    /// Ends a ticket: the answer, if there is one.
    fn leave(&mut self, ticket: Ticket) -> Option<A> {
        let free = Place::Free(self.free);
        let left = core::mem::replace(self.find(ticket)?, free);
        self.free = Some(ticket.place);
        match left {
            Place::Answered(answer) => Some(answer),
            Place::Waiting | Place::Free(_) => None,
        }
    }
}

impl<A: Copy> Default for Waits<A> {
    fn default() -> Self {
        Waits { table: Mutex::new(Table { places: Vec::new(), free: None, ended: None }), bells: Bells::default() }
    }
}

impl<A: Copy> Waits<A> {
    /// A thread comes to wait. It must `wait` or `leave`.
    pub fn enter(&self) -> Result<Ticket> {
        lock(&self.table).enter()
    }

    /// Blocks the calling thread until it is answered; none if its time is over before. The ticket has ended then.
    pub fn wait(&self, ticket: Ticket, deadline: Option<Instant>) -> Option<A> {
        let mut table = lock(&self.table);
        loop {
            let waiting = matches!(table.find(ticket), Some(Place::Waiting));
            if !waiting || is_past(deadline) {
                return table.leave(ticket);
            }
            table = self.bells.wait(u64::from(ticket.place), table, deadline);
        }
    }

    /// Ends a ticket without waiting: the answer, if it has come already.
    pub fn leave(&self, ticket: Ticket) -> Option<A> {
        lock(&self.table).leave(ticket)
    }

    /// Answers a ticket. Whether its thread was still waiting for it.
    pub fn answer(&self, ticket: Ticket, answer: A) -> bool {
        let waits = match lock(&self.table).find(ticket) {
            Some(place @ Place::Waiting) => {
                *place = Place::Answered(answer);
                true
            }
            _ => false,
        };
        if waits {
            self.bells.ring(u64::from(ticket.place));
        }
        waits
    }

    /// From now on everybody is answered so, whoever waits and whoever comes. The first such answer stays.
    pub fn end(&self, answer: A) {
        let mut table = lock(&self.table);
        table.ended.get_or_insert(answer);
        for (_, place) in &mut table.places {
            if matches!(place, Place::Waiting) {
                *place = Place::Answered(answer);
            }
        }
        drop(table);
        self.bells.ring_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn an_answer_wakes_the_thread_it_is_for() {
        let waits = Arc::new(Waits::default());
        let tickets: Vec<Ticket> = (0..40).map(|_| waits.enter().unwrap()).collect();
        let start = |ticket: &Ticket| {
            let (waits, ticket) = (waits.clone(), *ticket);
            thread::spawn(move || assert_eq!(waits.wait(ticket, None), Some(ticket.place)))
        };
        let threads: Vec<_> = tickets.iter().map(start).collect();
        for ticket in tickets.iter().rev() {
            assert!(waits.answer(*ticket, ticket.place));
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn an_answer_to_one_who_has_left_finds_nobody_and_never_his_successor() {
        let waits = Waits::default();
        let first = waits.enter().unwrap();
        assert_eq!(waits.wait(first, Some(Instant::now())), None);
        let second = waits.enter().unwrap();
        assert_eq!(first.place, second.place);
        assert!(!waits.answer(first, 1) && waits.answer(second, 2));
        assert_eq!((waits.leave(first), waits.leave(second), waits.leave(second)), (None, Some(2), None));
    }

    #[test]
    fn the_end_answers_those_who_wait_and_those_who_come() {
        let waits = Arc::new(Waits::default());
        let [early, answered] = [waits.enter().unwrap(), waits.enter().unwrap()];
        let blocked = {
            let waits = waits.clone();
            thread::spawn(move || waits.wait(early, None))
        };
        waits.answer(answered, 1);
        waits.end(7);
        waits.end(8);
        let late = waits.enter().unwrap();
        assert_eq!(blocked.join().unwrap(), Some(7));
        assert_eq!((waits.wait(answered, None), waits.wait(late, None)), (Some(1), Some(7)));
    }
}
