"""A worker that dies between writing to MongoDB and acknowledging the feed entries."""

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.testing import CAP
from streamwatch.domain.models import Source, Stream
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.session_events import ProjectionInput
from streamwatch.domain.times import utc_now
from streamwatch.services.analytics.projector import READER, Projector
from streamwatch.services.feed_reader import RECLAIM_SECONDS
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.storage.redis import RedisStorage, keys
from streamwatch.storage.redis.connection import Connection

pytestmark = pytest.mark.xdist_group("mongo")

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAMPLES = 50


class ProcessDied(BaseException):
    """The end of a process; no code catches it."""


class DyingAnalytics(MongoAnalytics):
    """Writes, then dies before the entries are acknowledged."""

    def project(self, observed: ProjectionInput) -> None:
        super().project(observed)
        raise ProcessDied


def sample(number: int) -> SeenLive:
    stream = Stream("9001", START, viewer_count=100, game_id="1", game_name="Chess")
    at = START + timedelta(minutes=number)
    return SeenLive("1337", "cool_user", "Cool_User", stream, at, Source.POLL)


def test_entries_of_a_dead_worker_are_projected_again_and_count_once(
    redis_url: str, mongodb_url: str, mongodb_database: str
) -> None:
    storage = RedisStorage(Connection.to(redis_url))
    storage.feed.register(READER)
    for number in range(1, SAMPLES + 1):
        ObservationRecorder(storage).record([sample(number)])
    dying = DyingAnalytics(mongodb_url, mongodb_database, CAP)
    with pytest.raises(ProcessDied):
        Projector(storage.feed, dying, "dead", utc_now).run_once()
    once = dying.sessions("1337", 10)
    dying.close()
    assert [state.pending for state in storage.feed.readers()] == [SAMPLES]

    with Redis.from_url(redis_url) as client:  # as if RECLAIM_SECONDS had passed
        for entry in client.xpending_range(keys.FEED, READER, "-", "+", SAMPLES):
            idle = int(RECLAIM_SECONDS * 1000)
            client.xclaim(keys.FEED, READER, "dead", 0, [entry["message_id"]], idle=idle)
    analytics = MongoAnalytics(mongodb_url, mongodb_database, CAP)
    assert Projector(storage.feed, analytics, "alive", utc_now).run_once() == SAMPLES

    assert analytics.sessions("1337", 10) == once
    assert [session.sample_totals.sums.samples for session in once] == [SAMPLES]
    assert [(reader.lag, reader.pending) for reader in storage.feed.readers()] == [(0, 0)]
    assert storage.feed.trim() == SAMPLES
    analytics.close()
    storage.close()
