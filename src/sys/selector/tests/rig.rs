//! A driver with a memory for what has ended, and short words for what tests do with it.

use crate::base::{rota_address, rota_status};
use crate::sys::buffer::{HostBuffer, HostBytes, Source, Target};
use crate::sys::driver::*;
use crate::sys::selector::SelectorDriver;
use crate::sys::{List, Memory};
use std::collections::HashMap;

pub const LISTEN: ListenOptions = ListenOptions { backlog: 16, reuse_port: false, ipv6_only: false };

pub fn memory() -> Memory {
    Memory::new(None, u64::MAX)
}

pub fn local(port: u16) -> rota_address {
    rota_address::parse("127.0.0.1", port).unwrap()
}

pub fn to(bytes: &mut [u8]) -> Target {
    // SAFETY: every test keeps its buffer until the operation has ended.
    Target::Host(unsafe { HostBuffer::new(bytes.as_mut_ptr(), bytes.len()) })
}

pub fn bytes(bytes: &[u8]) -> HostBytes {
    // SAFETY: as above.
    unsafe { HostBytes::new(bytes.as_ptr(), bytes.len()) }
}

pub fn from(data: &[u8]) -> Source {
    Source::Host(bytes(data))
}

pub fn noise(size: usize) -> Vec<u8> {
    (0..size as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub fn status(outcome: &OpOutcome) -> Option<rota_status> {
    outcome.error.map(|error| error.status)
}

pub struct Rig {
    pub driver: Driver,
    pub completions: List<Completion>,
    pub ended: HashMap<u64, OpOutcome>,
    pub next_token: u64,
}

impl Rig {
    pub fn new() -> Self {
        let memory = memory();
        let driver = Driver::open(ROTA_DRIVER_SELECTOR, &memory, 1).unwrap();
        Rig { driver, completions: List::new(memory), ended: HashMap::new(), next_token: 1 }
    }

    pub fn selector(&mut self) -> &mut SelectorDriver {
        let Driver::Selector(selector) = &mut self.driver;
        selector
    }

    pub fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    pub fn turn(&mut self, timeout_ns: Option<u64>) {
        self.driver.wait(timeout_ns, &mut self.completions).unwrap();
        while let Some(Completion { token, outcome }) = self.completions.pop() {
            assert!(self.ended.insert(token, outcome).is_none(), "an operation ends once");
        }
    }

    /// Waits until the operation has ended.
    pub fn end(&mut self, start: Start, token: u64) -> OpOutcome {
        if let Start::Done(outcome) = start {
            return outcome;
        }
        for _ in 0..1000 {
            if let Some(outcome) = self.ended.remove(&token) {
                return outcome;
            }
            self.turn(Some(1_000_000_000));
        }
        panic!("operation {token} has not ended");
    }

    pub fn receive(&mut self, socket: Socket, target: Target) -> OpOutcome {
        let token = self.token();
        let start = self.driver.receive(socket, token, target);
        self.end(start, token)
    }

    pub fn send(&mut self, socket: Socket, data: &[u8]) -> OpOutcome {
        let token = self.token();
        let start = self.driver.send(socket, token, from(data));
        self.end(start, token)
    }

    pub fn receive_text(&mut self, socket: Socket) -> String {
        let mut buffer = [0; 64];
        let outcome = self.receive(socket, to(&mut buffer));
        assert_eq!(status(&outcome), None);
        String::from_utf8(buffer[..outcome.count].to_vec()).unwrap()
    }

    /// All until the end of the stream.
    pub fn receive_all(&mut self, socket: Socket) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = vec![0; 300_000];
        loop {
            let outcome = self.receive(socket, to(&mut buffer));
            assert_eq!(status(&outcome), None);
            if outcome.count == 0 {
                return all;
            }
            all.extend_from_slice(&buffer[..outcome.count]);
        }
    }

    pub fn accept(&mut self, listener: Socket) -> (Socket, rota_address) {
        let token = self.token();
        let start = self.driver.accept(listener, token);
        self.end(start, token).accepted.unwrap()
    }

    pub fn connect(&mut self, address: &rota_address) -> Socket {
        let token = self.token();
        let (socket, start) = self.driver.connect(address, token).unwrap();
        let outcome = self.end(start, token);
        assert_eq!(status(&outcome), None);
        socket
    }

    /// Two ends of a connection: the one that connected, and the one that was accepted.
    pub fn pair(&mut self) -> (Socket, Socket) {
        let listener = self.driver.listen(&local(0), &LISTEN).unwrap();
        let address = self.driver.local_address(listener).unwrap();
        let near = self.connect(&address);
        let (far, _) = self.accept(listener);
        self.driver.close(listener);
        (near, far)
    }

    /// Sends until the system takes no more; leaves the send pending.
    pub fn fill(&mut self, socket: Socket, data: &[u8]) -> u64 {
        let token = self.token();
        assert!(matches!(self.driver.send(socket, token, from(data)), Start::Pending));
        while self.driver.is_due() {
            self.turn(Some(0));
        }
        assert!(!self.ended.contains_key(&token), "more than any socket takes");
        token
    }
}
