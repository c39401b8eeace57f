"""Statistics over HTTP, on the analytics in memory and in MongoDB."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.testing.build import (
    CAP,
    CHESS,
    GO,
    Piece,
    as_input,
    offline,
    online,
    snapshot,
)
from streamwatch.domain.models import User
from streamwatch.domain.times import format_time, parse_time, utc_now
from streamwatch.services.analytics.projector import Projector
from streamwatch.storage.base import Topic
from tests import messages
from tests.api.world import FakeAnalytics, World, build_world, problem

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""Of `histories`, a Monday."""

OF_A_STREAMER = ("stats", "sessions", "categories", "schedule")
PATHS = (
    "/analytics/summary",
    "/analytics/top-streamers/hours",
    "/analytics/games/top",
    "/analytics/snapshots",
    *(f"/analytics/streamer/cool_user/{name}" for name in OF_A_STREAMER),
)


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.xdist_group("mongo"))])
def analytics(request: pytest.FixtureRequest) -> Iterator[AnalyticsStore]:
    if request.param == "memory":
        yield MemoryAnalytics(CAP)
        return
    url, database = (request.getfixturevalue(name) for name in ("mongodb_url", "mongodb_database"))
    store = MongoAnalytics(url, database, CAP)
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def world(analytics: AnalyticsStore) -> World:
    world = build_world()
    world.analytics = cast("FakeAnalytics", analytics)
    return world


@pytest.fixture
def memory_world() -> World:
    """For what does not depend on the store."""
    return build_world()


def keep(world: World, *pieces: Piece) -> None:
    world.analytics.project(as_input(*pieces))
    world.storage.coordination.publish_change(Topic.ANALYTICS)


def get(world: World, path: str) -> Any:
    response = world.get(path)
    assert response.status_code == 200, response.text
    return response.get_json()


STREAM: list[Piece] = [
    online("s1", 1, started=0),
    snapshot("s1", 0, 100, category=CHESS),
    snapshot("s1", 300, 50, category=GO),
    snapshot("s1", 2000, 7, category=GO),
    offline(None, 3000),
]
"""Viewers times seconds: 100·300 + 50·600 + 7·600; 1500 s of 3000 observed."""

STATS = {
    "broadcaster_id": "1337",
    "broadcaster_login": "cool_user",
    "broadcaster_name": "Cool_User",
    "total_streams": 1,
    "total_hours_streamed": 0.83,
    "avg_stream_duration_minutes": 50.0,
    "max_concurrent_viewers": 100,
    "avg_viewers_all_time": 42.8,
    "hours_watched": 17.83,
    "last_stream_at": "2026-06-01T12:00:00Z",
    "first_seen_at": "2026-06-01T12:00:00Z",
    "updated_at": "2026-06-01T12:50:00Z",
}


def test_a_session(world: World) -> None:
    keep(world, *STREAM)
    answer = get(world, "/analytics/streamer/Cool_User/sessions")
    assert (answer["broadcaster_login"], answer["count"]) == ("cool_user", 1)
    [session] = answer["sessions"]
    chess, go = session.pop("categories")
    assert session == {
        "stream_id": "s1",
        "broadcaster_id": "1337",
        "broadcaster_login": "cool_user",
        "broadcaster_name": "Cool_User",
        "started_at": "2026-06-01T12:00:00Z",
        "ended_at": "2026-06-01T12:50:00Z",
        "duration_minutes": 50.0,
        "max_viewers": 100,
        "avg_viewers": 42.8,
        "hours_watched": 17.83,
        "category_id": "2",
        "category_name": "Go",
        "title": "At 2000",
        "language": "en",
        "tags": ["English"],
        "snapshot_count": 3,
        "coverage": 0.5,
        "source": "observed",
        "vod_url": None,
    }
    assert (chess["category_name"], chess["hours"], chess["avg_viewers"]) == ("Chess", 0.08, 100)
    assert (go["category_name"], go["hours"], go["max_viewers"]) == ("Go", 0.33, 50)


def test_an_ongoing_session_has_statistics_so_far(world: World) -> None:
    keep(world, *STREAM[:3])
    [session] = get(world, "/analytics/streamer/cool_user/sessions")["sessions"]
    assert session["ended_at"] is None
    assert (session["duration_minutes"], session["avg_viewers"]) == (5.0, 100)
    assert session["hours_watched"] == 8.33


def test_a_session_without_samples(world: World) -> None:
    keep(world, online("s1", 0), offline("s1", 60))
    [session] = get(world, "/analytics/streamer/cool_user/sessions")["sessions"]
    assert (session["max_viewers"], session["avg_viewers"], session["title"]) == (None, None, None)
    assert (session["hours_watched"], session["coverage"], session["tags"]) == (0, 0, [])


def test_stats(world: World) -> None:
    keep(world, *STREAM)
    stats = get(world, "/analytics/streamer/COOL_USER/stats")
    assert stats == STATS | {"window": None}


def test_ongoing_streams_count_in_all_but_the_average_duration(world: World) -> None:
    keep(world, *STREAM, online("s2", 7200), snapshot("s2", 9000, 1, started=7200))
    stats = get(world, "/analytics/streamer/cool_user/stats")
    assert (stats["total_streams"], stats["avg_stream_duration_minutes"]) == (2, 50.0)
    assert stats["total_hours_streamed"] == 1.33
    assert stats["last_stream_at"] == "2026-06-01T14:00:00Z"


def test_recalculating_finds_the_same(world: World) -> None:
    keep(world, *STREAM)
    response = world.post("/analytics/streamer/Cool_user/recalculate")
    assert response.status_code == 200
    assert response.get_json() == {"message": "Recalculated cool_user", "stats": STATS}


def test_a_period_is_compared_with_the_one_before(world: World) -> None:
    def streamed(days_ago: float, hours: float, viewers: int) -> Iterator[Piece]:
        start = (datetime.now(UTC) - START).total_seconds() - days_ago * 86_400
        stream_id = f"s{days_ago}"
        yield online(stream_id, start)
        for number in range(round(hours * 6)):
            yield snapshot(stream_id, start + 600 * number, viewers, started=start)
        yield offline(stream_id, start + hours * 3600)

    keep(world, *streamed(3, 3, 50), *streamed(10, 2, 100), *streamed(40, 5, 1000))
    window = get(world, "/analytics/streamer/cool_user/stats?days=7")["window"]
    assert (window["days"], window["streams"], window["hours_streamed"]) == (7, 1, 3)
    assert (window["avg_viewers"], window["max_viewers"], window["hours_watched"]) == (50, 50, 150)
    assert window["previous"] == {
        "streams": 1,
        "hours_streamed": 2,
        "max_viewers": 100,
        "avg_viewers": 100,
        "hours_watched": 200,
    }
    assert window["change"] == {
        "streams": 0,
        "hours_streamed": 0.5,
        "max_viewers": -0.5,
        "avg_viewers": -0.5,
        "hours_watched": -0.25,
    }
    since, until = parse_time(window["since"]), parse_time(window["until"])
    assert until - since == timedelta(days=7)
    wide = get(world, "/analytics/streamer/cool_user/stats?days=90")["window"]
    assert (wide["streams"], set(wide["change"].values())) == (3, {None})


def test_an_average_that_is_not_known_has_no_change(world: World) -> None:
    now = (datetime.now(UTC) - START).total_seconds()
    before, recent = now - 10 * 86_400, now - 3 * 86_400
    keep(
        world,
        online("s1", before),
        snapshot("s1", before, 100, started=before),
        offline("s1", before + 600),
        online("s2", recent),
        offline("s2", recent + 600),
    )
    window = get(world, "/analytics/streamer/cool_user/stats?days=7")["window"]
    assert (window["avg_viewers"], window["change"]["avg_viewers"]) == (None, None)
    assert window["change"]["streams"] == 0


def test_the_summary(world: World) -> None:
    assert set(get(world, "/analytics/summary").values()) == {0}
    keep(world, *STREAM, online("s9", 0, user_id="2", login="ann"))
    assert get(world, "/analytics/summary") == {
        "total_streamers_tracked": 2,
        "total_stream_sessions": 2,
        "active_sessions": 1,
        "completed_sessions": 1,
        "total_snapshots_captured": 3,
        "total_hours_streamed": 0.83,
        "avg_hours_per_streamer": 0.42,
        "total_hours_watched": 17.83,
    }


@pytest.mark.parametrize("ranking", ["hours", "watched", "peak", "average"])
def test_the_top_streamers(world: World, ranking: str) -> None:
    keep(world, *STREAM, online("s9", 0, user_id="2", login="ann"))
    answer = get(world, f"/analytics/top-streamers/{ranking}")
    assert answer["count"] == 2
    assert answer["top_streamers"][0] == STATS
    assert get(world, f"/analytics/top-streamers/{ranking}?limit=1")["count"] == 1


def test_the_top_games_and_a_streamers_categories(world: World) -> None:
    keep(world, *STREAM)
    keep(world, snapshot("s9", 0, 9, user_id="2", login="ann", category=GO))
    top = get(world, "/analytics/games/top")
    assert [(game["category_name"], game["streamers"]) for game in top["top_games"]] == [
        ("Go", 2),
        ("Chess", 1),
    ]
    answer = get(world, "/analytics/streamer/cool_user/categories")
    assert [category["category_name"] for category in answer["categories"]] == ["Go", "Chess"]
    assert answer["categories"][0]["hours_watched"] == 9.5
    assert answer["count"] == 2


def test_the_schedule_uses_the_given_time_zone(world: World) -> None:
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday() + 7)
    start = (monday - START).total_seconds()
    keep(world, online("s1", start), offline("s1", start + 5400))
    keep(world, *(snapshot("s1", start + 600 * n, 10 * (n < 6), started=start) for n in range(9)))
    answer = get(world, "/analytics/streamer/cool_user/schedule?tz=Asia/Kathmandu")
    assert (answer["tz"], answer["count"], answer["days"]) == ("Asia/Kathmandu", 168, 90)
    live = [hour for hour in answer["schedule"] if hour["hours_live"]]
    assert live == [  # 12:00 to 13:30 UTC, at +05:45
        {"weekday": 0, "hour": 17, "hours_live": 0.25, "avg_viewers": 10},
        {"weekday": 0, "hour": 18, "hours_live": 1.0, "avg_viewers": 7.5},
        {"weekday": 0, "hour": 19, "hours_live": 0.25, "avg_viewers": 0},
    ]


def test_snapshots_of_all_and_of_one(world: World) -> None:
    keep(world, *STREAM, snapshot("s9", 60, 5, user_id="2", login="ann"))
    answer = get(world, "/analytics/snapshots?limit=2")
    assert (answer["count"], answer["broadcaster_login"]) == (2, None)
    assert [snapshot["viewer_count"] for snapshot in answer["snapshots"]] == [7, 50]
    answer = get(world, "/analytics/snapshots?broadcaster_login=Ann")
    assert (answer["count"], answer["broadcaster_login"]) == (1, "ann")
    assert answer["snapshots"] == [
        {
            "stream_id": "s9",
            "broadcaster_id": "2",
            "broadcaster_login": "ann",
            "broadcaster_name": "Ann",
            "captured_at": "2026-06-01T12:01:00Z",
            "started_at": "2026-06-01T12:00:00Z",
            "viewer_count": 5,
            "category_id": "1",
            "category_name": "Chess",
            "title": "At 60",
            "language": "en",
            "tags": ["English"],
        }
    ]
    assert get(world, "/analytics/snapshots?broadcaster_login=nobody")["snapshots"] == []


def test_an_unknown_streamer_is_404(world: World) -> None:
    for name in OF_A_STREAMER:
        problem(world.get(f"/analytics/streamer/nobody/{name}"), 404)
    problem(world.get("/analytics/streamer/nobody/sessions?format=csv"), 404)
    problem(world.post("/analytics/streamer/nobody/recalculate"), 404)
    assert world.get("/analytics/top-streamers/beauty").status_code == 404


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/analytics/streamer/cool_user/sessions?limit=0", "limit"),
        ("/analytics/streamer/cool_user/sessions?limit=501", "limit"),
        ("/analytics/top-streamers/hours?limit=51", "limit"),
        ("/analytics/games/top?limit=51", "limit"),
        ("/analytics/snapshots?limit=1001", "limit"),
        ("/analytics/snapshots?broadcaster_login=no%20login", "broadcaster_login"),
        ("/analytics/snapshots?format=xml", "format"),
        ("/analytics/streamer/cool_user/stats?days=8", "days"),
        ("/analytics/streamer/cool_user/schedule?tz=Berlin", "tz"),
        ("/analytics/streamer/cool_user/schedule?tz=../../etc/passwd", "tz"),
        ("/analytics/streamer/no-login/stats", "login"),
    ],
)
def test_values_out_of_bounds_are_422(memory_world: World, path: str, name: str) -> None:
    [fault] = problem(memory_world.get(path), 422)["errors"]
    assert fault["name"] == name


# CSV


def table(world: World, path: str, **options: Any) -> list[dict[str, str]]:
    response = world.get(path, **options)
    assert response.content_type == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(response.text)))


def test_all_sessions_as_csv(world: World) -> None:
    many = [online(f"s{n}", 1000 * n) for n in range(700)]
    keep(world, *STREAM, *many)
    path = "/analytics/streamer/cool_user/sessions"
    rows = table(world, f"{path}?format=csv")
    assert len(rows) == 700
    assert (rows[0]["stream_id"], rows[-1]["stream_id"]) == ("s699", "s0")
    assert (rows[-2]["max_viewers"], rows[-2]["tags"]) == ("100", "English")
    assert rows[0]["max_viewers"] == ""
    assert rows == table(world, path, headers={"Accept": "text/csv"})
    assert world.get(f"{path}?format=json", headers={"Accept": "text/csv"}).is_json
    assert world.get(path, headers={"Accept": "text/html,*/*"}).is_json
    for accepted in ("text/csv", "application/json"):
        assert "Accept" in world.get(path, headers={"Accept": accepted}).vary


def test_all_snapshots_as_csv(world: World) -> None:
    keep(world, *(snapshot("s1", n, n) for n in range(1200)))
    rows = table(world, "/analytics/snapshots?format=csv")
    assert [int(row["viewer_count"]) for row in rows] == list(range(1199, -1, -1))
    assert table(world, "/analytics/snapshots?format=csv&broadcaster_login=nobody") == []
    assert len(table(world, "/analytics/snapshots?format=csv&broadcaster_login=cool_user")) == 1200


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ('=HYPERLINK("https://evil.example")', '\'=HYPERLINK("https://evil.example")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("hello;=1", "hello;'=1"),
        ("hello\n@SUM(A1)", "hello\n'@SUM(A1)"),
        ("C++ and a-b = c", "C++ and a-b = c"),
    ],
)
def test_a_title_is_no_formula_in_csv(memory_world: World, title: str, cell: str) -> None:
    keep(memory_world, snapshot("s1", 0, 5, title=title))
    [row] = table(memory_world, "/analytics/snapshots?format=csv")
    assert row["title"] == cell


# Without the analytics


@pytest.mark.parametrize("path", [*PATHS, "/analytics/snapshots?format=csv"])
def test_analytics_that_are_down_are_503(memory_world: World, path: str) -> None:
    memory_world.analytics.error = AnalyticsUnavailable("a driver's words")
    response = memory_world.get(path)
    assert "driver" not in problem(response, 503)["detail"]
    assert response.headers["Retry-After"]


# From the webhook on


def test_a_webhook_stream_reaches_the_statistics(world: World) -> None:
    world.add("cool_user")
    user = User("id-of-cool_user", "cool_user", "Cool_user")
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
    world.send(messages.online(user, "9001", at=start, started_at=start))
    world.twitch.go_live(user, id="9001", started_at=start, viewer_count=60)
    services = world.app.extensions["streamwatch"]
    services.poller.poll_now([user.user_id])
    world.send(messages.offline(user, None, at=start + timedelta(minutes=4)))
    projector = Projector(world.storage.feed, world.analytics, "test", utc_now)
    assert projector.run_once()
    [session] = get(world, "/analytics/streamer/cool_user/sessions")["sessions"]
    assert session["started_at"] == format_time(start)
    assert session["ended_at"] == format_time(start + timedelta(minutes=4))
    assert (session["duration_minutes"], session["max_viewers"]) == (4, 60)
    assert session["hours_watched"] == pytest.approx(2, abs=0.1)
    assert get(world, "/analytics/summary")["completed_sessions"] == 1


def test_one_session_has_segments_and_samples(analytics: AnalyticsStore, world: World) -> None:
    start = (utc_now() - timedelta(hours=3) - START).total_seconds() // 1
    analytics.project(
        as_input(
            online("s1", start, user_id="1", login="cool_user"),
            *(
                snapshot(
                    "s1",
                    start + 300 * number,
                    100 * number,
                    started=start,
                    user_id="1",
                    login="cool_user",
                    category=CHESS if number < 6 else GO,
                    title="A title",
                )
                for number in range(12)
            ),
            offline("s1", start + 3600, user_id="1", login="cool_user"),
        )
    )
    found = world.get("/analytics/streamer/COOL_USER/sessions/s1").get_json()
    assert found["stream_id"] == "s1"
    assert [part["category_name"] for part in found["segments"]] == ["Chess", "Go"]
    assert found["segments"][0]["started_at"] == found["started_at"]
    assert found["segments"][0]["ended_at"] == found["segments"][1]["started_at"]
    assert found["segments"][1]["ended_at"] == found["ended_at"]
    watched = sum(part["hours_watched"] for part in found["segments"])
    assert watched == pytest.approx(found["hours_watched"], abs=0.01)
    assert len(found["samples"]) == 12
    assert found["samples"][-1]["viewer_count"] == 1100


def test_an_unknown_session_is_404(analytics: AnalyticsStore, world: World) -> None:
    analytics.project(as_input(online("s1", 0, user_id="1", login="cool_user")))
    analytics.project(as_input(online("s2", 0, user_id="2", login="another")))
    for path in ("cool_user/sessions/s9", "cool_user/sessions/s2", "nobody/sessions/s1"):
        assert problem(world.get(f"/analytics/streamer/{path}"), 404)


@pytest.mark.parametrize("days", [7, 30, 90, 365])
def test_the_trend_has_each_of_the_last_dates(
    analytics: AnalyticsStore, world: World, days: int
) -> None:
    start = (utc_now() - timedelta(hours=30) - START).total_seconds() // 1
    analytics.project(
        as_input(
            online("s1", start, user_id="1", login="cool_user"),
            snapshot("s1", start, 10, started=start, user_id="1", login="cool_user"),
            offline("s1", start + 600, user_id="1", login="cool_user"),
        )
    )
    path = f"/analytics/streamer/cool_user/trend?days={days}&tz=UTC"
    found = world.get(path).get_json()
    dates = [item["date"] for item in found["days"]]
    today = utc_now().date()
    expected = [(today - timedelta(days=n)).isoformat() for n in range(days - 1, -1, -1)]
    assert dates == expected
    assert (found["broadcaster_login"], found["count"]) == ("cool_user", days)
    assert sum(item["streams"] for item in found["days"]) == 1
    assert {item["max_viewers"] for item in found["days"]} == {None, 10}
    assert world.get("/analytics/streamer/nobody/trend").status_code == 404
    assert world.get("/analytics/streamer/cool_user/trend?days=8").status_code == 422
    assert world.get("/analytics/streamer/cool_user/trend?tz=Nowhere").status_code == 422
