//! Listeners: sockets that accept connections.

use super::address::numeric;
use super::guard::{guard, guard_future, guard_kind, guard_loop, hand_out, text, wanted};
use super::options::{self, Options};
use super::registry;
use crate::base::handle::{rota_future, rota_listener, rota_loop};
use crate::base::{limits, rota_address, rota_status, rota_status::*, Handle, Kind};
use crate::sys::driver::ListenOptions;
use crate::sys::host::{rota_serve_fn, HostServe};
use core::ffi::{c_char, c_void};

/// Several listeners may share the port, and the system spreads connections
/// over them.
pub const ROTA_LISTEN_REUSE_PORT: u32 = 1;
/// An IPv6 listener leaves IPv4 alone, also where it listens at every address.
pub const ROTA_LISTEN_IPV6_ONLY: u32 = 2;

/// How to listen.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_listen_options {
    /// sizeof(rota_listen_options), set by rota_listen_options_init().
    pub size: usize,
    /// How many connections may wait to be accepted; 0 is 1024. The system may
    /// have a lower limit.
    pub backlog: u32,
    /// ROTA_LISTEN_... flags.
    pub flags: u32,
}

// SAFETY: integers, the size first.
unsafe impl Options for rota_listen_options {}

/// Fills in the defaults. `size` is `sizeof *options`.
///
/// # Safety
/// `options` may be written for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_listen_options_init(options: *mut rota_listen_options, size: usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    guard(|| unsafe { options::init(options, size) })
}

/// Listens for connections. `host` is a numeric address of this machine,
/// "localhost" for its own programs only (127.0.0.1), or NULL for every address
/// of both families. Port 0 picks a free one, see rota_listener_get_address().
/// `options` may be NULL.
///
/// ROTA_ERR_ADDRESS: not an address, or not one of this machine;
/// ROTA_ERR_ADDRESS_IN_USE, ROTA_ERR_ACCESS, ROTA_ERR_DESCRIPTORS: the system
/// says so.
///
/// # Safety
/// `host` is NULL or NUL-terminated; `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_listen(
    r#loop: rota_loop,
    host: *const c_char,
    port: u16,
    options: *const rota_listen_options,
    out: *mut rota_listener,
) -> rota_status {
    guard_loop(r#loop, |runtime| {
        wanted(out)?;
        // SAFETY: the caller's word, passed on.
        let options = unsafe { options::read(options)? };
        if options.flags & !(ROTA_LISTEN_REUSE_PORT | ROTA_LISTEN_IPV6_ONLY) != 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        let how = ListenOptions {
            backlog: if options.backlog == 0 { limits::BACKLOG } else { options.backlog },
            reuse_port: options.flags & ROTA_LISTEN_REUSE_PORT != 0,
            ipv6_only: options.flags & ROTA_LISTEN_IPV6_ONLY != 0,
        };
        // SAFETY: the caller's word, passed on.
        let host = if host.is_null() { None } else { Some(numeric(unsafe { text(host, limits::NAME_MAX) })?) };
        let listener = runtime.with(|state| {
            state.core.refuse_if_closing()?;
            let key = state.service.io.listen(&mut state.core, host, port, &how)?;
            Ok(state.core.handle(Kind::Listener, key))
        })?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, listener.into()) }
    })
}

/// The address at which it listens, with the port that was picked.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_listener_get_address(listener: rota_listener, out: *mut rota_address) -> rota_status {
    let handle = Handle::from(listener);
    guard_kind(handle, Kind::Listener, |state| {
        let address = state.service.io.listener_address(&state.core, handle.key())?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, address) }
    })
}

/// A future for the next connection; rota_future_take_stream() hands it out.
/// Several may wait, and are answered in order. A process without descriptors
/// does not fail them: the log is told, and they wait until there are some.
/// ROTA_ERR_BUSY: the listener serves.
#[no_mangle]
pub extern "C" fn rota_listener_accept(listener: rota_listener) -> rota_future {
    let handle = Handle::from(listener);
    guard_future(handle, registry::find_kind(handle, Kind::Listener), |state| {
        state.service.io.accept(&mut state.core, handle.key())
    })
}

/// Accepts from now on, and runs `body` as a stackful task for each connection.
/// The stream is the body's to close; `user_data` is yours, and in use until
/// the listener is closed and these tasks have ended. Without descriptors or memory it tells
/// the log, rests, and goes on. ROTA_ERR_BUSY: the listener serves already, or
/// an accept is pending.
///
/// # Safety
/// `body` may be called with `user_data` until the listener is closed and every
/// task that serves has ended.
#[no_mangle]
pub unsafe extern "C" fn rota_listener_serve(
    listener: rota_listener,
    body: rota_serve_fn,
    user_data: *mut c_void,
) -> rota_status {
    let handle = Handle::from(listener);
    guard_kind(handle, Kind::Listener, |state| {
        state.core.refuse_if_closing()?;
        // SAFETY: the caller's word, passed on.
        let body = unsafe { HostServe::new(body.ok_or(ROTA_ERR_INVALID)?, user_data) };
        state.service.io.serve(&mut state.core, handle.key(), body)
    })
}

/// Listens no more: pending accepts end with ROTA_ERR_CANCELLED, connections and
/// the tasks that serve them go on. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_listener_close(listener: rota_listener) -> rota_status {
    let handle = Handle::from(listener);
    if handle.is_null() {
        return ROTA_OK;
    }
    guard_kind(handle, Kind::Listener, |state| state.service.io.listener_close(&mut state.core, handle.key()))
}
