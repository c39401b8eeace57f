from collections.abc import Iterator

import pymongo
import pytest

from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.testing.build import CAP, as_input, offline, online, snapshot
from tests.cli.conftest import Shell

pytestmark = pytest.mark.xdist_group("mongo")


@pytest.fixture
def analytics(shell: Shell, mongodb_url: str, mongodb_database: str) -> Iterator[MongoAnalytics]:
    """Two streamers, whose sessions have been damaged."""
    shell.environment |= {
        "ANALYTICS_TYPE": "mongodb",
        "MONGODB_URL": mongodb_url,
        "MONGODB_DATABASE": mongodb_database,
    }
    analytics = MongoAnalytics(mongodb_url, mongodb_database, CAP)
    for name in ("ann", "bob"):
        went = (
            online(name, 0, user_id=name, login=name),
            snapshot(name, 60, 5, user_id=name, login=name),
            offline(name, 120, user_id=name, login=name),
        )
        analytics.project(as_input(*went))
    with pymongo.MongoClient[dict[str, object]](mongodb_url) as client:
        damage = {"$set": {"airtime_ms": 0, "viewer_ms": 0}}
        client[mongodb_database]["stream_sessions"].update_many({}, damage)
        client[mongodb_database]["streamer_stats"].update_many({}, damage)
    yield analytics
    analytics.close()


def repaired(analytics: MongoAnalytics) -> set[str]:
    stats = {name: analytics.find(name) for name in ("ann", "bob")}
    return {name for name, one in stats.items() if one and one.totals.airtime_ms == 120_000}


def test_named_streamers_are_recalculated(shell: Shell, analytics: MongoAnalytics) -> None:
    assert shell.does("recalculate", "Ann") == "1 recalculated\n"
    assert repaired(analytics) == {"ann"}


def test_all_streamers_can_be_recalculated(shell: Shell, analytics: MongoAnalytics) -> None:
    assert shell.does("recalculate", "--all") == "2 recalculated\n"
    assert repaired(analytics) == {"ann", "bob"}


def test_a_damaged_streamer_leaves_out_no_other(
    shell: Shell, analytics: MongoAnalytics, mongodb_url: str, mongodb_database: str
) -> None:
    with pymongo.MongoClient[dict[str, object]](mongodb_url) as client:
        stats = client[mongodb_database]["streamer_stats"]
        stats.update_one({"_id": "ann"}, {"$set": {"version": "damaged"}})
    result = shell.run("recalculate", "--all")
    assert (result.exit_code, result.stdout) == (1, "1 recalculated\n")
    assert "user ann is damaged" in result.stderr
    assert repaired(analytics) == {"bob"}


@pytest.mark.parametrize("command", [[], ["ann", "--all"], ["no login"]])
def test_wrong_usage_is_exit_code_2(
    shell: Shell, analytics: MongoAnalytics, command: list[str]
) -> None:
    assert shell.run("recalculate", *command).exit_code == 2
    assert repaired(analytics) == set()


def test_an_unknown_streamer_and_analytics_in_memory_are_exit_code_1(
    shell: Shell, analytics: MongoAnalytics
) -> None:
    result = shell.run("recalculate", "nobody")
    assert result.exit_code == 1
    assert "There is no data about 'nobody'." in result.stderr
    assert shell.run("recalculate", "ann", ANALYTICS_TYPE="memory").exit_code == 1
