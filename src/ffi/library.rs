//! Version and statuses: what needs no loop.

use crate::base::status::TABLE;
use core::ffi::c_char;

/// The library's version as 0x00MMmmpp: major, minor, patch. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_version() -> u32 {
    const PARTS: [u32; 3] = [
        parse(env!("CARGO_PKG_VERSION_MAJOR")),
        parse(env!("CARGO_PKG_VERSION_MINOR")),
        parse(env!("CARGO_PKG_VERSION_PATCH")),
    ];
    PARTS[0] << 16 | PARTS[1] << 8 | PARTS[2]
}

/// The library's version as text, "1.2.3". Static. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_version_text() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// A short English phrase for a status. Static, never NULL. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_strerror(status: i32) -> *const c_char {
    find(status)
        .map_or(
            if status <= crate::base::status::ROTA_STATUS_HOST { "a status of the host's\0" } else { "not a status\0" },
            |row| row.2,
        )
        .as_ptr()
        .cast()
}

/// The name of a status, such as "ROTA_ERR_EOF"; "?" for a number that is
/// none. Static, never NULL. Thread-safe.
#[no_mangle]
pub extern "C" fn rota_status_name(status: i32) -> *const c_char {
    find(status).map_or("?\0", |row| row.1).as_ptr().cast()
}

/// The system's error number (errno) of this thread's last call that answered
/// with a status because the system refused; 0 if there was none.
#[no_mangle]
pub extern "C" fn rota_os_error() -> i32 {
    crate::sys::thread::os_error()
}

fn find(status: i32) -> Option<&'static (crate::base::rota_status, &'static str, &'static str)> {
    TABLE.iter().find(|row| row.0 as i32 == status)
}

const fn parse(digits: &str) -> u32 {
    let bytes = digits.as_bytes();
    let (mut number, mut i) = (0, 0);
    while i < bytes.len() {
        number = number * 10 + (bytes[i] - b'0') as u32;
        i += 1;
    }
    number
}
