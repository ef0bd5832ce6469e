"""Which addresses may be connected to."""

import asyncio
import ipaddress
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from registry_clients.addresses import AddressPolicy, GuardedResolver
from registry_clients.errors import AddressRefused

EVERYTHING = AddressPolicy()
PUBLIC_ONLY = AddressPolicy(allows_loopback=False, allows_private=False)

NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "fd00:ec2::254",
    "192.0.0.192",
    "168.63.129.16",
    "fe80::1",
    "fec0::1",
    "0.0.0.0",  # noqa: S104 - refused, not bound
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    # The same in disguise: v4-mapped, v4-compatible, NAT64, NAT64 of a site, 6to4.
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b::6464:64c8",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2002:a9fe:a9fe::1",
]
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "fd00::1",
    "::ffff:10.0.0.1",
]
PUBLIC = ["8.8.8.8", "100.63.255.255", "100.128.0.1", "2606:4700::1", "64:ff9b::8.8.8.8", "2002:808:808::"]


@pytest.mark.parametrize(
    ("addresses", "by_everything", "by_public_only"),
    [(NEVER, False, False), (LOOPBACK, True, False), (PRIVATE, True, False), (PUBLIC, True, True)],
)
def test_each_address_has_its_answer(addresses: list[str], by_everything: bool, by_public_only: bool) -> None:
    for text in addresses:
        address = ipaddress.ip_address(text)
        assert (text, EVERYTHING.allows(address)) == (text, by_everything)
        assert (text, PUBLIC_ONLY.allows(address)) == (text, by_public_only)


def test_loopback_and_private_are_apart() -> None:
    only_private = AddressPolicy(allows_loopback=False)
    assert not only_private.allows(ipaddress.ip_address("127.0.0.1"))
    assert only_private.allows(ipaddress.ip_address("10.0.0.1"))
    only_loopback = AddressPolicy(allows_private=False)
    assert only_loopback.allows(ipaddress.ip_address("127.0.0.1"))
    assert not only_loopback.allows(ipaddress.ip_address("10.0.0.1"))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("http://[::ffff:169.254.169.254]:8080/", "[::ffff:a9fe:a9fe]:8080"),
        ("http://[fe80::1%25eth0]/", "[fe80::1%eth0]"),
    ],
)
def test_a_number_in_a_url_is_refused_and_named_as_typed(url: str, host: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        EVERYTHING.check_url(URL(url))
    assert caught.value.message == f"Connections to {host} are not allowed from here."


def test_a_name_in_a_url_is_left_to_the_resolver() -> None:
    PUBLIC_ONLY.check_url(URL("http://localhost:5000"))


class _Names(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.is_closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        self.is_closed = True


def test_a_name_gives_the_addresses_that_were_checked() -> None:
    names = _Names("10.0.0.1", "10.0.0.2")
    resolver = GuardedResolver(names, EVERYTHING)
    results = asyncio.run(resolver.resolve("registry.test", 5000))
    assert [result["host"] for result in results] == ["10.0.0.1", "10.0.0.2"]
    asyncio.run(resolver.close())
    assert names.is_closed


@pytest.mark.parametrize("addresses", [("169.254.169.254",), ("8.8.8.8", "169.254.169.254"), ("fe80::1%eth0",)])
def test_one_forbidden_address_refuses_the_name(addresses: tuple[str, ...]) -> None:
    resolver = GuardedResolver(_Names(*addresses), EVERYTHING)
    with pytest.raises(AddressRefused) as caught:
        asyncio.run(resolver.resolve("registry.test", 5000))
    assert caught.value.message == "Connections to registry.test are not allowed from here."
