"""Registries of backends: built-in ones, and those of installed packages by entry points."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from streamwatch.settings import Settings, SettingsError


class UnknownBackend(SettingsError):
    """A setting names a backend that does not exist."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The backends that the setting `variable` can name.

    `builtin` maps the name of a built-in backend to "module:Class". A module is imported when its
    backend is chosen, so that the drivers of other databases need not be installed. Packages add
    backends in the entry-point group `group`; they cannot replace a built-in one. Every class has a
    classmethod `from_settings(settings)` that builds it without connecting to anything.
    """

    variable: str
    group: str
    builtin: Mapping[str, str]

    def names(self) -> list[str]:
        """The names of all backends."""
        return sorted({*self.builtin, *entry_points(group=self.group).names})

    def build(self, name: str, settings: Settings) -> Any:
        """Build the backend called `name`. Raises UnknownBackend."""
        return self._find(name).load().from_settings(settings)

    def _find(self, name: str) -> EntryPoint:
        if name in self.builtin:
            return EntryPoint(name, self.builtin[name], self.group)
        offered = entry_points(group=self.group)
        if name in offered.names:
            return offered[name]
        allowed = ", ".join(self.names())
        raise UnknownBackend(
            [f"{self.variable}: {name!r} cannot be used (no such backend); allowed: {allowed}"]
        )
