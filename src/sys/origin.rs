//! Debug mode: from where in the host's code something was started.
//!
//! The first return address outside this library is kept, one word; it is
//! turned into "function+0x12 (program)" when somebody wants to read it, with
//! what the dynamic linker knows. A host that is linked statically with the
//! library, or without exported names, gets the address, for addr2line.

use core::fmt;

/// An address in the host's code; 0 is unknown.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin(usize);

impl Origin {
    /// The place that called into this library.
    pub fn capture() -> Self {
        imp::capture()
    }
}

impl Origin {
    /// The address; 0 is unknown.
    pub fn address(self) -> usize {
        self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return out.write_str("an unknown place");
        }
        imp::describe(self.0, out)
    }
}

#[cfg(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple", target_os = "freebsd"))]
mod imp {
    use super::Origin;
    use core::ffi::{c_void, CStr};
    use core::fmt;

    const DEPTH: usize = 24;

    pub fn capture() -> Origin {
        let mut frames = [core::ptr::null_mut::<c_void>(); DEPTH];
        // SAFETY: the array has room for DEPTH addresses.
        let count = unsafe { libc::backtrace(frames.as_mut_ptr(), DEPTH as _) };
        let ours = image(capture as *const c_void);
        let host = frames[..count.max(0) as usize].iter().find(|frame| image(**frame) != ours);
        Origin(host.map_or(0, |frame| frame.addr()))
    }

    fn look_up(address: *const c_void) -> Option<libc::Dl_info> {
        // SAFETY: all zero is a valid `Dl_info`, and dladdr only writes to it.
        let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
        // SAFETY: any address may be asked for.
        (unsafe { libc::dladdr(address, &mut info) } != 0).then_some(info)
    }

    fn image(address: *const c_void) -> usize {
        look_up(address).map_or(0, |info| info.dli_fbase.addr())
    }

    pub fn describe(address: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(info) = look_up(core::ptr::without_provenance(address)) else {
            return write!(out, "{address:#x}");
        };
        let text = |pointer: *const core::ffi::c_char| match pointer.is_null() {
            true => "?",
            // SAFETY: dladdr's names end with a NUL and stay while the image is loaded.
            false => unsafe { CStr::from_ptr(pointer) }.to_str().unwrap_or("?"),
        };
        let image = text(info.dli_fname).rsplit('/').next().unwrap_or("?");
        if info.dli_sname.is_null() {
            return write!(out, "{image}+{:#x}", address - info.dli_fbase.addr());
        }
        write!(out, "{}+{:#x} ({image})", text(info.dli_sname), address - info.dli_saddr.addr())
    }
}

#[cfg(not(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple", target_os = "freebsd")))]
mod imp {
    use super::Origin;
    use core::fmt;

    pub fn capture() -> Origin {
        Origin(0)
    }

    pub fn describe(address: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{address:#x}")
    }
}
