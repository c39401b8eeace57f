"""The form that adds or edits a notification: converts settings to fields of the form and back."""

import re
from collections.abc import Mapping
from typing import Any

from streamwatch.api.context import services
from streamwatch.domain.notifications.models import (
    DEFAULT_COOLDOWN_MINUTES,
    EVENT_TYPES,
    TargetKind,
)
from streamwatch.domain.notifications.texts import InvalidTemplate, check_template
from streamwatch.services.documents import Document

Form = Mapping[str, str]
"""The fields of the form as text. The checkboxes of events have the names of the event types."""

_FIELDS_OF = {"events": EVENT_TYPES, "quiet_hours": ("quiet_start", "quiet_end", "quiet_tz")}
"""The fields of settings that have several. All others have a field of their name."""

_SHOWN = "shown-"
"""The form that edits has the values that it showed at first in hidden fields with this prefix."""

_LISTS = ("streamers", "tags")
"""Fields with spaces or commas between the entries."""

_LINES = ("categories", "title_contains")
"""Fields with one entry a line: names of categories and titles contain commas."""

_ID = re.compile(r"ntf_[0-9a-f]{16}")


def settings_from(form: Form) -> Document:
    """The settings of a submitted form; an empty field means the default. Tags are in lower case,
    as on the page of the streamers."""
    lists = {field: _entries(form, field, r"[\s,;]+") for field in _LISTS}
    return {
        "kind": form.get("kind", ""),
        "url": form.get("url", "").strip(),
        "name": _text(form, "name"),
        "events": chosen_events(form),
        **lists,
        "tags": [tag.lower() for tag in lists["tags"]],
        **{field: _entries(form, field, r"[\r\n]+") for field in _LINES},
        "cooldown_minutes": _cooldown(form),
        "quiet_hours": _quiet_hours(form),
        "template": _text(form, "template"),
    }


def new_id_from(form: Form) -> str | None:
    """The id of the notification that the form adds, None if it has none that is valid."""
    new_id = form.get("id", "")
    return new_id if _ID.fullmatch(new_id) else None


def form_from(settings: Document) -> dict[str, str]:
    """The form that shows `settings`. The URL is empty, because its secret is not shown."""
    quiet = settings["quiet_hours"]
    return {
        "kind": settings["kind"],
        "name": settings["name"],
        **dict.fromkeys(settings["events"], "1"),
        **{field: " ".join(settings[field]) for field in _LISTS},
        **{field: "\n".join(settings[field]) for field in _LINES},
        "cooldown_minutes": str(settings["cooldown_minutes"]),
        **({f"quiet_{name}": value for name, value in quiet.items()} if quiet else {}),
        "template": settings["template"] or "",
    }


def edited_settings(form: Form, settings: Document) -> Document:
    """The settings of a submitted form that the user changed; the form showed `settings`. A setting
    that the form cannot show exactly counts as unchanged, and so does an empty URL."""
    shown = settings_from(form_from(settings))
    return {field: value for field, value in settings_from(form).items() if value != shown[field]}


def shown_in(form: Form) -> dict[str, str]:
    """The values that a submitted form showed at first."""
    return {
        name.removeprefix(_SHOWN): value for name, value in form.items() if name.startswith(_SHOWN)
    }


def changed_fields(shown: Form, form: Form) -> list[str]:
    """The settings that differ between two forms."""
    before = settings_from(shown)
    return [field for field, value in settings_from(form).items() if value != before[field]]


def merged_form(form: Form, stored: Form) -> dict[str, str]:
    """The form that shows `stored`, and in place of it what the user changed in `form`."""
    merged = dict(stored)
    for setting in changed_fields(shown_in(form), form):
        for field in _FIELDS_OF.get(setting, (setting,)):
            merged[field] = form.get(field, "")
    return merged


def chosen_events(form: Form) -> list[str]:
    """The checked events; all where no form was sent."""
    if not form:
        return list(EVENT_TYPES)
    return [name for name in EVENT_TYPES if form.get(name)]


def preview_of(form: Form) -> str:
    """The message of a go-live with the template of the form, or why there is none."""
    kind = form.get("kind", "")
    if kind not in set(TargetKind) or kind == TargetKind.WEBHOOK:
        return "A webhook is sent JSON: see the documentation."
    template = _text(form, "template")
    try:
        check_template(template or "")
    except InvalidTemplate as error:
        return str(error)
    return services().notifications.previews.text(TargetKind(kind), template)


def _text(form: Form, field: str) -> str | None:
    return form.get(field, "").replace("\r\n", "\n").strip() or None


def _entries(form: Form, field: str, separator: str) -> list[str]:
    entries = re.split(separator, form.get(field, ""))
    return [entry.strip() for entry in entries if entry.strip()]


def _cooldown(form: Form) -> int | str:
    """The number of minutes, or the text that is none: a fault that the validation reports."""
    text = form.get("cooldown_minutes", "").strip()
    try:
        return int(text) if text.isdecimal() else text or DEFAULT_COOLDOWN_MINUTES
    except ValueError:  # more digits than Python converts
        return text


def _quiet_hours(form: Form) -> dict[str, Any] | None:
    start, end = form.get("quiet_start", ""), form.get("quiet_end", "")
    if not start and not end:
        return None
    return {"start": start, "end": end, "tz": form.get("quiet_tz", "").strip() or "UTC"}
