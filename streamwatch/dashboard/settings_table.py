"""The settings in force as rows of a table. Secrets are counted, never shown."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamwatch.settings import FIELDS, VARIABLES, KeyRequirement, Origin, Settings

_ORIGINS = {
    Origin.STORED: "stored in DATA_DIR",
    Origin.GENERATED: "generated at the start, not stored",
}
_ENTERED = {"TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET"}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A variable, its value as text, and where the value comes from."""

    variable: str
    value: str
    origin: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The API keys of one variable: how many there are, what they may do, and where they come
    from."""

    variable: str
    count: int
    access: str
    origin: str


OPENNESS = {
    KeyRequirement.NONE: "Without a key everybody can read, and add and remove streamers.",
    KeyRequirement.WRITE: "Without a key everybody can read, and nobody can change anything.",
    KeyRequirement.ALL: "Without a key nobody can read or change anything.",
}
"""What REQUIRE_API_KEY means for requests without a key, besides those to /admin, /notifications
and Manage, which always need one."""


def key_table(settings: Settings) -> list[KeyRow]:
    """The API keys. Their texts are not shown."""
    rows = {
        "API_KEY": (settings.api_keys, "everything"),
        "API_READ_KEY": (settings.api_read_keys, "read all but /admin and /notifications"),
    }
    return [
        KeyRow(
            variable=variable,
            count=len(keys),
            access=access,
            origin=_origin_text(variable, settings.origin(variable)) if keys else "not set",
        )
        for variable, (keys, access) in rows.items()
    ]


def settings_table(settings: Settings) -> list[SettingRow]:
    """A row for each environment variable, in the order of the documentation."""
    return [_row(settings, variable) for variable in VARIABLES]


def _row(settings: Settings, variable: str) -> SettingRow:
    value = getattr(settings, FIELDS.get(variable, variable.lower()))
    origin = settings.origin(variable)
    return SettingRow(
        variable=variable,
        value=_shown(value, is_secret=VARIABLES[variable].secret),
        origin=_origin_text(variable, origin),
        is_default=origin is Origin.DEFAULT,
    )


def _origin_text(variable: str, origin: Origin) -> str:
    if origin is Origin.STORED and variable in _ENTERED:
        return "entered in the browser, stored in DATA_DIR"
    return _ORIGINS.get(origin, origin.value)


def _shown(value: Any, *, is_secret: bool) -> str:
    if value is None or value in ((), ""):
        return "not set"
    if is_secret:
        count = len(value) if isinstance(value, Collection) and not isinstance(value, str) else 1
        return "set" if count == 1 else f"{count} values"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Collection) and not isinstance(value, str | Path):
        return ", ".join(map(str, value))
    return str(value)
