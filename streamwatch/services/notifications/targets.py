"""Checks a target when it is set: its host, its addresses, its Apprise scheme."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from streamwatch.domain.notifications.models import TargetKind
from streamwatch.domain.notifications.validation import InvalidNotification
from streamwatch.services.notifications.addresses import AddressError, AddressPolicy
from streamwatch.services.notifications.http import host_of, port_of
from streamwatch.services.notifications.senders.apprise_schemes import (
    NOT_INSTALLED,
    fault_of,
    host_in,
)


def check_target(kind: TargetKind, url: str, policy: AddressPolicy) -> None:
    """Raise InvalidNotification where the target cannot be sent to: its host does not resolve, has
    a private address, or its Apprise scheme or an argument is not taken."""
    fault = _apprise_fault(url, policy) if kind is TargetKind.APPRISE else _http_fault(url, policy)
    if fault:
        raise InvalidNotification({"url": fault})


def _http_fault(url: str, policy: AddressPolicy) -> str | None:
    parts = urlsplit(url)
    try:
        policy.addresses(host_of(parts), port_of(parts))
    except AddressError as error:
        return _sentence(str(error))
    return None


def _apprise_fault(url: str, policy: AddressPolicy) -> str | None:
    if find_spec("apprise") is None:
        return NOT_INSTALLED
    fault = fault_of(url, any_scheme=policy.allow_private)
    if fault:
        return _sentence(fault)
    host = host_in(url)
    if host is None:
        return None
    try:
        policy.addresses(host, 443)
    except AddressError as error:
        return _sentence(str(error))
    return None


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
