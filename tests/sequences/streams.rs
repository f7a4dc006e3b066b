//! Random calls on listeners and streams.

use crate::bodies;
use crate::handles::{any, remember, Noun};
use crate::ledger::{self, Kind};
use crate::loops;
use crate::wire::{self, Way};
use crate::world::{answered, once_in, roll, status, with};
use rota::base::handle::{rota_future, rota_listener, rota_stream};
use rota::base::{outcome, rota_address, rota_status::*};
use rota::ffi::address::rota_address_format;
use rota::ffi::future::*;
use rota::ffi::listener::*;
use rota::ffi::stream::*;

fn stream() -> rota_stream {
    rota_stream { id: any(Noun::Stream) }
}

fn listener() -> rota_listener {
    rota_listener { id: any(Noun::Listener) }
}

/// Notes which ends a stream has, and remembers it.
pub fn met(stream: rota_stream) {
    let (mut local, mut peer) = (rota_address::default(), rota_address::default());
    let known = unsafe {
        rota_stream_get_local_address(stream, &mut local) == ROTA_OK
            && rota_stream_get_peer_address(stream, &mut peer) == ROTA_OK
    };
    if known {
        with(|world| world.wire.ways.insert(stream.id, (local.port, peer.port)));
    }
    remember(Noun::Stream, stream.id);
}

fn way(stream: rota_stream) -> Option<Way> {
    with(|world| world.wire.ways.get(&stream.id).copied())
}

/// An operation began: its future is kept so that its count can be read, and may be used by others meanwhile.
fn began(name: &str, future: rota_future, way: Option<Way>, reading: bool, bytes: Vec<u8>) {
    let mut told = outcome::EMPTY;
    let first = unsafe { rota_future_get_outcome(future, &mut told) };
    answered(name, if first == ROTA_OK { i64::from(told.status) } else { first as i64 });
    let id = future.id;
    wire::lent(way, reading, bytes, id);
    match first {
        ROTA_OK => {
            wire::ended(id, Some(told.moved_bytes as usize));
            status("close", rota_future_close(future));
        }
        _ => {
            status("keep", rota_future_keep(future));
            remember(Noun::Future, id);
        }
    }
}

fn size() -> usize {
    match roll(24) {
        0 => 0,
        1 | 2 => 1,
        // More than the system's buffers take at once.
        3 => roll(6_000_000) as usize,
        4..=6 => roll(100_000) as usize,
        7..=10 => roll(9000) as usize,
        _ => roll(200) as usize,
    }
}

fn read() {
    let stream = stream();
    let way = way(stream).map(wire::back);
    let mut buffer = vec![0xA5; size()];
    let (start, size) = (buffer.as_mut_ptr().cast(), buffer.len());
    let future = unsafe {
        match roll(4) {
            0 => rota_stream_read(stream, start, size),
            1 => rota_stream_read_exactly(stream, start, size),
            2 => rota_stream_read_line(stream, start, size),
            _ => {
                let delimiter = [b'\n', roll(256) as u8];
                rota_stream_read_until(stream, start, size, delimiter.as_ptr().cast(), roll(3) as usize)
            }
        }
    };
    began("read", future, way, true, buffer);
}

fn write() {
    let stream = stream();
    let bytes = {
        let size = size();
        with(|world| world.wire.fresh(size))
    };
    let future = if once_in(3) {
        let cuts = [bytes.len() / 3, bytes.len() / 2];
        let parts = [&bytes[..cuts[0]], &bytes[cuts[0]..cuts[1]], &bytes[cuts[1]..]];
        let parts = parts.map(|part| rota_buffer { data: part.as_ptr().cast(), size: part.len() });
        unsafe { rota_stream_write_vectored(stream, parts.as_ptr(), parts.len()) }
    } else {
        unsafe { rota_stream_write(stream, bytes.as_ptr().cast(), bytes.len()) }
    };
    began("write", future, way(stream), false, bytes);
}

fn send() {
    let stream = stream();
    let bytes = {
        let size = size();
        with(|world| world.wire.fresh(size))
    };
    let sent = status("send", unsafe { rota_stream_send(stream, bytes.as_ptr().cast(), bytes.len()) });
    // One that failed may have gone in part, if it was the first to; nothing goes behind it.
    if !matches!(sent, ROTA_ERR_MEMORY | ROTA_ERR_HANDLE | ROTA_ERR_SHUT | ROTA_ERR_REENTRANT) {
        wire::copied(way(stream), bytes);
    }
}

fn ask() {
    let stream = stream();
    let (mut size, mut address, mut text) = (0, rota_address::default(), [0; 64]);
    unsafe {
        match roll(7) {
            0 => _ = status("get_buffered", rota_stream_get_buffered(stream, &mut size)),
            1 => _ = status("get_local_address", rota_stream_get_local_address(stream, &mut address)),
            2 => _ = status("get_peer_address", rota_stream_get_peer_address(stream, &mut address)),
            3 => _ = status("set_no_delay", rota_stream_set_no_delay(stream, once_in(2))),
            4 => _ = status("set_keep_alive", rota_stream_set_keep_alive(stream, once_in(2), roll(1 << 40))),
            5 => _ = status("set_watermarks", rota_stream_set_watermarks(stream, size_mark(), size_mark())),
            _ => _ = status("format", rota_address_format(&address, text.as_mut_ptr(), roll(65) as usize, &mut size)),
        }
    }
}

fn size_mark() -> usize {
    roll(100_000) as usize
}

fn listen() -> Option<(rota_listener, u16)> {
    let at = loops::pick()?;
    let mut listener = rota_listener { id: 0 };
    let mut options = rota_listen_options { size: 0, backlog: 0, flags: 0 };
    let mut address = rota_address::default();
    unsafe {
        rota_listen_options_init(&mut options, size_of::<rota_listen_options>());
        options.backlog = roll(3) as u32;
        let host = c"127.0.0.1".as_ptr();
        let opened = rota_loop_listen(loops::handle(at), host, 0, &options, &mut listener);
        if status("listen", opened) == ROTA_OK && rota_listener_get_address(listener, &mut address) == ROTA_OK {
            loops::listens(address.port);
            remember(Noun::Listener, listener.id);
            return Some((listener, address.port));
        }
    }
    None
}

/// Both ends of a connection, as far as memory and moment allow.
fn pair() {
    let (Some((listener, port)), Some(at)) = (listen(), loops::pick()) else { return };
    let service = std::ffi::CString::new(port.to_string()).expect("a number has no NUL");
    let host = c"127.0.0.1".as_ptr();
    let connect = unsafe { rota_loop_connect(loops::handle(at), host, service.as_ptr(), core::ptr::null()) };
    let accept = rota_listener_accept(listener);
    for future in [connect, accept] {
        let mut stream = rota_stream { id: 0 };
        for _ in 0..6 {
            match unsafe { rota_future_take_stream(future, &mut stream) } {
                ROTA_OK => met(stream),
                ROTA_ERR_PENDING => [at, loops::of(listener.id).unwrap_or(at)].into_iter().for_each(loops::turn),
                _ => break,
            }
        }
    }
    if once_in(2) {
        let _ = rota_listener_close(listener);
    }
}

fn connect() {
    let Some(at) = loops::pick() else { return };
    let port = loops::any_port();
    let service = std::ffi::CString::new(port.to_string()).expect("a number has no NUL");
    let future =
        unsafe { rota_loop_connect(loops::handle(at), c"127.0.0.1".as_ptr(), service.as_ptr(), core::ptr::null()) };
    tell_future("connect", future);
}

fn tell_future(name: &str, future: rota_future) {
    let mut told = outcome::EMPTY;
    let first = unsafe { rota_future_get_outcome(future, &mut told) };
    answered(name, if first == ROTA_OK { i64::from(told.status) } else { first as i64 });
    remember(Noun::Future, future.id);
}

fn serve() {
    let listener = listener();
    let Some(at) = loops::of(listener.id) else { return };
    let account = ledger::open(Kind::Body, at);
    let served = unsafe { rota_listener_serve(listener, Some(bodies::serve), ledger::data(account)) };
    // It may come any number of times, also never: nothing is due.
    ledger::opened(account, false);
    status("serve", served);
}

/// One random call about the network.
pub fn act() {
    match roll(26) {
        0 => _ = listen(),
        6 => pair(),
        1 | 2 => tell_future("accept", rota_listener_accept(listener())),
        3 | 4 => connect(),
        5 => serve(),
        24 if once_in(6) => _ = status("listener_close", rota_listener_close(listener())),
        7..=12 => read(),
        13..=16 => write(),
        17 | 18 => send(),
        19 => tell_future("drain", rota_stream_drain(stream())),
        20 if once_in(2) => tell_future("shutdown", rota_stream_shutdown(stream())),
        21 if once_in(2) => _ = status("stream_close", rota_stream_close(stream())),
        22 if once_in(4) => _ = status("abort", rota_stream_abort(stream())),
        23 => take(),
        _ => ask(),
    }
}

fn take() {
    let mut stream = rota_stream { id: 0 };
    let future = rota_future { id: any(Noun::Future) };
    if status("take_stream", unsafe { rota_future_take_stream(future, &mut stream) }) == ROTA_OK {
        met(stream);
    }
}
