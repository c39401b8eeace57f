"""Texts on the pages of notifications."""

from collections.abc import Sequence

from streamwatch.domain.notifications.models import (
    CHANGES,
    UPDATE,
    Delivery,
    DeliveryStatus,
    TargetKind,
)
from streamwatch.domain.notifications.validation import FIELDS, InvalidNotification
from streamwatch.services.documents import Document
from streamwatch.services.notifications.errors import AlreadyAdded
from streamwatch.twitch.base import TwitchError

EVENT_NAMES = {
    "stream.online": "Go-live",
    "stream.offline": "End of stream",
    "channel.update": "New title, category or language",
    "test": "Test",
}


def filters_text(settings: Document, kind: TargetKind) -> list[tuple[str, str]]:
    """The filters that are set, by name."""
    names, quiet = event_names(settings["changed"]), settings["quiet_hours"]
    found = {
        "Events": ", ".join(names[event_type] for event_type in settings["events"]),
        "Streamers": ", ".join(settings["streamers"]),
        "Tags": ", ".join(settings["tags"]),
        "Categories": ", ".join(settings["categories"]),
        "Title contains": ", ".join(settings["title_contains"]),
        "Quiet hours": "{start} to {end}, {tz}".format(**quiet) if quiet else "",
    }
    if kind.is_for_people:
        found["Cooldown"] = f"{settings['cooldown_minutes']} min"
    return [(name, text) for name, text in found.items() if text]


def event_names(changed: Sequence[str]) -> dict[str, str]:
    """The names of event types in a notification that sends updates of `changed`, or of all."""
    *first, last = changed or CHANGES
    update = f"{', '.join(first)} or {last}" if first else last
    return {**EVENT_NAMES, UPDATE: f"New {update}"}


def test_result(tested: Delivery) -> str:
    if tested.status is not DeliveryStatus.DELIVERED:
        return f"Not delivered: {tested.error}."
    answer = f" It answered {tested.status_code}." if tested.status_code else ""
    return f"The receiver took the test.{answer}"


def edit_result(changed: list[str]) -> str:
    names = _names_of(changed)
    return f"Changed: {names}." if names else "Nothing was changed."


def conflict_text(changed: list[str]) -> str:
    """Why an edit was not saved: another request changed these fields, or what the form does not
    show, such as the URL."""
    names = _names_of(changed)
    what = f" ({names})" if names else ""
    return (
        f"Another request changed it meanwhile{what}. The form has your changes, and all else as it"
        " is now: check it and save again."
    )


def _names_of(fields: list[str]) -> str:
    return ", ".join(field.replace("_", " ") for field in FIELDS if field in fields)


def form_faults(error: Exception) -> dict[str, str]:
    """The faults of a form by field. Only streamers are looked up at Twitch."""
    if isinstance(error, InvalidNotification):
        return error.faults
    if isinstance(error, AlreadyAdded):
        return {"notification": f"{error} To add another one, send the form again."}
    return {"streamers" if isinstance(error, TwitchError) else "notification": str(error)}
