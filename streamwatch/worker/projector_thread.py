"""The thread that lets the analytics follow the feed, beside the worker's jobs: analytics that are
slow or away hold up nothing else."""

import logging
import threading

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.services.analytics.projector import Projector
from streamwatch.storage.base import StorageError

log = logging.getLogger(__name__)

_IDLE_SECONDS = 0.5
"""How long the feed is left alone when there was nothing in it."""

_AWAY_SECONDS = 3.0
"""How long analytics or a storage that do not answer are left alone."""


class ProjectorThread:
    """Projects until it is stopped. Every worker may have one, the leader or not."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._problem: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="projector", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Ask it to end after the batch in flight, and wait so long at most: a batch that is not
        acknowledged is projected again."""
        self._stop.set()
        self._thread.join(seconds)

    def _follow(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            try:
                pause = 0.0 if self._projector.run_once() else _IDLE_SECONDS
                self._tell(None)
            except (AnalyticsUnavailable, StorageError) as error:
                pause = _AWAY_SECONDS
                self._tell(str(error))
            except Exception:
                pause = _AWAY_SECONDS
                log.exception("The analytics could not follow the feed")

    def _tell(self, problem: str | None) -> None:
        """Say what is wrong once, and once that it is well again."""
        if problem and not self._problem:
            log.warning("The analytics wait: %s", problem)
        if self._problem and not problem:
            log.info("The analytics follow the feed again")
        self._problem = problem
