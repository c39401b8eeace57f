import logging
from datetime import UTC, datetime

import pytest

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.services.analytics.projector import Projector
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.storage.memory import MemoryStorage
from streamwatch.worker.repeating_thread import RepeatingThread
from streamwatch.worker.threads import projector_thread
from tests.clocks import ManualMonotonicClock
from tests.domain.build import online
from tests.fakes import FailingProjection
from tests.waiting import wait_for


def following(storage: MemoryStorage, analytics: MemoryAnalytics) -> RepeatingThread:
    projector = Projector(storage.feed, analytics, "worker", lambda: datetime.now(UTC))
    return projector_thread(projector)


def test_committed_entries_are_projected() -> None:
    storage, analytics = MemoryStorage(), FailingProjection()
    thread = following(storage, analytics)
    thread.start()
    ObservationRecorder(storage).record([online("s1", 0)])
    wait_for(lambda: analytics.find("cool_user") is not None)
    thread.stop(10)


@pytest.mark.parametrize("error", [AnalyticsUnavailable("MongoDB is away."), RuntimeError("a bug")])
def test_it_continues_after_any_error(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    storage = MemoryStorage(clock=ManualMonotonicClock())  # nothing is read again
    analytics = FailingProjection()
    analytics.projection_error = error
    thread = following(storage, analytics)
    thread.start()
    ObservationRecorder(storage).record([online("s1", 0)])
    wait_for(lambda: any(r.levelno >= logging.WARNING for r in caplog.records))
    analytics.projection_error = None
    ObservationRecorder(storage).record([online("s2", 60)])
    wait_for(lambda: [s.stream_id for s in analytics.sessions("1337", 10)] == ["s2"])
    # The second event is acknowledged soon after; the first one is not, and stays pending.
    wait_for(lambda: [(s.lag, s.pending) for s in storage.feed.readers()] == [(0, 1)])
    thread.stop(10)
