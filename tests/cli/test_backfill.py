"""`streamwatch backfill`, on a simulated Twitch."""

from datetime import timedelta

import pytest

from streamwatch.analytics.redis import RedisAnalytics
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.testing.build import CAP
from streamwatch.domain.times import utc_now
from streamwatch.redis_urls import client_maker
from streamwatch.simulator import CallFault
from tests.cli.conftest import Shell


@pytest.fixture
def analytics(shell: Shell) -> RedisAnalytics:
    shell.environment["ANALYTICS_TYPE"] = "redis"
    shell.does("streamers", "add", "shroud", "waldkauzig", BACKFILL_ON_ADD="false")
    for days in (2, 3):
        start = utc_now() - timedelta(days=days)
        shell.twitch.videos.add("shroud", f"s{days}", start, timedelta(hours=3))
    shell.twitch.videos.add("shroud", None, utc_now() - timedelta(days=50), timedelta(hours=3))
    url = shell.environment["REDIS_URL"]
    assert url is not None
    return RedisAnalytics(Connection(client_maker(url)), CAP)


def test_named_streamers_are_backfilled_without_a_worker(
    shell: Shell, analytics: RedisAnalytics
) -> None:
    assert shell.does("backfill", "Shroud") == (
        "1 streamers: 3 videos, 2 sessions added, 0 known\n1 skipped: no stream id\n"
    )
    user_id = shell.twitch.world.user("shroud").user_id
    assert [session.stream_id for session in analytics.sessions(user_id, 10)] == ["s2", "s3"]


def test_all_streamers_can_be_backfilled_again(shell: Shell, analytics: RedisAnalytics) -> None:
    shell.does("backfill", "shroud")
    assert shell.does("backfill", "--all") == (
        "2 streamers: 3 videos, 0 sessions added, 2 known\n1 skipped: no stream id\n"
    )


def test_failures_are_exit_code_1(shell: Shell, analytics: RedisAnalytics) -> None:
    shell.twitch.faults.on_call("/helix/videos", CallFault(400))
    result = shell.run("backfill", "shroud")
    assert result.exit_code == 1
    assert "shroud: Twitch refused" in result.stderr
    unknown = shell.run("backfill", "nobody")
    assert (unknown.exit_code, "nobody" in unknown.stderr) == (1, True)


def test_a_backfill_that_is_tried_again_says_why(
    shell: Shell, analytics: RedisAnalytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamwatch.services.analytics.backfills.RETRY_SECONDS", 0.1)
    for _ in range(3):
        shell.twitch.faults.on_call("/helix/videos", CallFault(503))
    result = shell.run("backfill", "shroud")
    assert result.exit_code == 0
    assert "Trying again: Twitch" in result.stderr


@pytest.mark.parametrize("command", [[], ["shroud", "--all"], ["no login"]])
def test_wrong_usage_is_exit_code_2(shell: Shell, command: list[str]) -> None:
    assert shell.run("backfill", *command).exit_code == 2


def test_analytics_in_memory_need_a_worker(shell: Shell) -> None:
    result = shell.run("backfill", "--all")
    assert (result.exit_code, "no worker runs" in result.stderr) == (1, True)
