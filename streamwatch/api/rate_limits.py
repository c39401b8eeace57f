"""Who is asking, and whether they have asked for enough."""

import hashlib
from contextlib import AbstractContextManager
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from flask import Flask, request

from streamwatch.api import auth
from streamwatch.api.context import services
from streamwatch.settings import WEBHOOK_PATH

_UNLIMITED = ("/health", WEBHOOK_PATH)
"""Twitch and whoever watches the service: they come as often as they must."""

_NETWORK_BITS = 64
"""What one IPv6 customer has at least, and may take any address of (RFC 6177)."""


def register(app: Flask) -> None:
    app.before_request(_check)


def is_limited(path: str) -> bool:
    """Whether a client may ask for `path` only so often."""
    return not any(auth.is_under(path, root) for root in _UNLIMITED)


def lookup(calls: int = 1) -> AbstractContextManager[None]:
    """Around what lets Twitch be asked for this request's client, about so many times."""
    return services().rate_limits.lookup(client_id(), calls)


def _check() -> None:
    if services().settings.rate_limit and is_limited(request.path):
        services().rate_limits.request(client_id())


def client_id() -> str:
    """The client of this request: a key by its hash, else an address."""
    key = auth.shown_key()
    if key is not None:
        return f"key:{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return f"address:{_network(request.remote_addr or '')}"


@lru_cache
def _network(address: str) -> str:
    """What one client has: an IPv4 address, or a network of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:  # a proxy that passes on what a client wrote; all such are one
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _NETWORK_BITS), strict=False))
