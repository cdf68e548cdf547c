"""Which addresses a result may be fetched from: public ones only. Pure, but for `look_up`."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Takes a host name and a port, gives its addresses as texts; raises OSError if there are none."""

# Addresses of the IPv6 internet that is there; ipaddress calls more than this global.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
# Ranges that ipaddress of Python 3.11 takes for global.
_SPECIAL: Final = (
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("192.88.99.0/24"),
    ipaddress.ip_network("100.64.0.0/10"),
    ipaddress.ip_network("2001::/23"),
    ipaddress.ip_network("2001:db8::/32"),
    ipaddress.ip_network("3fff::/20"),
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system's resolver gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def literal(host: str) -> IPAddress | None:
    """The address that a host is already, also in the odd forms that resolvers take; else None."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # 127.1, 0x7f.0.0.1 and 2130706433 are addresses to a resolver.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def is_local_name(host: str) -> bool:
    """Whether the name means this machine or its network by definition."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith((".localhost", ".local", ".internal"))


def innermost(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: IPAddress) -> bool:
    """Whether the address is one host of the public internet."""
    inner = innermost(address)
    if isinstance(inner, ipaddress.IPv6Address) and inner not in _UNICAST:
        return False
    # is_global alone is true for multicast.
    return (
        inner.is_global
        and not inner.is_multicast
        and not inner.is_reserved
        and not any(inner in network for network in _SPECIAL)
    )


def is_loopback(address: IPAddress) -> bool:
    """Whether the address is this machine."""
    return innermost(address).is_loopback
