//! Loopback TCP through `Driver`, as `io` uses it.

mod rig;

use self::rig::*;
use super::super::buffer::{owned, Source, Target};
use super::super::clock::monotonic;
use super::super::driver::*;
use super::super::{List, Memory};
use crate::base::rota_status::*;
use crate::base::{rota_address, Key};
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;

#[test]
fn bytes_go_there_and_come_back() {
    let mut rig = Rig::new();
    let listener = rig.driver.listen(&local(0), &LISTEN).unwrap();
    let address = rig.driver.local_address(listener).unwrap();
    assert_ne!(address.port, 0);
    let near = rig.connect(&address);
    let (far, peer) = rig.accept(listener);
    assert_eq!(rig.driver.peer_address(near).unwrap(), address);
    assert_eq!(rig.driver.local_address(near).unwrap(), peer);
    assert_eq!(rig.driver.peer_address(far).unwrap(), peer);
    for round in ["one", "two", "three"] {
        assert_eq!(rig.send(near, round.as_bytes()).count, round.len());
        assert_eq!(rig.receive_text(far), round);
        rig.send(far, round.to_uppercase().as_bytes());
        assert_eq!(rig.receive_text(near), round.to_uppercase());
    }
    rig.driver.shutdown(near).unwrap();
    assert_eq!((rig.receive_text(far), rig.receive_text(far)), (String::new(), String::new()));
    rig.send(far, b"still open this way");
    rig.driver.close(far);
    assert_eq!(rig.receive_all(near), b"still open this way");
    rig.driver.close(near);
    rig.driver.close(listener);
    assert_eq!((rig.driver.sockets(), rig.driver.pending()), (0, 0));
    assert!(rig.driver.last_generation() > 1);
}

#[test]
fn what_comes_later_completes_what_waits() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let mut buffer = [0; 8];
    for round in 1..4u8 {
        let token = rig.token();
        let start = rig.driver.receive(far, token, to(&mut buffer));
        assert!(matches!(start, Start::Pending));
        assert_eq!(rig.driver.pending(), 1);
        assert_eq!(rig.send(near, &[round; 3]).count, 3);
        let outcome = rig.end(start, token);
        assert_eq!((outcome.count, &buffer[..3]), (3, &[round; 3][..]));
        assert_eq!(rig.driver.pending(), 0);
    }
}

#[test]
fn a_short_read_counts_as_drained_until_the_next_event() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let mut buffer = [0; 8];
    rig.send(near, b"12345678abc");
    assert_eq!(rig.receive(far, to(&mut buffer)).count, 8);
    assert!(rig.selector().sockets.get(far.0).unwrap().read_ready, "a full read says nothing");
    assert_eq!(rig.receive(far, to(&mut buffer)).count, 3);
    assert!(!rig.selector().sockets.get(far.0).unwrap().read_ready);
    // The end of the stream is an event of its own.
    let token = rig.token();
    let start = rig.driver.receive(far, token, to(&mut buffer));
    assert!(matches!(start, Start::Pending));
    rig.driver.close(near);
    let outcome = rig.end(start, token);
    assert_eq!((status(&outcome), outcome.count), (None, 0));
}

#[test]
fn an_end_that_came_with_the_data_is_seen() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let mut buffer = [0; 64];
    let token = rig.token();
    let start = rig.driver.receive(far, token, to(&mut buffer));
    assert!(matches!(start, Start::Pending));
    rig.send(near, b"last words");
    rig.driver.close(near);
    assert_eq!(rig.end(start, token).count, 10);
    assert_eq!(rig.receive(far, to(&mut buffer)).count, 0);
}

#[test]
fn owned_lists_come_back() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let memory = memory();
    let mut list = owned(&memory, 32).unwrap();
    list.extend_from_slice(b"xxhello").unwrap();
    let token = rig.token();
    let start = rig.driver.send(near, token, Source::Owned(list, 2));
    let outcome = rig.end(start, token);
    assert_eq!((outcome.count, &outcome.list.unwrap()[..]), (5, &b"xxhello"[..]));
    let mut list = owned(&memory, 8).unwrap();
    list.push(b'>').unwrap();
    let list = rig.receive(far, Target::Owned(list)).list.unwrap();
    assert_eq!(&list[..], b">hello");
    // Also from a withdrawn one.
    let token = rig.token();
    assert!(matches!(rig.driver.receive(far, token, Target::Owned(list)), Start::Pending));
    let outcome = rig.driver.withdraw(far, Direction::Read).unwrap();
    assert_eq!((status(&outcome), outcome.count), (Some(ROTA_ERR_CANCELLED), 0));
    assert_eq!(&outcome.list.unwrap()[..], b">hello");
}

#[test]
fn a_withdrawn_send_has_an_exact_count() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let data = noise(40 << 20);
    rig.fill(near, &data);
    let outcome = rig.driver.withdraw(near, Direction::Write).unwrap();
    assert_eq!(status(&outcome), Some(ROTA_ERR_CANCELLED));
    assert!(outcome.count > 0 && outcome.count < data.len());
    assert!(rig.driver.withdraw(near, Direction::Write).is_none());
    rig.driver.close(near);
    assert!(rig.receive_all(far) == data[..outcome.count], "exactly what was counted has arrived");
}

#[test]
fn a_withdrawn_receive_has_lost_nothing() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let mut buffer = [0; 4];
    let token = rig.token();
    assert!(matches!(rig.driver.receive(far, token, to(&mut buffer)), Start::Pending));
    rig.send(near, b"kept");
    let outcome = rig.driver.withdraw(far, Direction::Read).unwrap();
    assert_eq!((status(&outcome), outcome.count, buffer), (Some(ROTA_ERR_CANCELLED), 0, [0; 4]));
    assert_eq!(rig.receive_text(far), "kept");
    assert!(rig.ended.is_empty());
}

#[test]
fn big_sends_arrive_whole() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let data = noise(12 << 20);
    let token = rig.token();
    let start = rig.driver.send(near, token, from(&data));
    let mut all = Vec::new();
    let mut buffer = vec![0; 300_000];
    while all.len() < data.len() {
        let outcome = rig.receive(far, to(&mut buffer));
        all.extend_from_slice(&buffer[..outcome.count]);
    }
    let outcome = rig.end(start, token);
    assert_eq!((status(&outcome), outcome.count), (None, data.len()));
    assert!(all == data);
}

#[test]
fn vectored_sends_arrive_in_order() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let data = noise(6 << 20);
    // 1500 parts of odd sizes, every fifth of them empty, one of them big.
    let mut list = List::new(memory());
    let mut at = 0;
    for n in 0..1500 {
        let size = if n % 5 == 0 { 0 } else { 1 + n % 700 };
        list.push(bytes(&data[at..at + size])).unwrap();
        at += size;
    }
    list.push(bytes(&data[at..])).unwrap();
    let token = rig.token();
    let start = rig.driver.send(near, token, Source::Vector(list));
    let mut all = Vec::new();
    let mut buffer = vec![0; 300_000];
    while all.len() < data.len() {
        let outcome = rig.receive(far, to(&mut buffer));
        all.extend_from_slice(&buffer[..outcome.count]);
    }
    assert_eq!(rig.end(start, token).count, data.len());
    assert!(all == data);
}

#[test]
fn nothing_to_move_is_done_at_once() {
    let mut rig = Rig::new();
    let (near, _) = rig.pair();
    let empty = Source::Vector(List::new(memory()));
    for start in [
        rig.driver.send(near, 1, from(&[])),
        rig.driver.send(near, 2, empty),
        rig.driver.receive(near, 3, to(&mut [])),
        rig.driver.receive(near, 4, Target::Owned(List::new(memory()))),
    ] {
        let Start::Done(outcome) = start else { panic!("there is nothing to wait for") };
        assert_eq!((status(&outcome), outcome.count), (None, 0));
    }
}

#[test]
fn a_reset_is_an_error_of_both_directions() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let data = noise(40 << 20);
    let sent = rig.fill(far, &data);
    let mut buffer = [0; 4];
    let token = rig.token();
    let start = rig.driver.receive(far, token, to(&mut buffer));
    assert!(matches!(start, Start::Pending));
    rig.driver.reset(near);
    let received = rig.end(start, token);
    let sent = rig.end(Start::Pending, sent);
    // The system tells of a reset once; who asks second hears of its consequence.
    assert_eq!((status(&received), received.count), (Some(ROTA_ERR_RESET), 0));
    assert!(matches!(status(&sent), Some(ROTA_ERR_RESET | ROTA_ERR_BROKEN_PIPE)));
    assert!(sent.count > 0 && sent.count < data.len());
    assert_eq!(status(&rig.send(far, b"more")), Some(ROTA_ERR_BROKEN_PIPE));
    assert_eq!(rig.driver.pending(), 0);
}

#[test]
fn nobody_there_is_refused() {
    let mut rig = Rig::new();
    let listener = rig.driver.listen(&local(0), &LISTEN).unwrap();
    let address = rig.driver.local_address(listener).unwrap();
    rig.driver.close(listener);
    let refused = match rig.driver.connect(&address, 1) {
        Err(error) => error,
        Ok((socket, start)) => {
            let outcome = rig.end(start, 1);
            rig.driver.close(socket);
            outcome.error.unwrap()
        }
    };
    assert_eq!((refused.status, refused.os_error), (ROTA_ERR_REFUSED, libc::ECONNREFUSED));
    assert_eq!(rig.driver.sockets(), 0);
}

#[test]
fn a_connect_can_be_withdrawn() {
    let mut rig = Rig::new();
    let listener = rig.driver.listen(&local(0), &LISTEN).unwrap();
    let address = rig.driver.local_address(listener).unwrap();
    let (socket, start) = rig.driver.connect(&address, 1).unwrap();
    if matches!(start, Start::Pending) {
        assert_eq!(status(&rig.driver.withdraw(socket, Direction::Write).unwrap()), Some(ROTA_ERR_CANCELLED));
    }
    rig.driver.close(socket);
    rig.turn(Some(0));
    assert!(rig.ended.is_empty());
}

#[test]
fn an_address_has_one_listener_unless_it_is_shared() {
    let mut rig = Rig::new();
    let first = rig.driver.listen(&local(0), &LISTEN).unwrap();
    let address = rig.driver.local_address(first).unwrap();
    let again = rig.driver.listen(&address, &LISTEN).unwrap_err();
    assert_eq!(again.status, ROTA_ERR_ADDRESS_IN_USE);
    rig.driver.close(first);
    let shared = ListenOptions { reuse_port: true, ..LISTEN };
    rig.driver.listen(&address, &shared).unwrap();
    rig.driver.listen(&address, &shared).unwrap();
    let elsewhere = rota_address::parse("192.0.2.1", 0).unwrap();
    assert_eq!(rig.driver.listen(&elsewhere, &LISTEN).unwrap_err().status, ROTA_ERR_ADDRESS);
    let nonsense = rota_address { family: 9, ..address };
    assert_eq!(rig.driver.listen(&nonsense, &LISTEN).unwrap_err().status, ROTA_ERR_ADDRESS);
    assert_eq!(rig.driver.connect(&nonsense, 1).err().unwrap().status, ROTA_ERR_ADDRESS);
    assert_eq!(rig.driver.sockets(), 2);
}

#[test]
fn both_families_come_to_one_listener() {
    let mut rig = Rig::new();
    let any = rota_address::parse("::", 0).unwrap();
    // A machine without IPv6 cannot say anything about this.
    let Ok(listener) = rig.driver.listen(&any, &LISTEN) else { return };
    let port = rig.driver.local_address(listener).unwrap().port;
    rig.connect(&local(port));
    let (_, peer) = rig.accept(listener);
    assert!(peer.is_ipv6() && peer.to_string().starts_with("[::ffff:127.0.0.1]"));
    let only = ListenOptions { ipv6_only: true, ..LISTEN };
    let alone = rig.driver.listen(&any, &only).unwrap();
    let port = rig.driver.local_address(alone).unwrap().port;
    assert!(rig.driver.listen(&rota_address::parse("0.0.0.0", port).unwrap(), &LISTEN).is_ok());
}

#[test]
fn small_writes_go_out_at_once_by_default() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    for socket in [near, far] {
        let no_delay = |rig: &mut Rig| rig.selector().sockets.get(socket.0).unwrap().io.tcp_nodelay().unwrap();
        assert!(no_delay(&mut rig));
        rig.driver.set_no_delay(socket, false).unwrap();
        assert!(!no_delay(&mut rig));
    }
    rig.driver.set_keep_alive(near, true, 1_500_000_000).unwrap();
    let io = &rig.selector().sockets.get(near.0).unwrap().io;
    assert_eq!((io.keepalive().unwrap(), io.tcp_keepalive_time().unwrap().as_secs()), (true, 2));
    rig.driver.set_keep_alive(near, false, 0).unwrap();
    assert!(!rig.selector().sockets.get(near.0).unwrap().io.keepalive().unwrap());
}

#[test]
fn a_closed_socket_is_found_no_more() {
    let mut rig = Rig::new();
    let (near, far) = rig.pair();
    let mut buffer = [0; 4];
    assert!(matches!(rig.driver.receive(far, 1, to(&mut buffer)), Start::Pending));
    rig.send(near, b"late");
    rig.driver.close(far);
    // The slot has a new tenant before any report of the old one could be looked at.
    let next = rig.driver.listen(&local(0), &LISTEN).unwrap();
    assert_eq!(next.0.slot, far.0.slot);
    rig.turn(Some(0));
    assert!(rig.ended.is_empty() && rig.driver.pending() == 0);
    for stale in [far, Socket(Key { slot: 9999, generation: 1 })] {
        assert!(matches!(rig.driver.receive(stale, 2, to(&mut buffer)),
            Start::Done(outcome) if status(&outcome) == Some(ROTA_ERR_HANDLE)));
        assert!(matches!(rig.driver.send(stale, 3, from(b"x")),
            Start::Done(outcome) if status(&outcome) == Some(ROTA_ERR_HANDLE)));
        assert_eq!(rig.driver.shutdown(stale).unwrap_err().status, ROTA_ERR_HANDLE);
        assert!(rig.driver.withdraw(stale, Direction::Read).is_none());
        rig.driver.close(stale);
        rig.driver.reset(stale);
    }
    assert!(rig.driver.local_address(next).is_ok());
}

#[test]
fn a_direction_has_one_operation() {
    let mut rig = Rig::new();
    let (near, _far) = rig.pair();
    let (mut first, mut second) = ([0; 4], [0; 4]);
    assert!(matches!(rig.driver.receive(near, 1, to(&mut first)), Start::Pending));
    assert!(matches!(rig.driver.receive(near, 2, to(&mut second)),
        Start::Done(outcome) if status(&outcome) == Some(ROTA_ERR_BUSY)));
    assert_eq!(rig.driver.pending(), 1);
}

#[test]
fn lack_of_memory_postpones_completions() {
    let mut rig = Rig::new();
    let pairs: Vec<_> = (0..4).map(|_| rig.pair()).collect();
    let mut buffers = [[0u8; 4]; 4];
    for (n, (pair, buffer)) in pairs.iter().zip(&mut buffers).enumerate() {
        assert!(matches!(rig.driver.receive(pair.1, n as u64, to(buffer)), Start::Pending));
    }
    pairs.iter().for_each(|pair| assert_eq!(rig.send(pair.0, b"here").count, 4));
    let mut none = List::new(Memory::new(None, 0));
    assert_eq!(rig.driver.wait(None, &mut none).unwrap_err().status, ROTA_ERR_MEMORY);
    // Room for two and no more.
    let mut few = List::new(Memory::new(None, 2 * size_of::<Completion>() as u64));
    few.reserve_exact(2).unwrap();
    let mut tokens = Vec::new();
    for _ in 0..20 {
        rig.driver.wait(Some(1_000_000_000), &mut few).unwrap();
        while let Some(completion) = few.pop() {
            assert_eq!(completion.outcome.count, 4);
            tokens.push(completion.token);
        }
        if tokens.len() == 4 {
            break;
        }
        assert!(rig.driver.is_due(), "what could not be told is told without waiting");
    }
    tokens.sort_unstable();
    assert_eq!((tokens, rig.driver.is_due()), (vec![0, 1, 2, 3], false));
}

#[test]
fn a_wait_lasts_its_nanoseconds_or_its_whole_milliseconds() {
    let mut rig = Rig::new();
    for timeout in [1_000u64, 200_000, 999_999, 1_000_000, 2_300_000] {
        let start = monotonic();
        rig.turn(Some(timeout));
        let least = if timeout < 1_000_000 { timeout } else { timeout / 1_000_000 * 1_000_000 };
        assert!(monotonic() - start >= least, "{timeout} ns");
    }
    rig.turn(Some(0));
}

#[test]
fn many_wakes_are_one() {
    let mut rig = Rig::new();
    let waker = rig.driver.waker();
    assert!(!rig.driver.is_due());
    assert!(waker.wake() && !waker.wake() && !waker.clone().wake());
    assert!(rig.driver.is_due());
    rig.turn(None);
    assert!(!rig.driver.is_due());
    assert!(waker.wake());
    rig.turn(None);
    drop(rig);
    waker.wake();
}

#[test]
fn a_wake_from_another_thread_ends_the_wait() {
    let mut rig = Rig::new();
    for _ in 0..50 {
        let told = Arc::new(AtomicBool::new(false));
        let (waker, tell) = (rig.driver.waker(), told.clone());
        let other = thread::spawn(move || {
            tell.store(true, Ordering::SeqCst);
            waker.wake();
        });
        // Without the wake this would wait for ever; what is left of the round before may end it early.
        while !told.load(Ordering::SeqCst) {
            rig.turn(None);
        }
        other.join().unwrap();
        rig.turn(Some(0));
    }
}

#[test]
fn an_unknown_driver_is_refused() {
    assert_eq!(Driver::open(7, &memory(), 1).err().unwrap().status, ROTA_ERR_INVALID);
    let rig = Rig::new();
    assert_eq!(rig.driver.descriptor() >= 0, !super::source::RENEWED);
}
