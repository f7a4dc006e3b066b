//! An internet address as a plain value, read from text and written as text.

use super::status::{rota_status, Result};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An internet address and port. Plain data: copy it, compare it, keep it.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct rota_address {
    /// In network order; an IPv4 address in the first four, the rest zero.
    pub bytes: [u8; 16],
    /// The interface's number for an IPv6 address that is local to a link, else 0.
    pub scope: u32,
    /// In the machine's own order.
    pub port: u16,
    /// ROTA_FAMILY_IPV4 or ROTA_FAMILY_IPV6.
    pub family: u8,
    /// Zero.
    pub reserved: u8,
}

/// Either family.
pub const ROTA_FAMILY_ANY: u32 = 0;
/// IPv4.
pub const ROTA_FAMILY_IPV4: u32 = 4;
/// IPv6.
pub const ROTA_FAMILY_IPV6: u32 = 6;

impl rota_address {
    /// The address of an IP address, a port, and the scope of a link-local one.
    pub fn new(ip: IpAddr, port: u16, scope: u32) -> Self {
        let mut bytes = [0; 16];
        let family = match ip {
            IpAddr::V4(ip) => {
                bytes[..4].copy_from_slice(&ip.octets());
                ROTA_FAMILY_IPV4
            }
            IpAddr::V6(ip) => {
                bytes = ip.octets();
                ROTA_FAMILY_IPV6
            }
        };
        rota_address { bytes, scope, port, family: family as u8, reserved: 0 }
    }

    /// The IP address, if the family is one we know.
    pub fn ip(&self) -> Option<IpAddr> {
        match u32::from(self.family) {
            ROTA_FAMILY_IPV4 => {
                let [a, b, c, d, ..] = self.bytes;
                Some(Ipv4Addr::new(a, b, c, d).into())
            }
            ROTA_FAMILY_IPV6 => Some(Ipv6Addr::from(self.bytes).into()),
            _ => None,
        }
    }

    /// Whether it is an IPv6 address.
    pub fn is_ipv6(&self) -> bool {
        u32::from(self.family) == ROTA_FAMILY_IPV6
    }

    /// Reads "127.0.0.1", "::1", "[::1]" or "fe80::1%2" (the scope as a number).
    pub fn parse(text: &str, port: u16) -> Result<Self> {
        let wrong = rota_status::ROTA_ERR_ADDRESS;
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let (ip, scope) = match bare.split_once('%') {
            Some((ip, scope)) => (ip, scope.parse::<u32>().map_err(|_| wrong)?),
            None => (bare, 0),
        };
        let ip: IpAddr = ip.parse().map_err(|_| wrong)?;
        if ip.is_ipv4() && bare.len() != text.len() || ip.is_ipv4() && scope != 0 {
            return Err(wrong.into());
        }
        Ok(rota_address::new(ip, port, scope))
    }
}

impl fmt::Display for rota_address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            Some(IpAddr::V4(ip)) => write!(out, "{ip}:{}", self.port),
            Some(IpAddr::V6(ip)) if self.scope != 0 => write!(out, "[{ip}%{}]:{}", self.scope, self.port),
            Some(IpAddr::V6(ip)) => write!(out, "[{ip}]:{}", self.port),
            None => write!(out, "?:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_in_and_comes_out() {
        for (text, shown) in
            [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("[::1]", "[::1]:80"), ("fe80::1%2", "[fe80::1%2]:80")]
        {
            assert_eq!(rota_address::parse(text, 80).unwrap().to_string(), shown);
        }
        for text in ["", "localhost", "1.2.3", "[127.0.0.1]", "1.2.3.4%1", "::1%x", "[::1", "1.2.3.4:5"] {
            assert_eq!(rota_address::parse(text, 80).unwrap_err().status, rota_status::ROTA_ERR_ADDRESS, "{text}");
        }
    }
}
