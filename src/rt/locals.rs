//! Values that tasks carry along: what a task set, and what it had from its parent.
//!
//! ```text
//!   parent ──────────────────▶ [user: ann] ──▶ [color: red] ──▶ (end)
//!   a child of it ─────────────────▲               ▲
//!   a child that set user: ──▶ [user: bob] ────────┘
//! ```
//!
//! A task holds the first node of a list; a child begins with its parent's, so
//! spawning copies one word and counts once. A list that others share is never
//! changed: who sets a key in it gets copies of the nodes before that key, a new
//! node, and the old rest. So no list has a key twice, and what a task does not
//! see any more, it does not hold.
//!
//! Copies of a node share the *value*, which is counted by itself. A value that
//! nobody holds any more stands in the line of the dead until its destructor is
//! called, by the runtime, with the cell closed.

use super::core::Core;
use super::event_loop::{Runtime, State};
use super::service::Service;
use crate::base::{rota_status::*, Key, Result};
use crate::sys::host::{HostFree, HostPointer};
use crate::sys::{Memory, Slab};

/// The first node of a task's list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Chain(u32);

impl Chain {
    /// No values.
    pub const EMPTY: Chain = Chain(u32::MAX);
}

struct Node {
    /// The address that stands for it; only compared.
    name: usize,
    value: u32,
    next: Chain,
    holders: u32,
}

struct Value {
    pointer: HostPointer,
    free: Option<HostFree>,
    holders: u32,
    /// The next in the line of the dead.
    next_dead: Option<Key>,
}

/// The tables of a loop's task-local values.
pub struct Locals {
    nodes: Slab<Node>,
    values: Slab<Value>,
    /// The first and the last of the line of the dead.
    dead: Option<(Key, Key)>,
}

impl Locals {
    /// Empty ones.
    pub fn new(memory: &Memory) -> Self {
        Locals { nodes: Slab::new(memory.clone(), 1), values: Slab::new(memory.clone(), 1), dead: None }
    }

    /// One more task has this list.
    #[inline]
    pub(super) fn share(&mut self, chain: Chain) -> Chain {
        if chain != Chain::EMPTY {
            if let Some(node) = self.nodes.at_mut(chain.0) {
                node.holders += 1;
            }
        }
        chain
    }

    /// A task has ended that had this list.
    #[inline]
    pub(super) fn release(&mut self, mut chain: Chain) {
        while let Some(node) = self.nodes.at_mut(chain.0) {
            node.holders -= 1;
            if node.holders > 0 {
                return;
            }
            let (value, next) = (node.value, node.next);
            if let Some(key) = self.nodes.key_of(chain.0) {
                self.nodes.discard(key);
            }
            self.release_value(value);
            chain = next;
        }
    }

    fn release_value(&mut self, slot: u32) {
        let Some(key) = self.values.key_of(slot) else { return };
        let Some(value) = self.values.at_mut(slot) else { return };
        value.holders -= 1;
        if value.holders > 0 {
            return;
        }
        if value.free.is_none() {
            self.values.discard(key);
            return;
        }
        let (first, last) = self.dead.map_or((key, None), |(first, last)| (first, Some(last)));
        self.dead = Some((first, key));
        if let Some(last) = last.and_then(|last| self.values.get_mut(last)) {
            last.next_dead = Some(key);
        }
    }

    /// Whether a destructor has to be called.
    pub(super) fn has_dead(&self) -> bool {
        self.dead.is_some()
    }

    /// The next destructor to call.
    fn next_dead(&mut self) -> Option<HostFree> {
        let (first, last) = self.dead?;
        let value = self.values.remove(first)?;
        self.dead = value.next_dead.map(|next| (next, last));
        value.free
    }

    fn get(&self, mut chain: Chain, name: usize) -> Option<HostPointer> {
        while let Some(node) = self.nodes.at(chain.0) {
            if node.name == name {
                return self.values.at(node.value).map(|value| value.pointer);
            }
            chain = node.next;
        }
        None
    }

    /// The node of `name` in a list, and whether nobody shares the list up to there.
    fn find(&self, mut chain: Chain, name: usize) -> (Option<Chain>, bool) {
        let mut alone = true;
        while let Some(node) = self.nodes.at(chain.0) {
            alone &= node.holders == 1;
            if node.name == name {
                return (Some(chain), alone);
            }
            chain = node.next;
        }
        (None, alone)
    }

    /// The list with `name` set: it takes the place of `chain`, whose holder the caller is. An error changes nothing.
    fn set(&mut self, chain: Chain, name: usize, pointer: HostPointer, free: Option<HostFree>) -> Result<Chain> {
        let new = self.values.insert(Value { pointer, free, holders: 1, next_dead: None })?;
        let (found, alone) = self.find(chain, name);
        if let Some(node) = found.filter(|_| alone).and_then(|found| self.nodes.at_mut(found.0)) {
            let old = core::mem::replace(&mut node.value, new.slot);
            self.release_value(old);
            return Ok(chain);
        }
        let result = match found {
            // Nothing in the list is in the way: it becomes the rest of the new one.
            None => self.nodes.insert(Node { name, value: new.slot, next: chain, holders: 1 }),
            Some(found) => self.copy_before(chain, found, name, new.slot),
        };
        match result {
            Ok(first) => {
                if found.is_some() {
                    self.release(chain);
                }
                Ok(Chain(first.slot))
            }
            Err(error) => {
                self.values.discard(new);
                Err(error)
            }
        }
    }

    /// A node for `name`, copies of the nodes from `chain` up to `found`, and then what follows `found`.
    fn copy_before(&mut self, chain: Chain, found: Chain, name: usize, value: u32) -> Result<Key> {
        let first = self.nodes.insert(Node { name, value, next: Chain::EMPTY, holders: 1 })?;
        let (mut last, mut at) = (first, chain);
        while at != found {
            let Some((name, value, next)) = self.nodes.at(at.0).map(|node| (node.name, node.value, node.next)) else {
                break;
            };
            match self.nodes.insert(Node { name, value, next: Chain::EMPTY, holders: 1 }) {
                Ok(copy) => {
                    if let Some(shared) = self.values.at_mut(value) {
                        shared.holders += 1;
                    }
                    if let Some(node) = self.nodes.get_mut(last) {
                        node.next = Chain(copy.slot);
                    }
                    (last, at) = (copy, next);
                }
                Err(error) => {
                    // The copies go; the new value stays the caller's.
                    let copies = self.nodes.remove(first).map_or(Chain::EMPTY, |node| node.next);
                    self.release(copies);
                    return Err(error);
                }
            }
        }
        let rest = self.nodes.at(found.0).map_or(Chain::EMPTY, |node| node.next);
        self.share(rest);
        if let Some(node) = self.nodes.get_mut(last) {
            node.next = rest;
        }
        Ok(first)
    }
}

impl Core {
    /// What a task sees under `name`.
    pub fn task_get_local(&self, task: Key, name: usize) -> Result<HostPointer> {
        let slot = self.tasks.get(task).ok_or(ROTA_ERR_HANDLE)?;
        if slot.is_over() {
            return Err(ROTA_ERR_DONE.into());
        }
        Ok(self.locals.get(slot.locals, name).ok_or(ROTA_ERR_NOT_FOUND)?)
    }

    fn task_set_local(&mut self, task: Key, name: usize, value: HostPointer, free: Option<HostFree>) -> Result<()> {
        let slot = self.tasks.get_mut(task).ok_or(ROTA_ERR_HANDLE)?;
        if slot.is_over() {
            return Err(ROTA_ERR_DONE.into());
        }
        slot.locals = self.locals.set(slot.locals, name, value, free)?;
        Ok(())
    }
}

impl<S: Service> Runtime<S> {
    /// Sets what a task sees under `name`. An error changes nothing, and `free` is not called.
    pub fn set_local(&self, task: Key, name: usize, value: HostPointer, free: Option<HostFree>) -> Result<()> {
        self.with(|state| state.core.task_set_local(task, name, value, free))?;
        self.let_locals_go();
        Ok(())
    }

    /// Calls the destructors of the values that nobody holds any more.
    pub(super) fn let_locals_go(&self) {
        let next = |state: &mut State<S>| Ok(state.core.locals.next_dead());
        while let Ok(Some(free)) = self.with(next) {
            self.let_go(Some(free));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr::without_provenance_mut;

    fn pointer(number: usize) -> HostPointer {
        HostPointer(without_provenance_mut(number))
    }

    /// Random tasks set, spawn and end; a model says what each of them sees, and in the end nothing is left.
    #[test]
    fn every_list_is_as_a_copy_of_its_own_would_be() {
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |most: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % most as u64) as usize
        };
        let mut locals = Locals::new(&Memory::new(None, u64::MAX));
        let mut tasks: Vec<(Chain, [usize; 6])> = vec![(Chain::EMPTY, [0; 6])];
        for step in 1..20_000 {
            let at = next(tasks.len());
            match next(if tasks.len() > 40 { 4 } else { 3 }) {
                0 => {
                    let (chain, model) = tasks[at];
                    tasks.push((locals.share(chain), model));
                }
                3 if tasks.len() > 1 => locals.release(tasks.swap_remove(at).0),
                _ => {
                    let name = next(6);
                    let (chain, model) = &mut tasks[at];
                    *chain = locals.set(*chain, name, pointer(step), None).unwrap();
                    model[name] = step;
                }
            }
            let (chain, model) = &tasks[next(tasks.len())];
            for (name, expected) in model.iter().enumerate() {
                let seen = locals.get(*chain, name).map_or(0, |value| value.0.addr());
                assert_eq!(seen, *expected);
            }
        }
        let held: std::collections::HashSet<usize> =
            tasks.iter().flat_map(|(_, model)| model.iter().copied().filter(|value| *value > 0)).collect();
        assert_eq!(locals.values.len(), held.len(), "a value is held that no task sees");
        for (chain, _) in tasks {
            locals.release(chain);
        }
        assert_eq!((locals.nodes.len(), locals.values.len()), (0, 0));
    }
}
