"""Which addresses notifications may be sent to: protection against server-side request forgery.

A host name is resolved once, every address is checked, and the connection goes to a checked
address: a name that resolves to something else a moment later (DNS rebinding) gains nothing.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from streamwatch.services.notifications.time_limit import TimeLimitExceeded, run_with_limit

RESOLVE_SECONDS = 5.0

_UNICAST = IPv6Network("2000::/3")
"""The part of IPv6 that global addresses are assigned from. Some addresses outside of it stand for
IPv4 addresses, or are local ones, which `is_global` does not know."""

_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = {ip_address("168.63.129.16")}
"""Addresses of the public internet that a cloud answers itself: Azure's. Those of other clouds are
link-local, private, or in a block for special purposes, as is Oracle's 192.0.0.192."""

_SPECIAL = [ip_network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")]
"""Blocks that IANA's registries of special purposes keep from public hosts, and that `is_global` of
some versions of Python does not know, or not as a whole: protocol assignments, 6to4 relays,
documentation."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text. Raises OSError or UnicodeError where there are none."""


class AddressError(Exception):
    """The host cannot be sent to. The text names the host, never the whole URL."""


class UnresolvedHost(AddressError):
    """The name has no address."""


class ForbiddenAddress(AddressError):
    """An address is not a public one."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the system's resolver answers, without duplicates."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Resolves and checks hosts. With `allow_private` every address is allowed."""

    allow_private: bool = False
    resolve: Resolve = system_addresses

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """The checked addresses of a host. Raises AddressError, within RESOLVE_SECONDS."""
        try:
            found = run_with_limit(lambda: self.resolve(host, port), RESOLVE_SECONDS)
        except (OSError, UnicodeError, TimeLimitExceeded) as error:
            raise UnresolvedHost(f"the host {host} does not resolve") from error
        if not found:
            raise UnresolvedHost(f"the host {host} does not resolve")
        if not self.allow_private:
            for address in found:
                _check(host, address)
        return found


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address, and the IPv4 address that it may stand for, is a global one of the public
    internet."""
    embedded = _embedded(address)
    if embedded is not None and not is_public(embedded):
        return False
    if isinstance(address, IPv6Address) and address not in _UNICAST and address not in _NAT64:
        return False
    if address in _METADATA or any(address in block for block in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def _check(host: str, address: str) -> None:
    parsed = ip_address(address.partition("%")[0])
    if not is_public(parsed):
        raise ForbiddenAddress(
            f"the host {host} has the address {parsed}, which is not a public one;"
            " set NOTIFICATIONS_ALLOW_PRIVATE=true to allow it"
        )


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address within a mapped, 6to4, Teredo or NAT64 address."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
