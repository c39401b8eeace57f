"""Limits the time of a call that has no timeout."""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


class TimeLimitExceeded(Exception):
    """The call did not return in time. It continues in its thread."""


def run_with_limit(call: Callable[[], Result], seconds: float) -> Result:
    """The result of `call`, or what it raises. Raises TimeLimitExceeded after `seconds`."""
    results: list[Result] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001  raised again below, in the caller's thread
            errors.append(error)

    thread = Thread(target=run, name="time-limit", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeLimitExceeded
    return results[0]
