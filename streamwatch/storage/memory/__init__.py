"""The storage in the memory of one process."""

from streamwatch.storage.memory.store import MemoryStorage

__all__ = ["MemoryStorage"]
