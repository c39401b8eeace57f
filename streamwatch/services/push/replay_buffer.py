"""The newest translated entries of the feed, shared by the listeners of a process."""

from streamwatch.services.push.translator import TranslatedEntry


class ReplayBuffer:
    """Up to `size` entries after `start`, by id. Not thread-safe by itself."""

    def __init__(self, start: str | None, size: int) -> None:
        self._size = size
        self._entries: dict[str | None, TranslatedEntry | None] = {start: None}

    def __contains__(self, cursor: str | None) -> bool:
        return cursor in self._entries

    @property
    def newest(self) -> str | None:
        """The id of the newest entry, or `start` before the first one."""
        return next(reversed(self._entries))

    def add(self, entries: list[TranslatedEntry]) -> None:
        """Append entries; the oldest ones make room for them."""
        for entry in entries:
            self._entries.pop(entry.id, None)  # a known one becomes the newest
            self._entries[entry.id] = entry
        for _ in range(len(self._entries) - self._size):
            del self._entries[next(iter(self._entries))]

    def after(self, cursor: str | None) -> list[TranslatedEntry] | None:
        """The entries after `cursor`, oldest first; None where it is no longer in the buffer."""
        found: list[TranslatedEntry] = []
        for entry_id, entry in reversed(self._entries.items()):
            if entry_id == cursor:
                return found[::-1]
            if entry:
                found.append(entry)
        return None
