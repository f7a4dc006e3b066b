//! Threads of our own, made with pthread_create.
//!
//! Not std's: those register destructors of thread-locals, which pin a shared
//! library in the host's process, and dlclose would no longer unload it. Every
//! signal is blocked in them: the host's handlers run on the host's threads.

use super::error::from_number;
use crate::base::Result;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;

/// A running thread, to be joined or let go.
pub struct Thread(libc::pthread_t);

impl Thread {
    /// Starts a thread that runs `body(data)`.
    ///
    /// # Safety
    /// `body` may be called with `data` on another thread.
    pub unsafe fn start(body: extern "C" fn(*mut c_void) -> *mut c_void, data: *mut c_void) -> Result<Self> {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
        // SAFETY: the sets are filled before they are used; the new thread inherits the mask of its maker, which gets
        // its own back at once; `body` and `data` are the caller's promise.
        let number = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            let number = libc::pthread_create(thread.as_mut_ptr(), ptr::null(), body, data);
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
            number
        };
        if number != 0 {
            return Err(from_number(number));
        }
        // SAFETY: pthread_create has written it.
        Ok(Thread(unsafe { thread.assume_init() }))
    }

    /// Waits until it has ended.
    pub fn join(self) {
        // SAFETY: it was started joinable, and is joined or let go once: both take it by value.
        unsafe { libc::pthread_join(self.0, ptr::null_mut()) };
    }

    /// Lets it end when it likes.
    pub fn let_go(self) {
        // SAFETY: as above.
        unsafe { libc::pthread_detach(self.0) };
    }
}

/// Names the calling thread for debuggers and process lists.
pub fn set_name(name: &core::ffi::CStr) {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    // SAFETY: a thread may name itself; the name is copied.
    unsafe {
        libc::pthread_setname_np(libc::pthread_self(), name.as_ptr());
    }
    #[cfg(target_vendor = "apple")]
    // SAFETY: as above.
    unsafe {
        libc::pthread_setname_np(name.as_ptr());
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple")))]
    let _ = name;
}
