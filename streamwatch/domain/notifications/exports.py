"""Notifications in an export: all settings, and with `secrets` the URL and the signing secrets."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from streamwatch.domain.eventsub import ID
from streamwatch.domain.notifications.documents import fields_from, settings_document
from streamwatch.domain.notifications.models import (
    Document,
    Notification,
    SigningSecret,
    WatchedStreamer,
)
from streamwatch.domain.notifications.validation import FIELDS, find_faults
from streamwatch.domain.times import NOT_A_TIME, format_time, is_time, parse_time

_EXPORTED = ("id", *FIELDS, "secret", "previous_secret", "disabled_reason", "created_at")
_SECRET = re.compile(r"whsec_([A-Za-z0-9+/=]{24,120})", re.ASCII)
_MAX_REASON_LENGTH = 500


def exported_notification(notification: Notification, *, secrets: bool) -> Document:
    """A notification in an export."""
    signing = list(notification.secrets) if secrets else []
    return {
        "id": notification.id,
        **settings_document(notification, {}),
        "url": notification.url or None if secrets else None,
        "streamers": [
            {"user_id": streamer.user_id, "username": streamer.login}
            for streamer in notification.streamers
        ],
        "secret": signing[0].value if signing else None,
        "previous_secret": _exported_secret(signing[1]) if len(signing) > 1 else None,
        "disabled_reason": notification.disabled_reason,
        "created_at": format_time(notification.created_at),
    }


def notification_from(entry: Mapping[str, Any], now: datetime) -> Notification:
    """The notification of an entry without faults. It sends what happens after `now`; without a URL
    it is switched off."""
    return Notification(
        id=entry["id"],
        **fields_from(entry),
        url=entry["url"] or "",
        created_at=parse_time(entry["created_at"]),
        active_since=now,
        enabled=entry["enabled"] and entry["url"] is not None,
        disabled_reason=entry["disabled_reason"],
        streamers=tuple(
            WatchedStreamer(streamer["user_id"], streamer["username"])
            for streamer in entry["streamers"]
        ),
        secrets=tuple(_secrets_from(entry)),
    )


def notification_faults(entry: Any, *, allow_private: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with an entry, by field."""
    if not isinstance(entry, Mapping):
        yield "", "Not an object."
        return
    yield from ((str(field)[:64], "Unknown field.") for field in entry if field not in _EXPORTED)
    missing = [field for field in _EXPORTED if field not in entry]
    yield from ((field, "Missing.") for field in missing)
    if missing:
        return
    settings = {field: entry[field] for field in FIELDS}
    if _are_streamers(entry["streamers"]):
        settings["streamers"] = [streamer["username"] for streamer in entry["streamers"]]
        for field, fault in find_faults(settings, allow_private=allow_private).items():
            if field != "url" or entry["url"] is not None:
                yield field, fault
    else:
        yield "streamers", "Not a list of {user_id, username}."
    for field, (is_valid, fault) in _CHECKS.items():
        if not is_valid(entry[field]):
            yield field, fault


def _exported_secret(secret: SigningSecret) -> Document:
    expires_at = format_time(secret.expires_at) if secret.expires_at else None
    return {"secret": secret.value, "expires_at": expires_at}


def _secrets_from(entry: Mapping[str, Any]) -> Iterator[SigningSecret]:
    if entry["secret"] is not None:
        yield SigningSecret(entry["secret"])
        previous = entry["previous_secret"]
        if previous is not None:
            yield SigningSecret(previous["secret"], parse_time(previous["expires_at"]))


def _are_streamers(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(streamer, Mapping)
        and set(streamer) == {"user_id", "username"}
        and _is_id(streamer["user_id"])
        for streamer in value
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _is_reason(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= _MAX_REASON_LENGTH)


def _is_previous_secret(value: Any) -> bool:
    return value is None or (
        isinstance(value, Mapping)
        and set(value) == {"secret", "expires_at"}
        and value["secret"] is not None
        and _is_secret(value["secret"])
        and is_time(value["expires_at"])
    )


def _is_secret(value: Any) -> bool:
    if value is None:
        return True
    match = _SECRET.fullmatch(value) if isinstance(value, str) else None
    try:
        return match is not None and bool(base64.b64decode(match[1], validate=True))
    except binascii.Error:
        return False


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "id": (_is_id, "Not an id of a notification."),
    "created_at": (is_time, NOT_A_TIME),
    "disabled_reason": (_is_reason, "Neither null nor a text."),
    "secret": (_is_secret, "Neither null nor a secret of a webhook."),
    "previous_secret": (_is_previous_secret, "Neither null nor {secret, expires_at}."),
}
"""What is valid in the fields that a user cannot set, and the fault of other values."""
