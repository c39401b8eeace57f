"""The settings in force as rows of a table. Secrets are counted, never shown."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from streamwatch.settings import Settings

_SKIPPED = {"webhook_secret_is_new", "warnings"}
_NAMES = {
    "webhook_secrets": "WEBHOOK_SECRET",
    "api_keys": "API_KEY",
    "api_read_keys": "API_READ_KEY",
}
"""Variables whose field has another name than the variable in lower case."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A variable, its value as text, and its origin: "default" or "environment"."""

    variable: str
    value: str
    origin: str


def settings_table(settings: Settings) -> list[SettingRow]:
    """A row for each variable, in the order of the documentation."""
    defaults = Settings()
    return [
        SettingRow(
            variable=_NAMES.get(field.name, field.name.upper()),
            value=_shown(getattr(settings, field.name), is_secret=not field.repr),
            origin=_origin(getattr(settings, field.name), getattr(defaults, field.name)),
        )
        for field in fields(Settings)
        if field.name not in _SKIPPED
    ]


def _origin(value: Any, default: Any) -> str:
    return "default" if value == default else "environment"


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
