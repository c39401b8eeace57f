"""The types that a variable's value can have: how environs parses it, and what is allowed."""

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLACEHOLDER = re.compile(
    r"<.*>|\*+|x+|0+|(change|replace|insert|put|your|example|placeholder|todo)[\w .-]*"
    r"|(my[-_ ]?|api[-_ ]?|webhook[-_ ]?|super[-_ ]?)*(secret|password|key)([-_ ]*here)?",
    re.IGNORECASE | re.ASCII,
)
TEXT = re.compile(r"[!-~]+", re.ASCII)
"""Printable ASCII without spaces."""

_ORIGIN = re.compile(
    r"https?://(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?", re.ASCII
)
_FRAME_ANCESTOR = re.compile(
    r"'self'|\*|https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:(\d{1,5}|\*))?", re.ASCII
)
_HOSTNAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ValueType:
    """How a value is parsed and checked.

    `parser` names a method of environs.Env, called with `options`. `check` raises ValueError with
    the fault. `allowed` describes the allowed values in errors, and errors never contain the value
    of a `secret`. With `empty_counts` an empty variable is a value; otherwise it counts as absent.
    """

    parser: str
    check: Callable[[Any], None]
    allowed: str
    secret: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    empty_counts: bool = False


def _anything(_: object) -> None:
    """Accept what the parser accepts."""


BOOLEAN = ValueType("bool", _anything, "true or false")


def _check_path(value: Path) -> None:
    if str(value).startswith("~"):
        raise ValueError("only a shell expands ~")


PATH = ValueType("path", _check_path, "a folder's path")


def integer(low: int, high: int) -> ValueType:
    """A whole number between two bounds, both allowed."""

    def check(value: int) -> None:
        if not low <= value <= high:
            raise ValueError("out of range")

    return ValueType("int", check, f"a whole number from {low} to {high}")


def choice(*choices: str) -> ValueType:
    """One of these texts."""

    def check(value: str) -> None:
        if value not in choices:
            raise ValueError("not one of the allowed values")

    return ValueType("str", check, " or ".join(choices))


def member(enum: type[StrEnum]) -> ValueType:
    """A member of an enum, by its value."""
    options = {"enum": enum, "by_value": True}
    return ValueType("enum", _anything, " or ".join(enum), options=options)


def backend(group: str, builtin: Collection[str], allowed: str) -> ValueType:
    """The name of a built-in backend, or of a plug-in in the entry-point group `group`. Nothing is
    imported. `streamwatch.registry` finds the backend by the same names when it is built."""

    def check(value: str) -> None:
        if value in builtin:
            return
        known = {*builtin, *entry_points(group=group).names}
        if value not in known:
            raise ValueError(f"no such backend; known: {', '.join(sorted(known))}")

    return ValueType("str", check, allowed)


def text(pattern: re.Pattern[str], allowed: str, *, secret: bool = False) -> ValueType:
    """A text that matches the pattern as a whole."""

    def check(value: str) -> None:
        if not pattern.fullmatch(value):
            raise ValueError("wrong characters or length")

    return ValueType("str", check, allowed, secret)


def texts(
    check_item: Callable[[str], None],
    allowed: str,
    *,
    secret: bool = False,
    empty_counts: bool = False,
) -> ValueType:
    """A comma-separated list. `check_item` raises ValueError; the first fault is reported."""

    def check(values: list[str]) -> None:
        if not any(values) and not empty_counts:
            raise ValueError("no entries")
        for value in filter(None, values):
            check_item(value)

    return ValueType("list", check, allowed, secret, empty_counts=empty_counts)


def matches(pattern: re.Pattern[str]) -> Callable[[str], None]:
    """A check for an entry of a list. Its error contains the entry."""

    def check(value: str) -> None:
        if not pattern.fullmatch(value):
            raise ValueError(f"wrong: {value}")

    return check


def secret_text(shortest: int, longest: int, *, spaces: bool) -> Callable[[str], None]:
    """A check for an entry of a list of secrets. Its error does not contain the entry."""

    def check(value: str) -> None:
        characters = value.replace(" ", "") if spaces else value
        if not shortest <= len(value) <= longest or not TEXT.fullmatch(characters):
            raise ValueError("wrong length or characters")
        if PLACEHOLDER.fullmatch(value):
            raise ValueError("a placeholder, not a secret")

    return check


def origins(allowed: str, *, any_origin: bool = False, empty_counts: bool = False) -> ValueType:
    """Origins as browsers send them, and `*` where any origin may be allowed."""

    def check(value: str) -> None:
        if value == "*" and any_origin:
            return
        if not _ORIGIN.fullmatch(value.lower()):
            raise ValueError(f"wrong: {value}")

    return texts(check, allowed, empty_counts=empty_counts)


def frame_ancestors(allowed: str) -> ValueType:
    """Sources of the CSP directive frame-ancestors."""

    def check(value: str) -> None:
        if not _FRAME_ANCESTOR.fullmatch(value.lower()):
            raise ValueError(f"wrong: {value}")

    return texts(check, allowed)


def url(*schemes: str) -> ValueType:
    """A URL without credentials."""

    def check(value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or parts.port == 0:
            raise ValueError("wrong scheme, host or port")
        if parts.username is not None:
            raise ValueError("contains a user name")

    return ValueType("str", check, f"a URL that starts with {'://, '.join(schemes)}://")


def database_url(*schemes: str) -> ValueType:
    """A URL that may name several hosts and contain a user name and a password."""

    def check(value: str) -> None:
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in schemes:
            raise ValueError("wrong scheme")
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        credentials, _, hosts = authority.rpartition("@")
        unescaped = rest.count("@") > 1 or credentials.count(":") > 1
        if unescaped or "@" in rest[len(authority) :] or "#" in rest:
            raise ValueError("a special character in the user name or password is not escaped")
        if not hosts or not all(_is_host(host) for host in hosts.split(",")):
            raise ValueError("a host or port is wrong")

    allowed = (
        f"a URL that starts with {'://, '.join(schemes)}://,"
        " with / : @ # ? % in the user name or password written as %2F %3A %40 %23 %3F %25"
    )
    return ValueType("str", check, allowed, secret=True)


def _is_host(value: str) -> bool:
    """Whether this is HOST, HOST:PORT or [IPV6]:PORT; a Unix socket's path is escaped as a host."""
    host, _, port = value.rpartition(":") if re.search(r":\d+$", value) else (value, "", "")
    if port and not 0 < int(port) <= 65_535:  # noqa: PLR2004  the last port
        return False
    if host.startswith("["):
        return host.endswith("]")
    return re.fullmatch(r"[A-Za-z0-9._%-]+", host, re.ASCII) is not None


def check_host(value: str) -> None:
    """An address or a name to listen on."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not _HOSTNAME.fullmatch(value):
            raise ValueError("not an address") from None


HOST = ValueType("str", check_host, "an address or host name to listen on, such as 127.0.0.1")
