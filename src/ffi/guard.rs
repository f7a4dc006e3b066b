//! What stands between the host and everything below: every exported function runs inside one of these.
//!
//! A panic must not cross C frames. It becomes ROTA_ERR_PANIC, and poisons the
//! loop it happened in: every later call on that loop answers the same, other
//! loops live on.

use super::registry::{self, Loop};
use super::services::Services;
use crate::base::handle::rota_future;
use crate::base::{rota_status, rota_status::*, Error, Handle, Kind, Result};
use crate::rt::{current, Outcome, State};
use crate::sys::{thread, Text};
use core::ffi::c_char;
use core::mem::size_of;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `call`; its panic is an error.
#[inline]
fn caught<R>(runtime: Option<&Loop>, call: impl FnOnce() -> Result<R>) -> Result<R> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result,
        Err(payload) => {
            // A payload may panic when it is dropped; leaking it is the lesser evil.
            core::mem::forget(payload);
            if let Some(runtime) = runtime {
                runtime.poison();
            }
            Err(ROTA_ERR_PANIC.into())
        }
    }
}

#[inline]
fn status_of(result: Result<()>) -> rota_status {
    match result {
        Ok(()) => ROTA_OK,
        Err(error) => refused(error),
    }
}

#[cold]
fn refused(error: Error) -> rota_status {
    if error.os_error != 0 {
        thread::set_os_error(error.os_error);
    }
    error.status
}

/// For functions that need no loop.
pub fn guard(call: impl FnOnce() -> Result<()>) -> rota_status {
    status_of(caught(None, call))
}

/// For functions on a loop's own handle.
#[inline]
pub fn guard_loop(handle: impl Into<Handle>, call: impl FnOnce(&Loop) -> Result<()>) -> rota_status {
    status_of(registry::find_loop(handle.into()).and_then(|runtime| caught(Some(runtime), || call(runtime))))
}

/// For functions that find their loop themselves.
pub fn guard_runtime(find: Result<&Loop>, call: impl FnOnce(&Loop) -> Result<()>) -> rota_status {
    status_of(find.and_then(|runtime| caught(Some(runtime), || call(runtime))))
}

/// For functions on a handle of some kind: opens the loop's state.
#[inline]
pub fn guard_kind(
    handle: impl Into<Handle>,
    kind: Kind,
    call: impl FnOnce(&mut State<Services>) -> Result<()>,
) -> rota_status {
    status_of(
        registry::find_kind(handle.into(), kind)
            .and_then(|runtime| caught(Some(runtime), || runtime.with(|state| call(state)))),
    )
}

/// For functions that answer in the short form: a value, or a negative status.
#[inline]
pub fn guard_short(find: Result<&Loop>, call: impl FnOnce(&Loop) -> Result<i64>) -> i64 {
    match find.and_then(|runtime| caught(Some(runtime), || call(runtime))) {
        Ok(short) => short,
        Err(error) => refused(error) as i64,
    }
}

/// As `guard_short`, for functions that need no loop.
pub fn guard_number(call: impl FnOnce() -> Result<i64>) -> i64 {
    match caught(None, call) {
        Ok(short) => short,
        Err(error) => refused(error) as i64,
    }
}

/// For operations: a request to cancel the running task that is due is delivered here, and nothing starts; an error
/// becomes a future that has failed already.
#[inline]
pub fn guard_future(
    handle: Handle,
    find: Result<&Loop>,
    start: impl FnOnce(&mut State<Services>) -> Result<Handle>,
) -> rota_future {
    begin(handle, find, true, start)
}

/// For futures made of futures: nothing begins that a request to cancel could keep from beginning, so one that is due
/// waits for the await, which passes it on to what was begun already.
pub fn guard_combined(
    handle: Handle,
    find: Result<&Loop>,
    combine: impl FnOnce(&mut State<Services>) -> Result<Handle>,
) -> rota_future {
    begin(handle, find, false, combine)
}

#[inline]
fn begin(
    handle: Handle,
    find: Result<&Loop>,
    starts: bool,
    start: impl FnOnce(&mut State<Services>) -> Result<Handle>,
) -> rota_future {
    let number = handle.loop_number();
    let started = find.and_then(|runtime| {
        caught(Some(runtime), || {
            runtime.with(|state| {
                match current().filter(|now| now.loop_number == number).and_then(|now| now.task) {
                    Some(task) if starts => {
                        if let Some(reason) = state.core.task_take_due(task) {
                            return Ok(state.core.future_done(Outcome::cancelled(), reason));
                        }
                    }
                    Some(_) => {}
                    None => state.core.refuse_if_closing()?,
                }
                let started = start(state);
                started.or_else(|error| Ok(state.core.future_done(Outcome::failed(error, 0), Text::None)))
            })
        })
    });
    let future = started.unwrap_or_else(|error| {
        let status = refused(error) as i64;
        Handle::value(number, status).unwrap_or(Handle::NULL)
    });
    future.into()
}

/// The text that C passed, without its NUL: NULL is an error, and so is one longer than `most`.
///
/// # Safety
/// `text` is NULL, or readable up to its NUL or for `most + 1` bytes.
pub unsafe fn text<'a>(text: *const c_char, most: usize) -> Result<&'a [u8]> {
    if text.is_null() {
        return Err(ROTA_ERR_INVALID.into());
    }
    for length in 0..=most {
        // SAFETY: no NUL has been seen yet, and at most `most + 1` bytes are read.
        if unsafe { *text.add(length) } == 0 {
            // SAFETY: these bytes have just been read.
            return Ok(unsafe { core::slice::from_raw_parts(text.cast(), length) });
        }
    }
    Err(ROTA_ERR_LIMIT.into())
}

/// Writes an answer to where the caller wants it; NULL is an error.
///
/// # Safety
/// `out` is NULL or may be written.
pub unsafe fn hand_out<T>(out: *mut T, value: T) -> Result<()> {
    if out.is_null() {
        return Err(ROTA_ERR_INVALID.into());
    }
    // SAFETY: the caller may write it; C structs have no drop.
    unsafe { out.write(value) };
    Ok(())
}

/// As `hand_out`, where NULL means that the caller does not want it.
///
/// # Safety
/// `out` is NULL or may be written.
pub unsafe fn hand_out_if_wanted<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller may write it; C structs have no drop.
        unsafe { out.write(value) };
    }
}

/// Refuses a NULL before anything is changed.
pub fn wanted<T>(out: *mut T) -> Result<()> {
    if out.is_null() {
        return Err(ROTA_ERR_INVALID.into());
    }
    Ok(())
}

/// Copies text and a NUL into the caller's buffer, cut to fit, and reports the full length.
///
/// # Safety
/// `buffer` may be written for `size` bytes (or `size` is 0), `length` is NULL or may be written.
pub unsafe fn hand_out_text(bytes: &[u8], buffer: *mut c_char, size: usize, length: *mut usize) -> Result<()> {
    if buffer.is_null() && size > 0 {
        return Err(ROTA_ERR_INVALID.into());
    }
    if size > 0 {
        let count = bytes.len().min(size - 1);
        // SAFETY: `count + 1` is at most `size`, and `bytes` is ours.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), count);
            buffer.add(count).write(0);
        }
    }
    // SAFETY: the caller's word.
    unsafe { hand_out_if_wanted(length, bytes.len()) };
    Ok(())
}

/// The size that a struct says it has in its first field: NULL is an error, and so is a size that it cannot have.
///
/// # Safety
/// `out` is NULL, or its first field is readable.
pub unsafe fn sized<T>(out: *const T) -> Result<usize> {
    wanted(out.cast_mut())?;
    // SAFETY: the caller's word.
    let size = unsafe { out.cast::<usize>().read_unaligned() };
    if size < size_of::<usize>() {
        return Err(ROTA_ERR_INVALID.into());
    }
    Ok(size)
}

/// Writes a struct whose first field is its size: as much of it as the caller knows.
///
/// # Safety
/// `out` is NULL, or its first field says how many bytes may be written.
pub unsafe fn hand_out_sized<T: Copy>(out: *mut T, value: &T) -> Result<()> {
    // SAFETY: the caller's word, passed on.
    let size = unsafe { sized(out)? };
    let count = size.min(size_of::<T>()) - size_of::<usize>();
    // SAFETY: `count` bytes behind the size lie within both structs.
    unsafe {
        core::ptr::copy_nonoverlapping(
            core::ptr::from_ref(value).cast::<u8>().add(size_of::<usize>()),
            out.cast::<u8>().add(size_of::<usize>()),
            count,
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::handle::{rota_loop, rota_task};
    use crate::ffi::{call::*, event_loop::*, future::*, task::*, timer::*};
    use crate::sys::host::rota_call_fn;
    use core::ffi::c_void;
    use core::ptr::{from_mut, null, null_mut};

    fn open() -> rota_loop {
        let mut opened = Handle::NULL.into();
        // SAFETY: no options, and a place for the answer.
        assert_eq!(unsafe { rota_loop_open(null(), &mut opened) }, ROTA_OK);
        opened
    }

    unsafe extern "C" fn counts(_: rota_loop, _: rota_status, count: *mut c_void) {
        // SAFETY: the tests pass a number that lives long enough.
        unsafe { *count.cast::<u32>() += 1 };
    }
    const COUNTS: rota_call_fn = Some(counts);

    unsafe extern "C" fn sleeps(_: rota_task, user_data: *mut c_void) -> i64 {
        // SAFETY: the test passes its loop.
        rota_await(rota_loop_sleep(unsafe { *user_data.cast::<rota_loop>() }, u64::MAX))
    }

    /// A panic with the loop's state in hand, as one in `rt` or `io` would be.
    fn fail(broken: rota_loop) -> rota_status {
        guard_loop(broken, |runtime| runtime.with(|_| -> Result<()> { panic!("on purpose") }))
    }

    #[test]
    fn a_panic_is_a_status_and_poisons_that_loop_alone() {
        let (broken, whole) = (open(), open());
        let (mut count, mut given) = (0u32, null_mut());
        let data = from_mut(&mut count).cast::<c_void>();
        assert_eq!(fail(broken), ROTA_ERR_PANIC);
        // SAFETY: the callback may be called with `data`, and `given` may be written.
        unsafe {
            assert_eq!(rota_loop_call_soon(broken, COUNTS, data, null_mut()), ROTA_ERR_PANIC);
            assert_eq!(rota_loop_post(broken, COUNTS, data), ROTA_ERR_PANIC);
            assert_eq!(rota_loop_turn(broken, 0, 0, 0, null_mut()), ROTA_ERR_PANIC);
            assert_eq!(rota_loop_get_user_data(broken, &mut given), ROTA_ERR_PANIC);
            assert_eq!(rota_loop_set_user_data(broken, data), ROTA_ERR_PANIC);
            assert_eq!(rota_loop_call_soon(whole, COUNTS, data, null_mut()), ROTA_OK);
            assert_eq!(rota_loop_turn(whole, 0, 0, 0, null_mut()), ROTA_OK);
        }
        assert_eq!((rota_loop_stop(broken), rota_loop_wake(broken)), (ROTA_ERR_PANIC, ROTA_ERR_PANIC));
        assert_eq!(rota_loop_run(broken), ROTA_ERR_PANIC);
        let sleep = Handle::from(rota_loop_sleep(broken, 1));
        assert_eq!(sleep.carried(), Some(ROTA_ERR_PANIC as i64));
        assert_eq!(rota_loop_close(broken, 0), ROTA_OK);
        assert_eq!(rota_loop_close(broken, 0), ROTA_ERR_HANDLE);
        assert_eq!(rota_loop_close(whole, 0), ROTA_OK);
        assert_eq!(count, 1);
    }

    #[test]
    fn closing_a_poisoned_loop_calls_nobody_and_leaves_stacks_alone() {
        let mut broken = open();
        let mut count = 0u32;
        let data = from_mut(&mut count).cast::<c_void>();
        // SAFETY: the body gets its loop, the callback its number; both live until the end.
        unsafe {
            let user_data = from_mut(&mut broken).cast();
            assert_eq!(rota_loop_spawn(broken, Some(sleeps), user_data, null(), null_mut()), ROTA_OK);
            assert_eq!(rota_loop_turn(broken, 0, 0, 0, null_mut()), ROTA_OK);
            assert_eq!(rota_loop_call_soon(broken, COUNTS, data, null_mut()), ROTA_OK);
            assert_eq!(rota_loop_post(broken, COUNTS, data), ROTA_OK);
        }
        let promise = rota_future_open(broken);
        assert_eq!(fail(broken), ROTA_ERR_PANIC);
        assert_eq!(rota_future_complete(promise, 1), ROTA_ERR_PANIC);
        assert_eq!(rota_loop_close(broken, u64::MAX), ROTA_OK);
        assert_eq!((rota_future_complete(promise, 1), count), (ROTA_ERR_HANDLE, 0));
    }

    #[test]
    fn a_panic_without_a_loop_is_only_a_status() {
        assert_eq!(guard(|| panic!("on purpose")), ROTA_ERR_PANIC);
        let mut other = 0u32;
        // SAFETY: a place for the answer.
        assert_eq!(guard(|| unsafe { hand_out(&mut other, 5) }), ROTA_OK);
        assert_eq!(other, 5);
    }
}
