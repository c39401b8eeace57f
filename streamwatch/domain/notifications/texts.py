"""The texts of messages for people: a user's template, or a default text by event."""

from collections.abc import Mapping
from datetime import timedelta
from string import Template

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.filters import changed_by
from streamwatch.domain.notifications.models import OFFLINE, ONLINE, UPDATE, StreamDetails

PLACEHOLDERS = (
    "streamer",
    "title",
    "category",
    "viewers",
    "url",
    "duration",
    "peak",
    "previous",
)

MAX_TEMPLATE_LENGTH = 2000


class InvalidTemplate(ValueError):
    """The template cannot be used; the text says why."""


def check_template(text: str) -> None:
    """Raise InvalidTemplate for an unknown placeholder, or a `$` without a name."""
    template = Template(text)
    if not template.is_valid():
        raise InvalidTemplate("A $ is not followed by a name: write $$ for a dollar sign.")
    unknown = [name for name in template.get_identifiers() if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"${name}" for name in PLACEHOLDERS)
        raise InvalidTemplate(f"Unknown placeholder ${unknown[0]}; known: {known}.")


def values(
    event: StreamEvent, event_type: str, details: StreamDetails, *, lasted: timedelta | None
) -> dict[str, str]:
    """The value of each placeholder; "" if it is not known. `lasted` is how long the stream has
    been on; None leaves `$duration` empty."""
    return {
        "streamer": event.broadcaster_name or event.broadcaster_login,
        "title": details.title or "",
        "category": details.category or "",
        "viewers": _number(details.viewers),
        "url": f"https://www.twitch.tv/{event.broadcaster_login}",
        "duration": "" if lasted is None else duration(lasted),
        "peak": "" if event_type == ONLINE else _number(details.peak),
        "previous": previous(event),
    }


def render(
    template: str | None, event: StreamEvent, event_type: str, filled: Mapping[str, str]
) -> str:
    """The message: `template` with its placeholders filled, or the default text of the event."""
    if template is not None:
        return Template(template).substitute(filled)
    if event_type == OFFLINE:
        return _default_end(filled)
    if event_type == UPDATE:
        return _default_update(event, filled)
    return _default_start(filled)


def cut(text: str, limit: int) -> str:
    """Shorten `text` to at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def duration(lasted: timedelta) -> str:
    """A duration in hours and minutes: "3 h 12 min"."""
    hours, minutes = divmod(max(0, int(lasted.total_seconds())) // 60, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def previous(event: StreamEvent) -> str:
    """What a `channel.update` replaced: the title if it changed, else the category."""
    before = event.data.get("previous")
    if event.event_type != UPDATE or not isinstance(before, Mapping):
        return ""
    changed = changed_by(event)
    name = "title" if "title" in changed else "category_name"
    if changed == ("language",):
        name = "language"
    return str(before.get(name) or "")


def _default_start(filled: Mapping[str, str]) -> str:
    lines = [f"{filled['streamer']} is live{_in_category(filled)}"]
    lines += [filled["title"]] if filled["title"] else []
    return "\n".join([*lines, filled["url"]])


def _default_update(event: StreamEvent, filled: Mapping[str, str]) -> str:
    changed = changed_by(event)
    what = " and ".join(filter(None, (", ".join(changed[:-1]), *changed[-1:]))) or "stream"
    category = _in_category(filled) if "category" in changed else ""
    lines = [f"{filled['streamer']} changed the {what}{category}"]
    lines += [filled["title"]] if filled["title"] else []
    return "\n".join([*lines, filled["url"]])


def _default_end(filled: Mapping[str, str]) -> str:
    text = f"{filled['streamer']}'s stream has ended"
    facts = []
    if filled["duration"]:
        facts.append(f"it lasted {filled['duration']}")
    if filled["peak"]:
        facts.append(f"peak {filled['peak']} viewers")
    if facts:
        text += f": {', '.join(facts)}"
    lines = [text]
    lines += [filled["title"]] if filled["title"] else []
    return "\n".join([*lines, filled["url"]])


def _in_category(filled: Mapping[str, str]) -> str:
    return f": {filled['category']}" if filled["category"] else ""


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
