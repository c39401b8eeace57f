"""Repeats commits that conflict with those of other processes."""

from collections.abc import Callable, Sized
from typing import TypeVar

from streamwatch.storage.base import StorageUnavailable

MAX_ATTEMPTS = 100
"""An attempt fails only because another commit succeeded, so this many concurrent changes of one
streamer are possible before recording gives up."""

Waiting = TypeVar("Waiting", bound=Sized)


def repeat_on_conflict(attempt: Callable[[Waiting], Waiting], waiting: Waiting) -> None:
    """Call `attempt` with what is not committed yet, until nothing is left. It returns what
    conflicted with another commit.

    Raises StorageUnavailable after MAX_ATTEMPTS."""
    for _ in range(MAX_ATTEMPTS):
        waiting = attempt(waiting)
        if not waiting:
            return
    raise StorageUnavailable("Too many processes change the same streamer at the same time.")
