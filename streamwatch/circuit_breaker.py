"""A database that is there and says nothing."""

from collections.abc import Callable
from threading import Lock, get_ident
from types import TracebackType

MOMENT_SECONDS = 0.1
"""How long a caller waits for another one to hear from a database that was silent."""


class CircuitBreaker:
    """Whether a database did not answer in time when it was asked last. While that is so, one
    caller at a time waits for it, and the others are told in a moment: a frozen database would else
    hold every thread of a process, and whoever comes next would wait for those too.

    A context manager around each exchange, which breaks the silence if there is an answer of any
    kind. `is_timeout` recognizes a timeout; `open_error` makes the error of a refused call.
    """

    def __init__(
        self,
        is_timeout: Callable[[BaseException | None], bool],
        open_error: Callable[[], Exception],
    ) -> None:
        self._is_timeout = is_timeout
        self._open_error = open_error
        self._is_silent = False
        self._asking = Lock()
        self._asker: int | None = None
        """The thread that asks alone."""

    def __enter__(self) -> None:
        if self._is_silent and self._asks_alone():
            self._asker = get_ident()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._is_silent = self._is_timeout(error)
        if self._asker == get_ident():
            self._asker = None
            self._asking.release()

    def _asks_alone(self) -> bool:
        """Take the turn to ask. False, and no turn taken, where another has heard meanwhile."""
        if not self._asking.acquire(timeout=MOMENT_SECONDS):
            raise self._open_error()
        if not self._is_silent:
            self._asking.release()
            return False
        return True
