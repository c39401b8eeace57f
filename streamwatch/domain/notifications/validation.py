"""Validates the settings of a notification."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import time
from typing import Any
from urllib.parse import urlsplit

from streamwatch.domain.notifications.models import (
    CHANGES,
    DEFAULT_CHANGES,
    DEFAULT_COOLDOWN_MINUTES,
    EVENT_TYPES,
    Document,
    TargetKind,
)
from streamwatch.domain.notifications.texts import (
    MAX_TEMPLATE_LENGTH,
    InvalidTemplate,
    check_template,
)
from streamwatch.domain.tags import NOT_A_TAG, TAG
from streamwatch.domain.times import time_zones

MAX_NAME_LENGTH = 80
MAX_URL_LENGTH = 2000
MAX_FILTER_ENTRIES = 100
MAX_ENTRY_LENGTH = 100
MAX_COOLDOWN_MINUTES = 1440

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_DISCORD_HOST = re.compile(r"(?:(?:ptb|canary)\.)?(?:discord|discordapp)\.com")
_DISCORD_PATH = re.compile(r"/api/(?:v\d+/)?webhooks/\d+/[\w-]+/?", re.ASCII)

DEFAULTS: Document = {
    "name": None,
    "enabled": True,
    "events": list(EVENT_TYPES),
    "streamers": [],
    "tags": [],
    "categories": [],
    "title_contains": [],
    "changed": list(DEFAULT_CHANGES),
    "cooldown_minutes": DEFAULT_COOLDOWN_MINUTES,
    "quiet_hours": None,
    "template": None,
}
"""The values of settings that are not given. `kind` and `url` have no default, and the default name
is made of them."""

FIELDS = ("name", "kind", "url", *(field for field in DEFAULTS if field != "name"))


class InvalidNotification(Exception):
    """The settings of a notification are invalid; `faults` says why, by field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{field}: {fault}" for field, fault in faults.items()))
        self.faults = dict(faults)


NOT_UNICODE = "Has a character that is not valid in Unicode."

Check = Callable[[Any], str | None]
"""Returns the fault of a value; None if it is valid."""


def check(settings: Mapping[str, Any], *, allow_private: bool) -> None:
    """Raise InvalidNotification unless all FIELDS of `settings` are valid. Does not check whether
    streamers and hosts exist."""
    faults = find_faults(settings, allow_private=allow_private)
    if faults:
        raise InvalidNotification(faults)


def find_faults(settings: Mapping[str, Any], *, allow_private: bool) -> dict[str, str]:
    """The faults of `settings`, by field."""
    return dict(_faults(settings, allow_private=allow_private))


def default_name(kind: TargetKind, url: str) -> str:
    """A name made of the kind and the host, or the service of Apprise."""
    where = url.partition("://")[0] if kind is TargetKind.APPRISE else urlsplit(url).hostname
    return f"{kind.capitalize()} {where}"[:MAX_NAME_LENGTH]


def _faults(settings: Mapping[str, Any], *, allow_private: bool) -> Iterator[tuple[str, str]]:
    for field in settings:
        if field not in FIELDS:
            yield field, "Unknown field."
    for field in FIELDS:
        fault = "Missing." if field not in settings else _CHECKS[field](settings[field])
        if fault:
            yield field, fault
    kind = settings.get("kind")
    if kind == TargetKind.WEBHOOK and settings.get("template") is not None:
        yield "template", "A webhook sends JSON: only discord and apprise have a template."
    if kind == TargetKind.DISCORD and not allow_private and not _is_discord(settings.get("url")):
        yield "url", "Not the URL of a Discord webhook (https://discord.com/api/webhooks/…)."
    schemes = ("http", "https")
    if kind in (TargetKind.WEBHOOK, TargetKind.DISCORD) and _scheme(settings) not in schemes:
        yield "url", "Not a URL that starts with http:// or https://."


def _scheme(settings: Mapping[str, Any]) -> str:
    return str(settings.get("url")).partition("://")[0].lower()


def _is_discord(url: Any) -> bool:
    try:
        parts = urlsplit(str(url))
        port = parts.port
    except ValueError:
        return False
    is_host = _DISCORD_HOST.fullmatch(parts.hostname or "") is not None
    return bool(
        parts.scheme == "https"
        and is_host
        and port in (None, 443)
        and _DISCORD_PATH.fullmatch(parts.path)
    )


def _name_fault(value: Any) -> str | None:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= MAX_NAME_LENGTH:
        return f"Not a text of 1 to {MAX_NAME_LENGTH} characters."
    return None if value.isprintable() else "Has a character that cannot be printed."


def _kind_fault(value: Any) -> str | None:
    is_kind = isinstance(value, str) and value in set(TargetKind)
    return None if is_kind else f"Not one of {', '.join(TargetKind)}."


def _url_fault(value: Any) -> str | None:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_URL_LENGTH:
        return f"Not a URL of at most {MAX_URL_LENGTH} characters."
    if not value.isprintable() or " " in value or "://" not in value:
        return "Not a URL."
    try:
        urlsplit(value)
    except ValueError:
        return "Not a URL."
    return None


def _enabled_fault(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Not true or false."


def _choices_check(known: tuple[str, ...], *, may_be_empty: bool) -> Check:
    def fault(value: Any) -> str | None:
        if not isinstance(value, list | tuple) or any(entry not in known for entry in value):
            return f"Not a list of {', '.join(known)}."
        return None if value or may_be_empty else f"Empty; choose from {', '.join(known)}."

    return fault


def _entries_fault(value: Any) -> str | None:
    if not isinstance(value, list | tuple) or len(value) > MAX_FILTER_ENTRIES:
        return f"Not a list of at most {MAX_FILTER_ENTRIES} texts."
    for entry in value:
        if not isinstance(entry, str) or not 1 <= len(entry) <= MAX_ENTRY_LENGTH:
            return f"Not a list of texts of 1 to {MAX_ENTRY_LENGTH} characters."
        if not _is_unicode(entry):
            return NOT_UNICODE
    return None


def _tags_fault(value: Any) -> str | None:
    fault = _entries_fault(value)
    if fault:
        return fault
    wrong = [tag for tag in value if not TAG.fullmatch(tag)]
    return f"{wrong[0][:64]!r}: {NOT_A_TAG}" if wrong else None


def _cooldown_fault(value: Any) -> str | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and 0 <= value <= MAX_COOLDOWN_MINUTES:
        return None
    return f"Not a whole number from 0 to {MAX_COOLDOWN_MINUTES}."


def _quiet_hours_fault(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"start", "end", "tz"}:
        return "Not null or {start, end, tz}."
    for field in ("start", "end"):
        if not isinstance(value[field], str) or not CLOCK.fullmatch(value[field]):
            return f"{field} is not a time like 23:00."
    if time.fromisoformat(value["start"]) == time.fromisoformat(value["end"]):
        return "start and end are equal."
    if not isinstance(value["tz"], str) or value["tz"] not in time_zones():
        return "tz is not a time zone like Europe/Berlin."
    return None


def _template_fault(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEMPLATE_LENGTH:
        return f"Not null or a text of 1 to {MAX_TEMPLATE_LENGTH} characters."
    if not _is_unicode(value):
        return NOT_UNICODE
    try:
        check_template(value)
    except InvalidTemplate as error:
        return str(error)
    return None


def _is_unicode(text: str) -> bool:
    """Whether `text` has no half of a surrogate pair, which UTF-8 cannot encode. An argument of a
    command has some where it is not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


_CHECKS: dict[str, Check] = {
    "name": _name_fault,
    "kind": _kind_fault,
    "url": _url_fault,
    "enabled": _enabled_fault,
    "events": _choices_check(EVENT_TYPES, may_be_empty=False),
    "streamers": _entries_fault,
    "tags": _tags_fault,
    "categories": _entries_fault,
    "title_contains": _entries_fault,
    "changed": _choices_check(CHANGES, may_be_empty=True),
    "cooldown_minutes": _cooldown_fault,
    "quiet_hours": _quiet_hours_fault,
    "template": _template_fault,
}
