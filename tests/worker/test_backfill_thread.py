"""The thread that reads archived videos."""

import threading
from datetime import timedelta

from streamwatch.bootstrap import Services, assemble
from streamwatch.domain.models import Video
from streamwatch.domain.times import utc_now
from streamwatch.settings import Settings
from streamwatch.storage.backfills import BackfillStatus
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.worker.threads import backfill_thread
from tests.api.world import FakeAnalytics
from tests.fakes import FakeTwitch
from tests.waiting import wait_for


def monitoring(login: str) -> tuple[Services, FakeTwitch]:
    twitch = FakeTwitch()
    user = twitch.add_user(login)
    start = utc_now() - timedelta(days=1)
    url = "https://www.twitch.tv/videos/1"
    video = Video("1", "s1", start, start + timedelta(hours=1), "Past", "en", url)
    twitch.videos_of[user.user_id] = [video]
    services = assemble(Settings(), MemoryStorage(), twitch, FakeAnalytics())
    services.streamers.add(login)
    return services, twitch


def test_only_a_leader_reads_videos_and_a_failing_storage_ends_nothing() -> None:
    services, twitch = monitoring("ann")
    leads, asked = threading.Event(), threading.Event()

    def is_leading() -> bool:
        asked.set()
        return leads.is_set()

    thread = backfill_thread(services.backfills, is_leading)
    thread.start()
    assert asked.wait(5)
    assert "videos" not in twitch.calls
    leads.set()
    wait_for(lambda: services.backfills.find("ann").status is BackfillStatus.DONE)
    thread.stop(10)
    assert services.backfills.find("ann").added == 1


def test_it_continues_after_the_storage_was_unavailable() -> None:
    services, _ = monitoring("ann")
    failures = iter([StorageUnavailable("Redis is away."), RuntimeError("a bug")])

    def is_leading() -> bool:
        for error in failures:
            raise error
        return True

    thread = backfill_thread(services.backfills, is_leading, retry_seconds=0.01)
    thread.start()
    wait_for(lambda: services.backfills.find("ann").status is BackfillStatus.DONE)
    thread.stop(10)
