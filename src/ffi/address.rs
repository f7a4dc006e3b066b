//! Addresses: text in, text out.

use super::guard::{guard, hand_out, hand_out_text, text, wanted};
use crate::base::{limits, rota_address, rota_status, rota_status::*, Result};
use core::ffi::c_char;
use core::fmt;

/// Reads a numeric address: "127.0.0.1", "::1", "fe80::1%2" (the interface as a
/// number). ROTA_ERR_ADDRESS: it is none. Thread-safe.
///
/// # Safety
/// `text` is NUL-terminated, `out` may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_address_parse(text: *const c_char, port: u16, out: *mut rota_address) -> rota_status {
    guard(|| {
        wanted(out)?;
        // SAFETY: the caller's word, passed on.
        let bytes = unsafe { self::text(text, limits::NAME_MAX) };
        let address = rota_address::parse(numeric(bytes)?, port)?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out(out, address) }
    })
}

/// What may be a numeric address; what cannot be one is ROTA_ERR_ADDRESS.
pub(super) fn numeric(bytes: Result<&[u8]>) -> Result<&str> {
    match bytes {
        Ok(bytes) => core::str::from_utf8(bytes).map_err(|_| ROTA_ERR_ADDRESS.into()),
        Err(error) if error.status == ROTA_ERR_LIMIT => Err(ROTA_ERR_ADDRESS.into()),
        Err(error) => Err(error),
    }
}

/// Writes an address as "127.0.0.1:80" or "[::1]:80", cut to fit in `size`
/// bytes with its NUL; the full length goes to `length`, which may be NULL. 64
/// bytes hold every address. Thread-safe.
///
/// # Safety
/// `address` may be read, `buffer` may be written for `size` bytes, `length` is
/// NULL or may be written.
#[no_mangle]
pub unsafe extern "C" fn rota_address_format(
    address: *const rota_address,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
) -> rota_status {
    guard(|| {
        // SAFETY: the caller's word: NULL or readable.
        let address = unsafe { address.as_ref() }.ok_or(ROTA_ERR_INVALID)?;
        if address.ip().is_none() {
            return Err(ROTA_ERR_INVALID.into());
        }
        let mut line = Line { bytes: [0; 64], length: 0 };
        fmt::write(&mut line, format_args!("{address}")).map_err(|_| ROTA_ERR_LIMIT)?;
        // SAFETY: the caller's word, passed on.
        unsafe { hand_out_text(&line.bytes[..line.length], buffer, size, length) }
    })
}

/// Room for the longest address.
struct Line {
    bytes: [u8; 64],
    length: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
