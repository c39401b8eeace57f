"""A database that is there and says nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

MOMENT_SECONDS = 0.1
"""How long a caller waits for another one to hear from a database that was silent."""


class Silence:
    """Whether a database did not answer in time when it was asked last. While that is so, one
    caller at a time waits for it, and the others are told in a moment: a frozen database would else
    hold every thread of a process, and whoever comes next would wait for those too.

    `sign` is the error of who has waited in vain, `refusal` makes that of who is not let to.
    """

    def __init__(self, sign: type[Exception], refusal: Callable[[], Exception]) -> None:
        self._sign = sign
        self._refusal = refusal
        self._is_silent = False
        self._asking = Lock()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Around an exchange, which breaks the silence if there is an answer of any kind."""
        alone = self._is_silent and self._asks_alone()
        is_silent = False
        try:
            yield
        except self._sign:
            is_silent = True
            raise
        finally:
            self._is_silent = is_silent
            if alone:
                self._asking.release()

    def _asks_alone(self) -> bool:
        """Take the turn to ask. False, and no turn taken, where another has heard meanwhile."""
        if not self._asking.acquire(timeout=MOMENT_SECONDS):
            raise self._refusal()
        if not self._is_silent:
            self._asking.release()
            return False
        return True
