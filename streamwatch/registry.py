"""Backends by name: a table of our own, and those that installed packages offer as entry points."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from streamwatch.settings import Settings, SettingsError


class UnknownBackend(SettingsError):
    """A setting names a backend that nobody offers."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The backends that the setting `variable` can name.

    `ours` gives "module:Class" for each name; it is imported when it is chosen, so that nobody
    needs the driver of a database they do not use. Packages add theirs in the entry-point group
    `group`; a name of ours cannot be taken. Every such class has a classmethod
    `from_settings(settings)` that builds it without connecting to anything.
    """

    variable: str
    group: str
    ours: Mapping[str, str]

    def names(self) -> list[str]:
        """All names that can be chosen."""
        return sorted({*self.ours, *entry_points(group=self.group).names})

    def build(self, name: str, settings: Settings) -> Any:
        """The backend that `name` stands for. Raises UnknownBackend."""
        return self._find(name).load().from_settings(settings)

    def _find(self, name: str) -> EntryPoint:
        if name in self.ours:
            return EntryPoint(name, self.ours[name], self.group)
        offered = entry_points(group=self.group)
        if name in offered.names:
            return offered[name]
        allowed = ", ".join(self.names())
        raise UnknownBackend(
            [f"{self.variable}: {name!r} cannot be used (no such backend); allowed: {allowed}"]
        )
