"""How long work reports its progress."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called after each step with the number of completed steps and their total."""


def no_progress(_done: int, _total: int) -> None:
    """Ignore the progress."""
