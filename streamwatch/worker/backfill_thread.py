"""The thread that reads archived videos. It is not a job, so a long queue delays no refresh."""

import logging
import threading
from collections.abc import Callable

from streamwatch.services.analytics.backfills import Backfills
from streamwatch.storage.base import StorageError

log = logging.getLogger(__name__)

_AWAY_SECONDS = 1.0
"""The pause after an error of the storage, and while another worker leads."""


class BackfillThread:
    """Does the checks that are due, while this worker leads, until it is stopped."""

    def __init__(
        self,
        backfills: Backfills,
        is_leading: Callable[[], bool],
        away_seconds: float = _AWAY_SECONDS,
    ) -> None:
        self._backfills = backfills
        self._is_leading = is_leading
        self._away_seconds = away_seconds
        self._problem: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backfill", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Make the thread end after its check, and wait up to `seconds`. An unfinished check is
        repeated."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            try:
                pause = self._away_seconds
                if self._is_leading():
                    pause = self._backfills.run_next()
                self._log(None)
            except StorageError as error:
                pause = self._away_seconds
                self._log(str(error))
            except Exception:
                pause = self._away_seconds
                log.exception("Reading archived videos failed")

    def _log(self, problem: str | None) -> None:
        """Log a problem when it begins and when it is over."""
        if problem and not self._problem:
            log.warning("Archived videos cannot be read now: %s", problem)
        if self._problem and not problem:
            log.info("Archived videos are read again")
        self._problem = problem
