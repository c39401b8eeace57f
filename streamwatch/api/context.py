"""What views use: the services of the application, and the client of the request."""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app, request

if TYPE_CHECKING:
    from streamwatch.bootstrap import Services

_KEY = "streamwatch"

_NETWORK_BITS = 64
"""A customer with IPv6 has at least a /64, and may use any address of it (RFC 6177)."""


def provide(app: Flask, services: "Services") -> None:
    """Let the views of `app` use these services."""
    app.extensions[_KEY] = services


def services() -> "Services":
    """The services of the application that answers this request."""
    return cast("Services", current_app.extensions[_KEY])


def tagged(tag: str | None) -> Collection[str] | None:
    """The user ids of the streamers with `tag`. Without a tag None: all streamers."""
    return None if tag is None else services().tags.user_ids(tag)


def client_address() -> str:
    """The client of this request by its address: IPv4, or the /64 network of IPv6."""
    return f"address:{_network(request.remote_addr or '')}"


@lru_cache
def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:  # written by the client and passed on by a proxy: all such are one client
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _NETWORK_BITS), strict=False))
