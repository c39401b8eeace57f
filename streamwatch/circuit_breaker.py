"""A circuit breaker for a database that does not answer."""

from collections.abc import Callable
from threading import Lock, get_ident
from types import TracebackType

PROBE_WAIT_SECONDS = 0.1
"""How long a caller waits for another caller's probe before it fails."""


class CircuitBreaker:
    """Keeps a frozen database from blocking every thread of a process for the whole timeout.

    Use it as a context manager around each call to the database. After a timeout the breaker is
    open: one caller at a time probes the database, and the others fail fast with the error that
    `open_error` makes. Any answer, an error included, closes the breaker. `is_timeout` recognizes a
    timeout among the errors of the database's client.
    """

    def __init__(
        self,
        is_timeout: Callable[[BaseException | None], bool],
        open_error: Callable[[], Exception],
    ) -> None:
        self._is_timeout = is_timeout
        self._open_error = open_error
        self._is_open = False
        self._probing = Lock()
        self._prober: int | None = None
        """The thread that holds `_probing`."""

    def __enter__(self) -> None:
        if self._is_open and self._begin_probe():
            self._prober = get_ident()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._is_open = self._is_timeout(error)
        if self._prober == get_ident():
            self._prober = None
            self._probing.release()

    def _begin_probe(self) -> bool:
        """Become the caller that probes. False if the breaker was closed while waiting for that.

        Raises the open error while another caller probes.
        """
        if not self._probing.acquire(timeout=PROBE_WAIT_SECONDS):
            raise self._open_error()
        if not self._is_open:
            self._probing.release()
            return False
        return True
