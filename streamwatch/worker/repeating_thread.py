"""A thread that repeats a piece of work until it is stopped."""

import logging
import threading
from collections.abc import Callable

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.storage.base import StorageError

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""The pause after an error."""


class RepeatingThread:
    """Calls `work` until it is stopped. `work` returns the seconds until the next call, which
    `wake` makes at once.

    No error ends the thread. While a database is unavailable, that is logged once, and once that it
    is over; a defect is logged each time.
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
        self._is_stopping = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Make the next call of `work` at once."""
        self._woken.set()

    def request_stop(self) -> None:
        """Make the thread end after the present call of `work`, without waiting for it."""
        self._is_stopping = True
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Request a stop, and wait up to `seconds` for the end of the thread."""
        self.request_stop()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            self._woken.clear()  # before the check: a request to stop is never missed
            if self._is_stopping:
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
