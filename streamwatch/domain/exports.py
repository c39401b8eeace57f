"""The export: a JSON document of the monitored streamers and of the notifications.

`export_document` writes it and `parse_export` reads it. An export with secrets that is imported
into an empty installation and exported again gives the same document.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from streamwatch.domain.logins import NOT_A_LOGIN, login_from
from streamwatch.domain.models import Streamer
from streamwatch.domain.notifications.exports import (
    exported_notification,
    notification_faults,
    notification_from,
)
from streamwatch.domain.notifications.models import Document, Notification
from streamwatch.domain.tags import InvalidTags, normalized
from streamwatch.domain.times import NOT_A_TIME, format_time, is_time, parse_time

VERSION = 1
MAX_IMPORT_BYTES = 16 * 1024 * 1024
MAX_FAULTS = 100
"""How many faults of a document are reported."""

MAX_LOOKUPS = 10_000
"""How many streamers without a user id one import may have. Looking them up takes 100 of the 800
calls a minute that Twitch allows."""

_USER_ID = re.compile(r"[0-9]{1,20}")
"""Twitch refuses a whole call, for up to 100 ids, if one of them has another form."""

_FIELDS = ("version", "streamers", "notifications")
_MAX_NAME_LENGTH = 256
_MAX_URL_LENGTH = 2000

Faults = Iterator[tuple[str, str]]
"""Pairs of a place in the document and what is wrong there."""


class InvalidExport(Exception):
    """A document cannot be imported; `faults` says why, by the place in the document."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{place}: {fault}" for place, fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Export:
    """The content of an export. `logins` are streamers without a user id, to be looked up."""

    streamers: list[Streamer]
    logins: list[str]
    notifications: list[Notification]


def export_document(
    streamers: Iterable[Streamer], notifications: Iterable[Notification], *, secrets: bool
) -> Document:
    """The export. Without `secrets`, the notifications have neither URLs nor signing secrets."""
    oldest_first = sorted(streamers, key=lambda streamer: streamer.position)
    return {
        "version": VERSION,
        "streamers": [_exported_streamer(streamer) for streamer in oldest_first],
        "notifications": [
            exported_notification(notification, secrets=secrets) for notification in notifications
        ],
    }


def parse_export(document: Any, now: datetime, *, allow_private: bool) -> Export:
    """The content of a document. Streamers without `added_at` get `now`. Raises InvalidExport with
    up to MAX_FAULTS faults."""
    faults = []
    for fault in _faults(document, allow_private=allow_private):
        faults.append(fault)
        if len(faults) == MAX_FAULTS:
            break
    if faults:
        raise InvalidExport(faults)
    entries = [_as_object(entry) for entry in document.get("streamers", [])]
    return Export(
        streamers=[_streamer_from(entry, now) for entry in entries if "user_id" in entry],
        logins=[_login_of(entry) for entry in entries if "user_id" not in entry],
        notifications=[
            notification_from(entry, now) for entry in document.get("notifications", [])
        ],
    )


def _faults(document: Any, *, allow_private: bool) -> Faults:
    if not isinstance(document, Mapping):
        yield "body", "Not a JSON object."
        return
    yield from ((str(field)[:64], "Unknown field.") for field in document if field not in _FIELDS)
    version = document.get("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        yield "version", f"Unknown. This StreamWatch reads version {VERSION}."
    for field in ("streamers", "notifications"):
        entries, known_ids = document.get(field, []), set[str]()
        if not isinstance(entries, list):
            yield field, "Not a list."
            continue
        if field == "streamers":
            yield from _too_many_logins(entries)
        for index, entry in enumerate(entries):
            if field == "streamers":
                faults = _streamer_faults(_as_object(entry))
            else:
                faults = notification_faults(entry, allow_private=allow_private)
            place = f"{field}.{index}"
            yield from ((f"{place}.{name}" if name else place, fault) for name, fault in faults)
            yield from _duplicate(place, entry, known_ids)


def _too_many_logins(entries: Sequence[Any]) -> Faults:
    """A fault if too many streamers would have to be looked up."""
    streamers = (_as_object(entry) for entry in entries)
    logins = sum(isinstance(entry, Mapping) and "user_id" not in entry for entry in streamers)
    if logins > MAX_LOOKUPS:
        yield "streamers", f"{logins:,} without a user id; at most {MAX_LOOKUPS:,} are allowed."


def _duplicate(place: str, entry: Any, known_ids: set[str]) -> Faults:
    """A fault if an entry has one of `known_ids`, the ids of earlier entries; adds its id."""
    if isinstance(entry, Mapping):
        field = "user_id" if "user_id" in entry else "id"
        if isinstance(entry.get(field), str):
            if entry[field] in known_ids:
                yield f"{place}.{field}", "The same as in an earlier entry."
            known_ids.add(entry[field])


def _exported_streamer(streamer: Streamer) -> Document:
    # The simulator's avatars have http:// URLs, which an import refuses; Twitch has them.
    image_url = streamer.profile_image_url
    return {
        "user_id": streamer.user_id,
        "username": streamer.login,
        "display_name": streamer.display_name,
        "profile_image_url": None if _image_url_fault(image_url) else image_url,
        "tags": list(streamer.tags),
        "added_at": format_time(streamer.added_at),
    }


def _as_object(entry: Any) -> Any:
    """Convert an entry that is only a login to an object."""
    return {"username": entry} if isinstance(entry, str) else entry


def _streamer_faults(entry: Any) -> Faults:
    if not isinstance(entry, Mapping):
        yield "", "Neither an object nor a login."
        return
    if not isinstance(entry.get("username"), str) or login_from(entry["username"]) is None:
        yield "username", NOT_A_LOGIN
    if "user_id" not in entry:
        yield from ((str(field)[:64], "Needs a user_id.") for field in entry.keys() - {"username"})
        return
    for field, value in entry.items():
        fault = _STREAMER_CHECKS.get(field, _unknown_field_fault)(value)
        if fault:
            yield str(field)[:64], fault


def _login_of(entry: Mapping[str, Any]) -> str:
    return login_from(entry["username"]) or ""


def _streamer_from(entry: Mapping[str, Any], now: datetime) -> Streamer:
    login = _login_of(entry)
    return Streamer(
        user_id=entry["user_id"],
        login=login,
        display_name=entry.get("display_name", login),
        added_at=parse_time(entry["added_at"]) if "added_at" in entry else now,
        profile_image_url=entry.get("profile_image_url"),
        tags=normalized(entry.get("tags", ())),
    )


def _unknown_field_fault(_value: Any) -> str:
    return "Unknown field."


def _user_id_fault(value: Any) -> str | None:
    is_id = isinstance(value, str) and _USER_ID.fullmatch(value)
    return None if is_id else "Not a Twitch user id."


def _display_name_fault(value: Any) -> str | None:
    is_name = isinstance(value, str) and 0 < len(value) <= _MAX_NAME_LENGTH and value.isprintable()
    return None if is_name else f"Not a printable text of 1 to {_MAX_NAME_LENGTH} characters."


def _image_url_fault(value: Any) -> str | None:
    if value is None:
        return None
    is_url = isinstance(value, str) and value.startswith("https://") and value.isprintable()
    is_url = is_url and len(value) <= _MAX_URL_LENGTH
    return None if is_url else "Neither null nor a URL that starts with https://."


def _tags_fault(value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        return "Not a list of texts."
    try:
        normalized(value)
    except InvalidTags as error:
        return str(error)
    return None


def _time_fault(value: Any) -> str | None:
    return None if is_time(value) else NOT_A_TIME


_STREAMER_CHECKS = {
    "user_id": _user_id_fault,
    "username": lambda _value: None,  # checked above
    "display_name": _display_name_fault,
    "profile_image_url": _image_url_fault,
    "tags": _tags_fault,
    "added_at": _time_fault,
}
