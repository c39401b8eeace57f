"""Reads stored values. A damaged one is left out and logged, so that it spoils no other."""

import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_REPORTS = 1000
"""How many damaged values a process logs, each once."""

DAMAGE = (msgspec.MsgspecError, ValueError)
"""What decoders raise for a value that is not JSON, or not of the stored form."""


class ValueReader:
    """Decodes stored values, for one process. Threads may share it."""

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def read(self, what: str, value: bytes, decode: Callable[[bytes], T]) -> T | None:
        """The decoded `value`; None if it is damaged. `what` names it in the log."""
        try:
            return decode(value)
        except DAMAGE as error:
            self.report(what, error)
            return None

    def report(self, what: str, error: Exception) -> None:
        """Log that the value `what` is damaged and left out."""
        if what in self._reported or len(self._reported) >= MAX_REPORTS:
            return
        self._reported.add(what)
        log.warning(
            "A value in Redis is damaged and left out: %s (%s). `streamwatch recalculate --all`"
            " computes sessions and statistics again.",
            what,
            type(error).__name__,
        )
