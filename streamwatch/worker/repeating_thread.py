"""A thread that repeats a piece of work until it is stopped."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.storage.base import StorageError

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""The pause after an error."""


class RepeatingThread:
    """Calls `work` until it is stopped. `work` returns the number of seconds until the next call.

    No error ends the thread. An outage of a database is logged when it begins and when it is over.
    Any other error is a defect, and is logged each time.
    """

    def __init__(
        self,
        name: str,
        subject: str,
        work: Callable[[], float],
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`subject` names the work in log lines."""
        self._subject = subject
        self._work = work
        self._retry_seconds = retry_seconds
        self._problem: str | None = None
        self._stop_requested_at: float | None = None
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Make the next call of `work` at once."""
        self._woken.set()

    def request_stop(self) -> None:
        """Make the thread end after the present call of `work`, without waiting for it."""
        if self._stop_requested_at is None:
            self._stop_requested_at = monotonic()
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Request a stop, and wait for the end of the thread until `seconds` after the first
        request: the waits for several threads overlap if all are requested first."""
        self.request_stop()
        assert self._stop_requested_at is not None  # noqa: S101  set by request_stop
        self._thread.join(max(0.0, self._stop_requested_at + seconds - monotonic()))

    def _run(self) -> None:
        while True:
            self._woken.clear()  # before the check: a request to stop is never missed
            if self._stop_requested_at is not None:
                return
            self._woken.wait(self._call())

    def _call(self) -> float:
        """Call `work` once; the seconds until the next call."""
        try:
            pause = self._work()
        except (AnalyticsUnavailable, StorageError) as error:
            self._log(str(error))
            return self._retry_seconds
        except Exception:
            log.exception("%s: failed, will be repeated", self._subject)
            return self._retry_seconds
        self._log(None)
        return pause

    def _log(self, problem: str | None) -> None:
        """Log a problem when it begins and when it is over."""
        if problem and not self._problem:
            log.warning("%s: paused: %s", self._subject, problem)
        if self._problem and not problem:
            log.info("%s: resumed", self._subject)
        self._problem = problem
