//! IP addresses and networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Function, Overload, Ty, global, member, overload, reader};
use crate::policy::condition::fault::Fault;
use crate::policy::condition::value::Value;

/// An address and how many of its bits name the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy::condition) struct Cidr {
    address: IpAddr,
    bits: u8,
}

const TEST: &[Overload] = &[overload(&[Ty::Ip], Ty::Bool)];
const READ: &[Overload] = &[overload(&[Ty::Text], Ty::Bool)];

pub(super) const FUNCTIONS: &[Function] = &[
    reader("ip", &[overload(&[Ty::Text], Ty::Ip)], |_, arguments| match arguments {
        [Value::Text(text)] => Ok(Value::Ip(parse_ip(text.as_str())?)),
        _ => Err(Fault::Overload),
    }),
    global("isIP", READ, |_, arguments| match arguments {
        [Value::Text(text)] => Ok(Value::Bool(parse_ip(text.as_str()).is_ok())),
        _ => Err(Fault::Overload),
    }),
    global("ip.isCanonical", READ, |_, arguments| match arguments {
        [Value::Text(text)] => Ok(Value::Bool(parse_ip(text.as_str())?.to_string() == text.as_str())),
        _ => Err(Fault::Overload),
    }),
    member(
        "family",
        &[overload(&[Ty::Ip], Ty::Int)],
        |_, arguments| match arguments {
            [Value::Ip(address)] => Ok(Value::Int(if address.is_ipv4() { 4 } else { 6 })),
            _ => Err(Fault::Overload),
        },
    ),
    member("isUnspecified", TEST, |_, arguments| {
        test(arguments, IpAddr::is_unspecified)
    }),
    member("isLoopback", TEST, |_, arguments| test(arguments, IpAddr::is_loopback)),
    member("isLinkLocalMulticast", TEST, |_, arguments| {
        test(arguments, is_link_local_multicast)
    }),
    member("isLinkLocalUnicast", TEST, |_, arguments| {
        test(arguments, is_link_local_unicast)
    }),
    member("isGlobalUnicast", TEST, |_, arguments| {
        test(arguments, is_global_unicast)
    }),
    reader(
        "cidr",
        &[overload(&[Ty::Text], Ty::Cidr)],
        |_, arguments| match arguments {
            [Value::Text(text)] => Ok(Value::Cidr(parse_cidr(text.as_str())?)),
            _ => Err(Fault::Overload),
        },
    ),
    global("isCIDR", READ, |_, arguments| match arguments {
        [Value::Text(text)] => Ok(Value::Bool(parse_cidr(text.as_str()).is_ok())),
        _ => Err(Fault::Overload),
    }),
    member(
        "containsIP",
        &[
            overload(&[Ty::Cidr, Ty::Ip], Ty::Bool),
            overload(&[Ty::Cidr, Ty::Text], Ty::Bool),
        ],
        |_, arguments| match arguments {
            [Value::Cidr(network), Value::Ip(address)] => Ok(Value::Bool(network.contains(*address))),
            [Value::Cidr(network), Value::Text(text)] => Ok(Value::Bool(network.contains(parse_ip(text.as_str())?))),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "containsCIDR",
        &[
            overload(&[Ty::Cidr, Ty::Cidr], Ty::Bool),
            overload(&[Ty::Cidr, Ty::Text], Ty::Bool),
        ],
        |_, arguments| match arguments {
            [Value::Cidr(network), Value::Cidr(inner)] => Ok(Value::Bool(network.contains_network(*inner))),
            [Value::Cidr(network), Value::Text(text)] => {
                Ok(Value::Bool(network.contains_network(parse_cidr(text.as_str())?)))
            }
            _ => Err(Fault::Overload),
        },
    ),
    member("ip", &[overload(&[Ty::Cidr], Ty::Ip)], |_, arguments| match arguments {
        [Value::Cidr(network)] => Ok(Value::Ip(network.address)),
        _ => Err(Fault::Overload),
    }),
    member(
        "masked",
        &[overload(&[Ty::Cidr], Ty::Cidr)],
        |_, arguments| match arguments {
            [Value::Cidr(network)] => Ok(Value::Cidr(network.masked())),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "prefixLength",
        &[overload(&[Ty::Cidr], Ty::Int)],
        |_, arguments| match arguments {
            [Value::Cidr(network)] => Ok(Value::Int(network.bits.into())),
            _ => Err(Fault::Overload),
        },
    ),
];

fn test<'v>(arguments: &[Value<'v>], test: impl Fn(&IpAddr) -> bool) -> Result<Value<'v>, Fault> {
    match arguments {
        [Value::Ip(address)] => Ok(Value::Bool(test(address))),
        _ => Err(Fault::Overload),
    }
}

fn is_link_local_multicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => address.segments().first().is_some_and(|first| first & 0xff0f == 0xff02),
    }
}

fn is_link_local_unicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_global_unicast(address: &IpAddr) -> bool {
    let broadcast = *address == IpAddr::V4(Ipv4Addr::BROADCAST);
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !broadcast && !special && !is_link_local_unicast(address)
}

fn parse_ip(text: &str) -> Result<IpAddr, Fault> {
    let wrong = || Fault::new("the text is no IP address");
    let address: IpAddr = text.parse().map_err(|_| wrong())?;
    match address {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_some() => {
            Err(Fault::new("an IPv4 address mapped into IPv6 is not allowed"))
        }
        address => Ok(address),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, Fault> {
    let wrong = || Fault::new("the text is no network: write it as in `10.0.0.0/8`");
    let (address, bits) = text.rsplit_once('/').ok_or_else(wrong)?;
    let address = parse_ip(address)?;
    let plain = bits.bytes().all(|byte| byte.is_ascii_digit()) && (bits.len() == 1 || !bits.starts_with('0'));
    let bits: u8 = bits.parse().map_err(|_| wrong())?;
    if !plain || bits > width(address) {
        return Err(wrong());
    }
    Ok(Cidr { address, bits })
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn as_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Cidr {
    /// The bits that name a host, as ones.
    fn host_bits(self) -> u128 {
        let host = u32::from(width(self.address) - self.bits);
        1_u128.checked_shl(host).map_or(u128::MAX, |bit| bit - 1)
    }

    fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && (as_bits(self.address) ^ as_bits(address)) & !self.host_bits() == 0
    }

    fn contains_network(self, inner: Self) -> bool {
        self.bits <= inner.bits && self.contains(inner.address)
    }

    fn masked(self) -> Self {
        let bits = as_bits(self.address) & !self.host_bits();
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(0))),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        Self { address, ..self }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}
