"""Which addresses are public."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hidream.addresses import (
    innermost,
    is_local_name,
    is_loopback,
    is_public,
    literal,
    look_up,
)
from tests.hidream.making import UNHURRIED

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.2.3",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::8.8.8.8", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1",
    "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "4000::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.0.1.1",
    "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_special_addresses_are_not_public(address: str) -> None:
    """Private, local, reserved and embedded ones are all known."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    """The internet can be reached."""
    assert is_public(ipaddress.ip_address(address))


@UNHURRIED
@given(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address))
def test_no_embedding_makes_an_address_public(address: ipaddress.IPv4Address) -> None:
    """An IPv6 form of an IPv4 address is public exactly if that is."""
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | int(address))
    nat64 = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(address))
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80))
    for form in (mapped, nat64, six_to_four):
        assert innermost(form) == address
        assert is_public(form) is is_public(address)
        assert is_loopback(form) is address.is_loopback


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("::1", "::1"),
        ("example.com", None),
        ("", None),
        ("bücher.example", None),
    ],
)
def test_odd_forms_of_addresses_are_addresses(host: str, address: str | None) -> None:
    """What a resolver would take for an address is one here too."""
    expected = None if address is None else ipaddress.ip_address(address)
    assert literal(host) == expected


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("printer.local", True),
        ("metadata.google.internal", True),
        ("local.example.com", False),
    ],
)
def test_names_that_are_local_by_definition(name: str, local: bool) -> None:
    """Some names never lead to the internet."""
    assert is_local_name(name) is local


async def test_a_host_is_looked_up() -> None:
    """The system's resolver is asked, each address given once."""
    found = await look_up("localhost", 80)
    assert len(found) == len(set(found))
    assert {"127.0.0.1", "::1"} & set(found)
    with pytest.raises(socket.gaierror):
        await look_up("no-such-host.invalid", 80)
