//! Streams: connecting, reading, writing, closing.

use super::guard::{guard, guard_future, guard_kind, hand_out};
use super::options::{self, Options};
use super::registry;
use super::resolve::{family, name};
use crate::base::handle::{rota_future, rota_loop, rota_stream};
use crate::base::{rota_address, rota_status, rota_status::*, Handle, Key, Kind, Result};
use crate::io::{ConnectOptions, Io};
use crate::rt::Core;
use crate::sys::buffer::{HostBuffer, HostBytes, Source};
use crate::sys::List;
use core::ffi::{c_char, c_void};
use core::mem::size_of;
use core::slice;

/// How to connect.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_connect_options {
    /// sizeof(rota_connect_options), set by rota_connect_options_init().
    pub size: usize,
    /// ROTA_FAMILY_...: only by these addresses.
    pub family: u32,
    /// Zero: there are none yet.
    pub flags: u32,
    /// How long to wait for one address before the next is tried as well; 0 is
    /// 250 ms (RFC 8305).
    pub attempt_delay_ns: u64,
}

// SAFETY: integers, the size first.
unsafe impl Options for rota_connect_options {}

/// Some bytes of yours to be written.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct rota_buffer {
    /// Where they begin.
    pub data: *const c_void,
    /// How many there are.
    pub size: usize,
}

/// Fills in the defaults. `size` is `sizeof *options`.
///
/// # Safety
/// `options` may be written for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_connect_options_init(options: *mut rota_connect_options, size: usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    guard(|| unsafe { options::init(options, size) })
}

/// Connects to `host` at `service`, names or numbers;
/// rota_future_take_stream() hands the connection out. Where the name has
/// several addresses, of both families say, they are tried one after the other,
/// each a little after the one before or as soon as that has failed, and the
/// first connection that stands is taken (RFC 8305). If none does, the status
/// is of the attempt that tells most, and the outcome's message says what came
/// of each. `options` may be NULL.
///
/// ROTA_ERR_NO_THREADS: the host is a name, and the loop was opened without
/// threads.
///
/// # Safety
/// `host` and `service` are NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn rota_loop_connect(
    r#loop: rota_loop,
    host: *const c_char,
    service: *const c_char,
    options: *const rota_connect_options,
) -> rota_future {
    let handle = Handle::from(r#loop);
    guard_future(handle, registry::find_loop(handle), |state| {
        // SAFETY: the caller's word, passed on.
        let options = unsafe { options::read(options)? };
        if options.flags != 0 {
            return Err(ROTA_ERR_INVALID.into());
        }
        let how = ConnectOptions { family: family(options.family)?, attempt_delay_ns: options.attempt_delay_ns };
        // SAFETY: the caller's word, passed on.
        let (host, service) = unsafe { (name(host)?, name(service)?) };
        state.service.io.connect(&mut state.core, host, service, how)
    })
}

/// For operations on a stream.
#[inline]
fn operate(stream: rota_stream, start: impl FnOnce(&mut Io, &mut Core, Key) -> Result<Handle>) -> rota_future {
    let handle = Handle::from(stream);
    guard_future(handle, registry::find_kind(handle, Kind::Stream), |state| {
        start(&mut state.service.io, &mut state.core, handle.key())
    })
}

/// For what a stream does or tells at once.
#[inline]
fn ask(stream: rota_stream, call: impl FnOnce(&mut Io, &mut Core, Key) -> Result<()>) -> rota_status {
    let handle = Handle::from(stream);
    guard_kind(handle, Kind::Stream, |state| call(&mut state.service.io, &mut state.core, handle.key()))
}

/// A size that memory can have: no object is larger than half of the address space.
fn checked(start: *const c_void, size: usize) -> Result<()> {
    if start.is_null() && size > 0 || size > isize::MAX as usize {
        return Err(ROTA_ERR_INVALID.into());
    }
    Ok(())
}

/// # Safety
/// `buffer` may be written for `size` bytes until the operation has ended.
#[inline]
unsafe fn borrow_mut(buffer: *mut c_void, size: usize) -> Result<HostBuffer> {
    checked(buffer, size)?;
    // SAFETY: the caller's word.
    Ok(unsafe { HostBuffer::new(buffer.cast(), size) })
}

/// # Safety
/// `data` may be read for `size` bytes until the operation has ended.
#[inline]
unsafe fn borrow(data: *const c_void, size: usize) -> Result<HostBytes> {
    checked(data, size)?;
    // SAFETY: the caller's word.
    Ok(unsafe { HostBytes::new(data.cast(), size) })
}

/// The bytes that the caller passed, for the length of this call.
///
/// # Safety
/// `data` may be read for `size` bytes.
unsafe fn bytes<'a>(data: *const c_void, size: usize) -> Result<&'a [u8]> {
    checked(data, size)?;
    if size == 0 {
        return Ok(&[]);
    }
    // SAFETY: the caller's word.
    Ok(unsafe { slice::from_raw_parts(data.cast(), size) })
}

/// Reads what there is, at least a byte and at most `size`; the value is how
/// many, 0 at the end of the stream (or if `size` is 0). The buffer is borrowed
/// until the future has ended. One read at a time: ROTA_ERR_BUSY. Cancelling
/// loses nothing.
///
/// # Safety
/// `buffer` may be written for `size` bytes until the future has ended.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_read(stream: rota_stream, buffer: *mut c_void, size: usize) -> rota_future {
    // SAFETY: the caller's word, passed on.
    operate(stream, |io, core, key| io.read(core, key, unsafe { borrow_mut(buffer, size)? }))
}

/// Reads `size` bytes. ROTA_ERR_EOF: the stream ended before. What has come by
/// then, or before an error or a cancellation, is in the buffer, and the
/// outcome's `moved_bytes` says how much. As rota_stream_read() otherwise.
///
/// # Safety
/// `buffer` may be written for `size` bytes until the future has ended.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_read_exactly(
    stream: rota_stream,
    buffer: *mut c_void,
    size: usize,
) -> rota_future {
    // SAFETY: the caller's word, passed on.
    operate(stream, |io, core, key| io.read_exactly(core, key, unsafe { borrow_mut(buffer, size)? }))
}

/// Reads up to and with a delimiter, which is copied; the value is how many
/// bytes that is. ROTA_ERR_LIMIT: the delimiter is not in the next `size` bytes,
/// all of which are still in the stream. ROTA_ERR_EOF: the stream ended before
/// it came; what was left is in the buffer, `moved_bytes` says how much.
/// ROTA_ERR_INVALID: the delimiter is empty or longer than `size`. As
/// rota_stream_read() otherwise.
///
/// # Safety
/// `buffer` may be written for `size` bytes until the future has ended;
/// `delimiter` may be read for `delimiter_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_read_until(
    stream: rota_stream,
    buffer: *mut c_void,
    size: usize,
    delimiter: *const c_void,
    delimiter_size: usize,
) -> rota_future {
    operate(stream, |io, core, key| {
        // SAFETY: the caller's word, passed on.
        let (buffer, delimiter) = unsafe { (borrow_mut(buffer, size)?, bytes(delimiter, delimiter_size)?) };
        io.read_until(core, key, buffer, delimiter)
    })
}

/// Reads a line with its newline. The last line of a stream may lack it, and
/// comes without; after it the value is 0. ROTA_ERR_LIMIT as in
/// rota_stream_read_until(). As rota_stream_read() otherwise.
///
/// # Safety
/// `buffer` may be written for `size` bytes until the future has ended.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_read_line(stream: rota_stream, buffer: *mut c_void, size: usize) -> rota_future {
    // SAFETY: the caller's word, passed on.
    operate(stream, |io, core, key| io.read_line(core, key, unsafe { borrow_mut(buffer, size)? }))
}

/// Writes all of `data`, which is borrowed until the future has ended; the
/// value is `size`. Several may be under way: they go in order. Failed or
/// cancelled, `moved_bytes` says exactly how much went; when one fails, those
/// behind it fail with it. ROTA_ERR_SHUT: the stream was shut down.
///
/// # Safety
/// `data` may be read for `size` bytes until the future has ended.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_write(stream: rota_stream, data: *const c_void, size: usize) -> rota_future {
    // SAFETY: the caller's word, passed on.
    operate(stream, |io, core, key| io.write(core, key, Source::Host(unsafe { borrow(data, size)? })))
}

/// Writes several buffers, in order, as if they were one. The array is read
/// during the call, what it points to is borrowed until the future has ended.
/// As rota_stream_write() otherwise.
///
/// # Safety
/// `buffers` has `count` elements, whose data may be read until the future has
/// ended.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_write_vectored(
    stream: rota_stream,
    buffers: *const rota_buffer,
    count: usize,
) -> rota_future {
    operate(stream, |io, core, key| {
        if buffers.is_null() && count > 0 || count > isize::MAX as usize / size_of::<rota_buffer>() {
            return Err(ROTA_ERR_INVALID.into());
        }
        let mut list = List::new(core.memory.clone());
        list.reserve_exact(count)?;
        let mut sum = 0usize;
        for at in 0..count {
            // SAFETY: the caller's word: there are `count` of them.
            let rota_buffer { data, size } = unsafe { buffers.add(at).read() };
            // SAFETY: the caller's word, passed on.
            list.push(unsafe { borrow(data, size)? })?;
            sum = sum.checked_add(size).filter(|sum| *sum <= isize::MAX as usize).ok_or(ROTA_ERR_INVALID)?;
        }
        io.write(core, key, Source::Vector(list))
    })
}

/// Sends a copy of `data` in the background, in order with the writes. See
/// rota_stream_drain() for how not to fill the memory. If it cannot be sent in
/// the end, the next write, send or drain says why.
///
/// # Safety
/// `data` may be read for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_send(stream: rota_stream, data: *const c_void, size: usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    ask(stream, |io, core, key| io.send(core, key, unsafe { bytes(data, size)? }))
}

/// A future that is done at once while no more than the high mark is buffered;
/// above it, when what is buffered has come down to the low mark. If it cannot
/// be sent, the future fails with the reason.
#[no_mangle]
pub extern "C" fn rota_stream_drain(stream: rota_stream) -> rota_future {
    operate(stream, |io, core, key| io.drain(core, key))
}

/// Sets the marks for rota_stream_drain(), in bytes; at first they are 16 and 64
/// KiB. ROTA_ERR_INVALID: `low` is above `high`.
#[no_mangle]
pub extern "C" fn rota_stream_set_watermarks(stream: rota_stream, low: usize, high: usize) -> rota_status {
    ask(stream, |io, core, key| io.set_watermarks(core, key, low, high))
}

/// How many bytes given to rota_stream_send() have not been sent.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_get_buffered(stream: rota_stream, out: *mut usize) -> rota_status {
    // SAFETY: the caller's word, passed on.
    ask(stream, |io, _, key| unsafe { hand_out(out, io.buffered(key)?) })
}

/// Sends what is queued and then the end of the stream; reading goes on. The
/// future is done when that has gone. Later writes fail with ROTA_ERR_SHUT, a
/// second shutdown with ROTA_ERR_DONE.
#[no_mangle]
pub extern "C" fn rota_stream_shutdown(stream: rota_stream) -> rota_future {
    operate(stream, |io, core, key| io.shutdown(core, key))
}

/// Closes the connection and ends the handle. Pending operations end with
/// ROTA_ERR_CANCELLED and their exact counts; data given to rota_stream_send()
/// still goes out in the background. Closing null succeeds and does nothing.
#[no_mangle]
pub extern "C" fn rota_stream_close(stream: rota_stream) -> rota_status {
    if Handle::from(stream).is_null() {
        return ROTA_OK;
    }
    ask(stream, |io, core, key| io.stream_close(core, key))
}

/// Resets the connection, drops everything that was to be sent, and ends the
/// handle. As rota_stream_close() otherwise.
#[no_mangle]
pub extern "C" fn rota_stream_abort(stream: rota_stream) -> rota_status {
    if Handle::from(stream).is_null() {
        return ROTA_OK;
    }
    ask(stream, |io, core, key| io.stream_abort(core, key))
}

/// The address on this side.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_get_local_address(stream: rota_stream, out: *mut rota_address) -> rota_status {
    // SAFETY: the caller's word, passed on.
    ask(stream, |io, core, key| unsafe { hand_out(out, io.local_address(core, key)?) })
}

/// The address on the other side. ROTA_ERR_NOT_CONNECTED: it is gone.
///
/// # Safety
/// `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_stream_get_peer_address(stream: rota_stream, out: *mut rota_address) -> rota_status {
    // SAFETY: the caller's word, passed on.
    ask(stream, |io, core, key| unsafe { hand_out(out, io.peer_address(core, key)?) })
}

/// Whether small writes go out at once (they do unless this says otherwise), or
/// wait for the peer's answer to the ones before.
#[no_mangle]
pub extern "C" fn rota_stream_set_no_delay(stream: rota_stream, on: bool) -> rota_status {
    ask(stream, |io, core, key| io.set_no_delay(core, key, on))
}

/// Whether a silent peer is probed, and after how long; 0 is the system's
/// choice, which counts in seconds anyway.
#[no_mangle]
pub extern "C" fn rota_stream_set_keep_alive(stream: rota_stream, on: bool, idle_ns: u64) -> rota_status {
    ask(stream, |io, core, key| io.set_keep_alive(core, key, on, idle_ns))
}
