//! What has been promised to come, and what came.
//!
//! Everything that takes a callback or a destructor gets an account; its number
//! is the `user_data`. An account says how often it may still come (`due`).

use crate::world::{ensure, with};
use core::ffi::c_void;
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Call,
    Post,
    Timer,
    Then,
    /// A map's callback, or a chain's.
    Follow,
    /// A completion that is fetched.
    Drain,
    Body,
    Free,
    /// What is put into a queue: it comes out once, or is forgotten with the queue.
    Item,
}

#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub kind: Kind,
    /// Which loop, by its place in the list.
    pub at: usize,
    /// How often it is still to come.
    pub due: u32,
    pub came: u32,
    /// The call that takes it is under way: it must not come now, unless it is an eager body.
    pub opening: bool,
    /// An eager body: it comes inside the call that takes it, or later where too many are nested.
    pub eager: bool,
    /// The handle it is about.
    pub handle: u64,
    /// The future that it makes.
    pub outer: u64,
    /// For a timer: not before this.
    pub deadline: u64,
    /// For a stackful or stepped body: what it returned.
    pub returned: Option<i64>,
    /// For a task: the account of its destructor.
    pub partner: Option<usize>,
    /// For a stepped body: how often it has been called.
    pub calls: u32,
}

#[derive(Default)]
pub struct Ledger {
    pub accounts: Vec<Account>,
    /// What promises were completed with, by their handles.
    pub promised: HashMap<u64, i64>,
    /// Which futures are promises of ours.
    pub promises: HashMap<u64, usize>,
    /// Which futures are joins, and of which body's account.
    pub joins: HashMap<u64, usize>,
    /// The account behind a task's handle.
    pub tasks: HashMap<u64, usize>,
}

/// A new account for a callback that is about to be given to a loop.
pub fn open(kind: Kind, at: usize) -> usize {
    with(|world| {
        world.ledger.accounts.push(Account {
            kind,
            at,
            due: 0,
            came: 0,
            opening: true,
            eager: false,
            handle: 0,
            outer: 0,
            deadline: 0,
            returned: None,
            partner: None,
            calls: 0,
        });
        world.ledger.accounts.len() - 1
    })
}

/// A new item for a queue.
pub fn open_item(at: usize) -> usize {
    let number = open(Kind::Item, at);
    opened(number, true);
    number
}

/// What was put somewhere has come out: a result of a future, or an item of a queue.
pub fn taken(data: *mut c_void) {
    let number = number(data);
    let account = get(number);
    ensure(account.kind != Kind::Item || account.due == 1, || format!("an item came out twice: {account:?}"));
    change(number, |account| {
        account.came += account.due;
        account.due = 0;
    });
}

/// The call that takes the callback has returned: whether it accepted it.
pub fn opened(number: usize, accepted: bool) {
    change(number, |account| {
        account.opening = false;
        account.due = u32::from(accepted).saturating_sub(account.came);
    });
}

pub fn change<R>(number: usize, change: impl FnOnce(&mut Account) -> R) -> R {
    with(|world| change(&mut world.ledger.accounts[number]))
}

pub fn get(number: usize) -> Account {
    change(number, |account| *account)
}

/// The account's number as a `user_data`.
pub fn data(number: usize) -> *mut c_void {
    core::ptr::without_provenance_mut(number + 1)
}

/// The account behind a `user_data`.
pub fn number(data: *mut c_void) -> usize {
    let (number, count) = (data.addr().wrapping_sub(1), with(|world| world.ledger.accounts.len()));
    ensure(number < count, || "a user_data that nobody gave".to_string());
    number
}

/// It came: checked against what was promised.
pub fn came(data: *mut c_void, kind: Kind) -> usize {
    let number = number(data);
    let account = get(number);
    ensure(account.kind == kind, || format!("{account:?} came as {kind:?}"));
    ensure(!account.opening || account.eager, || format!("{account:?} came inside the call that took it"));
    let due = account.due > 0 || account.opening && account.came == 0;
    ensure(due, || format!("{account:?} came once too often"));
    let over = with(|world| world.loops.all[account.at].is_over());
    ensure(!over, || format!("{account:?} came after its loop was closed"));
    change(number, |account| {
        account.due = account.due.saturating_sub(1);
        account.came += 1;
    });
    number
}

/// A loop was closed: everything that it had promised has come.
pub fn settle(at: usize) {
    let open = with(|world| {
        let accounts = world.ledger.accounts.iter().enumerate();
        accounts
            .filter(|(_, account)| account.at == at && account.due > 0 && account.kind != Kind::Item)
            .map(|(number, account)| (number, *account))
            .next()
    });
    ensure(open.is_none(), || format!("its loop is closed, and this has not come: {open:?}"));
}
