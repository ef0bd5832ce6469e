"""Which addresses we may connect to: the guard against being sent to places that only we can reach.

The platform's own registries may well be on loopback or private addresses; those that a workspace brings may
not. Some addresses are nobody's registry, ever: link-local ones, among them the metadata services of clouds,
hand out credentials of the machine that asks.

Names are checked where they are resolved (`GuardedResolver`), and what was checked is what is connected to.
Numbers in a URL never reach a resolver, so `AddressPolicy.check_url` looks at each URL before it is used.
"""

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from registry_clients.endpoint import shown_host
from registry_clients.errors import AddressRefused

IpAddress = IPv4Address | IPv6Address

# Shared address space (RFC 6598): carriers and clusters use it as private.
_SHARED = IPv4Network("100.64.0.0/10")

# Metadata services that are not link-local: Alibaba Cloud's, Amazon's by IPv6, Oracle's, Azure's.
_METADATA = (
    IPv4Address("100.100.100.200"),
    IPv6Address("fd00:ec2::254"),
    IPv4Address("192.0.0.192"),
    IPv4Address("168.63.129.16"),
)

# Not covered by the attributes of `ipaddress` on every Python: "this network", RFC 6666, site-local.
_REFUSED_NETWORKS = (IPv4Network("0.0.0.0/8"), IPv6Network("100::/64"), IPv6Network("fec0::/10"))

_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_V4_COMPATIBLE = IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses are allowed besides public ones. What is nobody's registry is refused always."""

    allows_loopback: bool = True
    allows_private: bool = True

    def allows(self, address: IpAddress) -> bool:
        """Say whether we may connect to an address, whatever form it hides in."""
        embedded = _embedded_ipv4(address)
        if embedded is not None:
            return self.allows(embedded)
        if address in _METADATA or any(address in network for network in _REFUSED_NETWORKS):
            return False
        # Order matters: loopback is private to `ipaddress`, and ::1 is reserved.
        if address.is_loopback:
            return self.allows_loopback
        if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
            return False
        if address.is_private or address in _SHARED:
            return self.allows_private
        return True

    def check_url(self, url: URL) -> None:
        """Raise AddressRefused when the host of a URL is a forbidden IP address; names pass."""
        host = url.raw_host or ""
        address = _address_of(host)
        if address is not None and not self.allows(address):
            raise AddressRefused.at(shown_host(url))


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses those that lead to a forbidden address.

    One forbidden address among several refuses the name: a name that mixes them is a trick or a mistake.
    """

    def __init__(self, resolver: AbstractResolver, policy: AddressPolicy) -> None:
        self._resolver = resolver
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises AddressRefused, or OSError when there are none."""
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            address = _address_of(result["host"])
            if address is None or not self._policy.allows(address):
                raise AddressRefused.at(host)
        return results

    async def close(self) -> None:
        """Close the resolver beneath."""
        await self._resolver.close()


def _address_of(host: str) -> IpAddress | None:
    try:
        # A zone (fe80::1%eth0, escaped as %25 in a URL) says by which interface, not which address.
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _embedded_ipv4(address: IpAddress) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 and 6to4 forms."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or address in _NAT64_LOCAL:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    # ::1 and :: are inside ::/96 and mean themselves.
    if address in _V4_COMPATIBLE and int(address) > 1:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return None
