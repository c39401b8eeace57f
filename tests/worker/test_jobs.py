from datetime import UTC, datetime

import pytest

from streamwatch.bootstrap import assemble
from streamwatch.domain.times import utc_now
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.settings import Settings
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import TwitchRefused, TwitchUnavailable
from streamwatch.worker.jobs import RefusedJob, build_jobs, reconcile
from streamwatch.worker.scheduler import Worker
from tests.api.world import FakeAnalytics
from tests.fakes import FakeTwitch
from tests.messages import CALLBACK, SECRET
from tests.waiting import wait_for
from tests.worker.test_scheduler import running

LOGINS = [f"user_{n}" for n in range(250)]
"""More than two calls of Helix can name."""


@pytest.fixture
def twitch() -> FakeTwitch:
    twitch = FakeTwitch()
    for login in LOGINS:
        twitch.add_user(login)
    return twitch


def start(twitch: FakeTwitch, storage: MemoryStorage) -> Worker:
    settings = Settings(
        webhook_url=CALLBACK,
        webhook_secrets=(SECRET,),
        default_streamers=tuple(LOGINS),
        watch_updates=False,
    )
    services = assemble(settings, storage, twitch, FakeAnalytics())
    return Worker(storage.coordination, build_jobs(services), utc_now, "worker")


def has_refreshed(storage: MemoryStorage, since: datetime) -> bool:
    run = storage.coordination.job_runs().get("refresh")
    return run is not None and run.started_at > since and not run.error


def test_a_healthy_start_makes_few_calls(twitch: FakeTwitch) -> None:
    storage = MemoryStorage()
    with running(start(twitch, storage)):
        wait_for(lambda: sum(s.is_active for s in storage.streamers()) == len(LOGINS), 30)
        wait_for(lambda: has_refreshed(storage, datetime.min.replace(tzinfo=UTC)))
    assert twitch.calls.count("users") == 3
    assert twitch.calls.count("subscribe") == 500
    assert twitch.calls.count("streams") == 3

    twitch.calls.clear()
    restarted_at = utc_now()
    with running(start(twitch, storage)):
        wait_for(lambda: has_refreshed(storage, restarted_at))
        wait_for(lambda: "details" in storage.coordination.job_runs())
    assert sorted(twitch.calls) == ["streams"] * 3 + ["subscriptions"]


def test_default_streamers_that_could_not_be_added_are_tried_again(twitch: FakeTwitch) -> None:
    storage = MemoryStorage()
    twitch.error = TwitchUnavailable("Twitch is down.")
    with running(start(twitch, storage)):
        wait_for(lambda: "refresh" in storage.coordination.job_runs())
        assert storage.streamers() == []
        twitch.error = None
        storage.coordination.request_job("default-streamers")
        wait_for(lambda: len(storage.streamers()) == len(LOGINS))
        wait_for(lambda: sum(s.is_active for s in storage.streamers()) == len(LOGINS), 30)


def test_refused_subscriptions_are_the_error_of_the_job(twitch: FakeTwitch) -> None:
    storage = MemoryStorage()
    twitch.errors["subscribe"] = TwitchRefused("bad request", 400)
    with running(start(twitch, storage)):
        wait_for(lambda: RECONCILE in storage.coordination.job_runs())
    assert storage.coordination.job_runs()[RECONCILE].error == (
        "500 subscriptions are not as they should be."
    )


@pytest.mark.parametrize(
    ("fails", "error"),
    [
        (("subscribe",), RefusedJob),
        (("subscribe", "unsubscribe"), TwitchUnavailable),
    ],
    ids=["all refused", "one not answered"],
)
def test_a_reconciliation_is_not_retried_soon_if_twitch_refused_all_that_failed(
    twitch: FakeTwitch, fails: tuple[str, ...], error: type[Exception]
) -> None:
    storage = MemoryStorage()
    settings = Settings(webhook_url=CALLBACK, webhook_secrets=(SECRET,), watch_updates=False)
    services = assemble(settings, storage, twitch, FakeAnalytics())
    services.streamers.add_without_jobs(LOGINS[:2])
    reconcile(services)
    storage.remove_streamer("id-of-user_0")
    services.streamers.add_without_jobs(LOGINS[2:3])
    problems = {
        "subscribe": TwitchRefused("The user's account is closed.", 400),
        "unsubscribe": TwitchUnavailable("Twitch is down."),
    }
    twitch.errors = {name: problems[name] for name in fails}
    with pytest.raises(error, match="subscriptions are not as they should be"):
        reconcile(services)


def test_a_requested_reconciliation_runs_after_the_running_one(twitch: FakeTwitch) -> None:
    storage = MemoryStorage()
    settings = Settings(webhook_url=CALLBACK, webhook_secrets=(SECRET,))
    services = assemble(settings, storage, twitch, FakeAnalytics())
    services.streamers.add_without_jobs(LOGINS)
    running = storage.coordination.acquire_lease(RECONCILE, "another process", 60)
    assert running is not None
    reconcile(services)
    assert storage.coordination.job_requests().keys() == {RECONCILE}
    storage.coordination.release_lease(running)
    reconcile(services)
    assert all(streamer.is_active for streamer in storage.streamers())
