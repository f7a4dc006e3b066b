//! Names to addresses: numbers at once, names by getaddrinfo(3) on another thread.
//!
//! The request owns its strings. The system's answer is kept as it came, and
//! becomes a list in the loop's memory on the loop's thread.

use super::error::from_number;
use super::{List, Memory, Text};
use crate::base::address::{ROTA_FAMILY_ANY, ROTA_FAMILY_IPV4, ROTA_FAMILY_IPV6};
use crate::base::limits::NAME_MAX;
use crate::base::rota_status::{self, *};
use crate::base::{rota_address, Error, Result};
use core::ffi::{c_char, c_int, CStr};
use core::mem::size_of;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::ptr;

/// A name to be resolved.
pub struct ResolveRequest {
    host: Option<Name>,
    service: Option<Name>,
    family: u32,
}

struct Name {
    bytes: [u8; NAME_MAX + 1],
}

/// Why a name was not resolved.
pub struct ResolveFailure {
    /// The status, and errno if the system gave one.
    pub error: Error,
    /// The system's own words.
    pub message: Text,
}

/// What a name was resolved to: each address once, in the system's order of preference.
pub type Resolved = core::result::Result<List<rota_address>, ResolveFailure>;

/// What getaddrinfo said. It may be made on one thread and read on another.
pub struct Answer {
    list: *mut libc::addrinfo,
    code: c_int,
    os_error: c_int,
}

// SAFETY: the list is plain memory of the C library's, owned by the answer; no function of its is bound to a thread.
unsafe impl Send for Answer {}

impl Name {
    fn new(text: &[u8]) -> Result<Self> {
        if text.len() > NAME_MAX || text.contains(&0) {
            return Err(ROTA_ERR_INVALID.into());
        }
        let mut bytes = [0; NAME_MAX + 1];
        bytes[..text.len()].copy_from_slice(text);
        Ok(Name { bytes })
    }

    fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }

    fn text(&self) -> &[u8] {
        self.bytes.split(|byte| *byte == 0).next().unwrap_or(&[])
    }
}

impl ResolveRequest {
    /// A request for `host` (none: this machine's own address) and `service` (none: port 0).
    pub fn new(host: Option<&[u8]>, service: Option<&[u8]>, family: u32) -> Result<Self> {
        if !matches!(family, ROTA_FAMILY_ANY | ROTA_FAMILY_IPV4 | ROTA_FAMILY_IPV6) {
            return Err(ROTA_ERR_INVALID.into());
        }
        Ok(ResolveRequest {
            host: host.map(Name::new).transpose()?,
            service: service.map(Name::new).transpose()?,
            family,
        })
    }

    /// Asks the system, which may take long.
    pub(super) fn ask(&self) -> Answer {
        // SAFETY: all zero is a valid `addrinfo`: no flags, null pointers.
        let mut hints: libc::addrinfo = unsafe { core::mem::zeroed() };
        hints.ai_socktype = libc::SOCK_STREAM;
        hints.ai_family = match self.family {
            ROTA_FAMILY_IPV4 => libc::AF_INET,
            ROTA_FAMILY_IPV6 => libc::AF_INET6,
            _ => libc::AF_UNSPEC,
        };
        if self.host.as_ref().is_some_and(|host| !is_here(host.text())) {
            // Addresses of a family that this machine has no interface for are of no use.
            hints.ai_flags = libc::AI_ADDRCONFIG;
        }
        let host = self.host.as_ref().map_or(ptr::null(), Name::as_ptr);
        let service = self.service.as_ref().map_or(ptr::null(), Name::as_ptr);
        let mut answer = Answer { list: ptr::null_mut(), code: 0, os_error: 0 };
        // SAFETY: both names end with a NUL and live for the call, as do the hints; the list is ours to free.
        answer.code = unsafe { libc::getaddrinfo(host, service, &hints, &mut answer.list) };
        if answer.code == libc::EAI_SYSTEM {
            answer.os_error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        }
        answer
    }
}

/// Whether a name is an address or this very machine: those exist without a network, too.
fn is_here(host: &[u8]) -> bool {
    host.contains(&b':')
        || host.eq_ignore_ascii_case(b"localhost")
        || core::str::from_utf8(host).is_ok_and(|host| host.parse::<Ipv4Addr>().is_ok())
}

impl Answer {
    /// The addresses in the loop's memory, or why there are none.
    pub(super) fn read(self, memory: &Memory) -> Resolved {
        if self.code != 0 {
            return Err(self.failure(memory));
        }
        let plain = |error| ResolveFailure { error, message: Text::None };
        let mut addresses = List::new(memory.clone());
        let mut at = self.list;
        while !at.is_null() {
            // SAFETY: the list that getaddrinfo gave is ours and whole until `self` is dropped.
            let entry = unsafe { &*at };
            at = entry.ai_next;
            // SAFETY: as above; the address is as long as the entry says.
            if let Some(address) = unsafe { address_of(entry) } {
                if !addresses.contains(&address) {
                    addresses.push(address).map_err(plain)?;
                }
            }
        }
        if addresses.is_empty() {
            return Err(plain(ROTA_ERR_NOT_FOUND.into()));
        }
        Ok(addresses)
    }

    fn failure(&self, memory: &Memory) -> ResolveFailure {
        let error = match self.os_error {
            0 => status(self.code).into(),
            number => from_number(number),
        };
        // SAFETY: gai_strerror returns a string that lives at least until its next call on this thread.
        let words = unsafe { CStr::from_ptr(libc::gai_strerror(self.code)) };
        // Without memory the status has to do.
        let message = Text::copy(memory.clone(), words.to_bytes()).unwrap_or_default();
        ResolveFailure { error, message }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.list.is_null() {
            // SAFETY: it came from getaddrinfo and is freed once.
            unsafe { libc::freeaddrinfo(self.list) };
        }
    }
}

fn status(code: c_int) -> rota_status {
    match code {
        libc::EAI_NONAME | libc::EAI_SERVICE | libc::EAI_FAMILY => ROTA_ERR_NOT_FOUND,
        // POSIX dropped these two; the C libraries did not.
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        libc::EAI_NODATA => ROTA_ERR_NOT_FOUND,
        #[cfg(target_os = "linux")]
        -9 => ROTA_ERR_NOT_FOUND,
        libc::EAI_MEMORY => ROTA_ERR_MEMORY,
        libc::EAI_BADFLAGS => ROTA_ERR_INVALID,
        _ => ROTA_ERR_RESOLVE,
    }
}

/// # Safety
/// `ai_addr` is null or an address of `ai_addrlen` bytes.
unsafe fn address_of(entry: &libc::addrinfo) -> Option<rota_address> {
    let size = entry.ai_addrlen as usize;
    if entry.ai_addr.is_null() {
        return None;
    }
    match entry.ai_family {
        libc::AF_INET if size >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: the family and the size say that it is one; it may stand anywhere.
            let v4 = unsafe { entry.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(rota_address::new(ip.into(), u16::from_be(v4.sin_port), 0))
        }
        libc::AF_INET6 if size >= size_of::<libc::sockaddr_in6>() => {
            // SAFETY: as above.
            let v6 = unsafe { entry.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(rota_address::new(ip.into(), u16::from_be(v6.sin6_port), v6.sin6_scope_id))
        }
        _ => None,
    }
}

/// The address, if host and service are both numbers: no thread is needed for those.
pub fn resolve_literal(host: &[u8], service: &[u8], family: u32) -> Option<Result<rota_address>> {
    let host = core::str::from_utf8(host).ok()?;
    let address = rota_address::parse(host, 0).ok()?;
    if service.is_empty() || !service.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let port = core::str::from_utf8(service).ok()?.parse::<u16>();
    match port {
        Ok(port) if family == ROTA_FAMILY_ANY || family == u32::from(address.family) => {
            Some(Ok(rota_address { port, ..address }))
        }
        _ => Some(Err(ROTA_ERR_NOT_FOUND.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        Memory::new(None, u64::MAX)
    }

    fn resolve(host: &str, service: &str, family: u32) -> Resolved {
        let request = ResolveRequest::new(Some(host.as_bytes()), Some(service.as_bytes()), family).unwrap();
        request.ask().read(&memory())
    }

    #[test]
    fn numbers_need_no_thread() {
        let shown = |host: &str, service: &str, family| {
            resolve_literal(host.as_bytes(), service.as_bytes(), family)
                .map(|result| result.map(|address| address.to_string()).map_err(|error| error.status))
        };
        assert_eq!(shown("127.0.0.1", "80", 0), Some(Ok("127.0.0.1:80".into())));
        assert_eq!(shown("::1", "65535", 6), Some(Ok("[::1]:65535".into())));
        assert_eq!(shown("::1", "65536", 0), Some(Err(ROTA_ERR_NOT_FOUND)));
        assert_eq!(shown("::1", "1", 4), Some(Err(ROTA_ERR_NOT_FOUND)));
        for (host, service) in [("localhost", "80"), ("127.0.0.1", "http"), ("127.0.0.1", ""), ("127.0.0.1", "+80")] {
            assert_eq!(shown(host, service, 0), None, "{host} {service}");
        }
    }

    #[test]
    fn this_machine_has_a_name() {
        let addresses = resolve("localhost", "8080", ROTA_FAMILY_IPV4).ok().unwrap();
        assert_eq!(addresses.iter().map(|address| address.to_string()).collect::<Vec<_>>(), ["127.0.0.1:8080"]);
        let all = resolve("localhost", "8080", ROTA_FAMILY_ANY).ok().unwrap();
        assert!(all.contains(&addresses[0]));
        assert!((1..all.len()).all(|index| !all[..index].contains(&all[index])));
    }

    #[test]
    fn what_is_not_there_is_told_in_words() {
        let failure = resolve("no-such-name.invalid", "80", ROTA_FAMILY_ANY).err().unwrap();
        // Without a name server the C library says "try again".
        assert!(matches!(failure.error.status, ROTA_ERR_NOT_FOUND | ROTA_ERR_RESOLVE));
        assert!(!failure.message.is_empty());
        let failure = resolve("127.0.0.1", "no-such-service", ROTA_FAMILY_ANY).err().unwrap();
        assert_eq!(failure.error.status, ROTA_ERR_NOT_FOUND);
        assert!(ResolveRequest::new(Some(&[b'a'; NAME_MAX + 1]), None, 0).is_err());
        assert!(ResolveRequest::new(Some(b"a\0b"), None, 0).is_err());
        assert!(ResolveRequest::new(Some(b"a"), None, 5).is_err());
    }
}
