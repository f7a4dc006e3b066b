//! The system calls on sockets: each retried when a signal interrupts it, each once otherwise.

use crate::base::limits::BUFFERS_MAX;
use crate::base::{rota_address, rota_status, Error, Result};
use crate::sys::buffer::{HostBytes, Source, Target};
use crate::sys::driver::ListenOptions;
use crate::sys::error::from_io;
use crate::sys::List;
use core::mem::MaybeUninit;
use core::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use core::slice;
use core::time::Duration;
use socket2::{Domain, Protocol, SockAddr, TcpKeepalive, Type};
use std::io::{self, IoSlice};

/// A socket of the system's; closed when dropped.
pub type System = socket2::Socket;

/// Room for the buffers of one vectored send; empty between the calls.
pub type Slices = List<IoSlice<'static>>;

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
// socket2 sets SO_NOSIGPIPE where there is no flag.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const NO_SIGNAL: i32 = 0;

/// What one try came to.
pub enum Tried<T> {
    /// The system did it.
    Done(T),
    /// Not now.
    Blocked,
    /// The system refused.
    Failed(Error),
}

fn tried<T>(mut call: impl FnMut() -> io::Result<T>) -> Tried<T> {
    loop {
        return match call() {
            Ok(value) => Tried::Done(value),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Tried::Blocked,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Tried::Failed(from_io(&error)),
        };
    }
}

fn to_system(address: &rota_address) -> Result<SockAddr> {
    use core::net::IpAddr::{V4, V6};
    match address.ip() {
        Some(V4(ip)) => Ok(SocketAddr::V4(SocketAddrV4::new(ip, address.port)).into()),
        Some(V6(ip)) => Ok(SocketAddr::V6(SocketAddrV6::new(ip, address.port, 0, address.scope)).into()),
        None => Err(rota_status::ROTA_ERR_ADDRESS.into()),
    }
}

fn from_system(address: &SockAddr) -> rota_address {
    match address.as_socket() {
        Some(SocketAddr::V4(v4)) => rota_address::new((*v4.ip()).into(), v4.port(), 0),
        Some(SocketAddr::V6(v6)) => rota_address::new((*v6.ip()).into(), v6.port(), v6.scope_id()),
        None => rota_address::default(),
    }
}

fn open(address: &rota_address) -> io::Result<System> {
    let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let socket = System::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let socket = {
        let socket = System::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket
    };
    // On Linux an accepted connection inherits this from its listener.
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// A socket that listens.
pub fn listen(address: &rota_address, options: &ListenOptions) -> Result<System> {
    let at = to_system(address)?;
    let build = || {
        let socket = open(address)?;
        if address.is_ipv6() {
            socket.set_only_v6(options.ipv6_only)?;
        }
        // On Windows the option would let strangers share the port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        #[cfg(unix)]
        if options.reuse_port {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&at)?;
        socket.listen(options.backlog.min(i32::MAX as u32) as i32)?;
        Ok(socket)
    };
    build().map_err(|error: io::Error| from_io(&error))
}

/// A connection begun; whether it stands already.
pub fn connect(address: &rota_address) -> Result<(System, bool)> {
    let to = to_system(address)?;
    let socket = open(address).map_err(|error| from_io(&error))?;
    match socket.connect(&to) {
        Ok(()) => Ok((socket, true)),
        // An interrupted connect goes on by itself.
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) || error.kind() == io::ErrorKind::Interrupted => {
            Ok((socket, false))
        }
        Err(error) => Err(from_io(&error)),
    }
}

/// Asks what a begun connection came to.
pub fn connected(io: &System) -> Tried<()> {
    match io.take_error() {
        Ok(Some(error)) | Err(error) => Tried::Failed(from_io(&error)),
        // Readiness may be a false alarm: only a connected socket has a peer.
        Ok(None) => match io.peer_addr() {
            Ok(_) => Tried::Done(()),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Tried::Blocked,
            Err(error) => Tried::Failed(from_io(&error)),
        },
    }
}

/// Takes one connection.
pub fn accept(io: &System) -> Tried<(System, rota_address)> {
    loop {
        match tried(|| accept_system(io)) {
            // The connection died while it waited, or brought an error of its own network: on to the next one.
            Tried::Failed(error) if is_of_the_connection(error.os_error) => continue,
            Tried::Failed(error) => return Tried::Failed(error),
            Tried::Blocked => return Tried::Blocked,
            Tried::Done((socket, address)) => return Tried::Done((socket, from_system(&address))),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn accept_system(io: &System) -> io::Result<(System, SockAddr)> {
    io.accept4(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn accept_system(io: &System) -> io::Result<(System, SockAddr)> {
    let (socket, address) = io.accept()?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    Ok((socket, address))
}

fn is_of_the_connection(number: i32) -> bool {
    let aborted = matches!(number, libc::ECONNABORTED | libc::EPROTO);
    // accept(2): Linux hands on errors that are already pending on the new socket.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let aborted = aborted
        || matches!(
            number,
            libc::ENETDOWN
                | libc::ENOPROTOOPT
                | libc::EHOSTDOWN
                | libc::ENONET
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::ECONNRESET
        );
    aborted
}

/// Receives once: how many bytes, and of how many that fitted.
pub fn receive(io: &System, target: &mut Target) -> Tried<(usize, usize)> {
    match target {
        Target::Host(buffer) => {
            let room = buffer.size();
            // SAFETY: `HostBuffer::new` was promised that these bytes are writable and nobody else's until the
            // operation ends; `MaybeUninit` asks nothing of what they hold.
            let bytes = unsafe { slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<MaybeUninit<u8>>(), room) };
            map(tried(|| io.recv(bytes)), |count| (count, room))
        }
        Target::Owned(list) => {
            let array = list.raw();
            let room = array.capacity() - array.len();
            let result = tried(|| io.recv(array.spare_capacity_mut()));
            if let Tried::Done(count) = &result {
                // SAFETY: the system has written `count` bytes of the spare capacity.
                unsafe { array.set_len(array.len() + count) };
            }
            map(result, |count| (count, room))
        }
    }
}

fn map<T, U>(result: Tried<T>, change: impl FnOnce(T) -> U) -> Tried<U> {
    match result {
        Tried::Done(value) => Tried::Done(change(value)),
        Tried::Blocked => Tried::Blocked,
        Tried::Failed(error) => Tried::Failed(error),
    }
}

/// Sends once, from `sent` on and at most `limit` bytes: how many bytes went, and how many were offered.
pub fn send(io: &System, source: &Source, sent: usize, limit: usize, slices: &mut Slices) -> Tried<(usize, usize)> {
    match source {
        Source::Host(bytes) => send_bytes(io, &bytes.as_slice()[sent..], limit),
        Source::Owned(list, offset) => send_bytes(io, &list[offset + sent..], limit),
        Source::Vector(list) => send_vector(io, list, sent, limit, slices),
    }
}

fn send_bytes(io: &System, bytes: &[u8], limit: usize) -> Tried<(usize, usize)> {
    let bytes = &bytes[..bytes.len().min(limit)];
    map(tried(|| io.send_with_flags(bytes, NO_SIGNAL)), |count| (count, bytes.len()))
}

/// What is left of `list` behind its first `skip` bytes, without empty parts.
fn rest(list: &List<HostBytes>, mut skip: usize) -> impl Iterator<Item = &[u8]> {
    list.iter().filter_map(move |bytes| {
        let bytes = bytes.as_slice();
        let cut = skip.min(bytes.len());
        skip -= cut;
        (cut < bytes.len()).then(|| &bytes[cut..])
    })
}

fn send_vector(
    io: &System,
    list: &List<HostBytes>,
    sent: usize,
    limit: usize,
    slices: &mut Slices,
) -> Tried<(usize, usize)> {
    if slices.reserve(list.len().min(BUFFERS_MAX)).is_err() {
        // No memory for the list of slices: go on with one buffer at a time, which needs none.
        return send_bytes(io, rest(list, sent).next().unwrap_or(&[]), limit);
    }
    let mut offered = 0;
    for bytes in rest(list, sent).take(BUFFERS_MAX) {
        let bytes = &bytes[..bytes.len().min(limit - offered)];
        // SAFETY: the list of slices is emptied before this function returns, and the host's bytes stay until the
        // operation has ended: the longer lifetime is never made use of.
        let slice: &'static [u8] = unsafe { slice::from_raw_parts(bytes.as_ptr(), bytes.len()) };
        offered += bytes.len();
        if slices.push(IoSlice::new(slice)).is_err() || offered == limit {
            break;
        }
    }
    let result = tried(|| io.send_vectored_with_flags(slices, NO_SIGNAL));
    slices.clear();
    map(result, |count| (count, offered))
}

/// The address on this side.
pub fn local_address(io: &System) -> Result<rota_address> {
    io.local_addr().map(|address| from_system(&address)).map_err(|error| from_io(&error))
}

/// The address on the other side.
pub fn peer_address(io: &System) -> Result<rota_address> {
    io.peer_addr().map(|address| from_system(&address)).map_err(|error| from_io(&error))
}

/// Ends the writing side.
pub fn shutdown(io: &System) -> Result<()> {
    io.shutdown(std::net::Shutdown::Write).map_err(|error| from_io(&error))
}

/// Makes closing the socket reset the connection.
pub fn reset_on_close(io: &System) {
    // Where it fails there is no connection to reset.
    let _ = io.set_linger(Some(Duration::ZERO));
}

/// Nagle's algorithm off or on.
pub fn set_no_delay(io: &System, on: bool) -> Result<()> {
    io.set_tcp_nodelay(on).map_err(|error| from_io(&error))
}

/// Probes of a silent peer; the system counts in whole seconds.
pub fn set_keep_alive(io: &System, on: bool, idle_ns: u64) -> Result<()> {
    let set = || {
        io.set_keepalive(on)?;
        if on && idle_ns > 0 {
            let idle = Duration::from_secs(idle_ns.div_ceil(1_000_000_000).min(i16::MAX as u64));
            io.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
        }
        Ok(())
    };
    set().map_err(|error: io::Error| from_io(&error))
}
