"""RSS and calendars, as a reader gets them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import pytest
from icalendar import Calendar
from werkzeug.test import TestResponse

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.domain.models import User
from streamwatch.domain.sessions import StreamSession
from tests import messages
from tests.api.world import FakeAnalytics, World, build_world, problem

SHROUD = User("id-of-shroud", "shroud", "Shroud")
PATHS = ["/feeds/live.rss", "/feeds/streamer/SHROUD.rss"]


@pytest.fixture
def lively(world: World) -> World:
    """shroud went live; the webhook reported it, and a poll the rest."""
    user = world.twitch.add_user("shroud", name="Shroud")
    stream = world.twitch.go_live(user, id="9001", title="A < B & C \x0b", game_name="Chess")
    world.send(messages.online(SHROUD, "9001", started_at=stream.started_at))
    world.post("/streamers/shroud")
    return world


def items(response: TestResponse) -> list[dict[str, Any]]:
    assert (response.status_code, response.content_type) == (200, "application/rss+xml")
    root = ET.fromstring(response.data)  # noqa: S314  our own
    assert root.attrib["version"] == "2.0"
    return [{part.tag: part.text for part in item} for item in root.iterfind("channel/item")]


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_that_went_live_is_an_item(lively: World, path: str) -> None:
    [event] = lively.get("/events").get_json()["events"]
    [item] = items(lively.get(path))
    assert item.pop("pubDate")
    assert item == {
        "guid": event["id"],
        "title": "Shroud went live: Chess",
        "link": "https://www.twitch.tv/shroud",
        "description": "A < B & C \N{REPLACEMENT CHARACTER}",
        "category": "Chess",
    }


@pytest.mark.parametrize("path", PATHS)
def test_an_ended_stream_stays_an_item_and_its_end_is_not_an_item(lively: World, path: str) -> None:
    [guid] = [item["guid"] for item in items(lively.get(path))]
    lively.send(messages.offline(SHROUD, "9001"))
    lively.send(messages.online(SHROUD, "9002"))
    listed = items(lively.get(path))
    assert [item["title"] for item in listed] == ["Shroud went live"] * 2
    assert listed[1]["guid"] == guid
    times = [parsedate_to_datetime(item["pubDate"]) for item in listed]
    assert times == sorted(times, reverse=True)
    assert all(time.tzinfo for time in times)


@pytest.mark.parametrize("path", PATHS)
def test_an_update_changes_the_text_of_the_item_at_once(lively: World, path: str) -> None:
    [before] = items(lively.get(path))
    lively.send(messages.update(SHROUD, "Hello", ("1", "Go")))
    [item] = items(lively.get(path))
    assert item["guid"] == before["guid"]
    assert (item["title"], item["description"]) == ("Shroud went live: Go", "Hello")


@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_feed_is_304(lively: World, path: str) -> None:
    tag = lively.get(path).headers["ETag"]
    headers = {"If-None-Match": tag}
    assert lively.get(path, headers=headers).status_code == 304
    lively.send(messages.online(SHROUD, "9002"))
    assert lively.get(path, headers=headers).status_code == 200


def test_a_streamers_feed_has_only_their_events(lively: World) -> None:
    lively.send(messages.online())
    assert len(items(lively.get("/feeds/live.rss"))) == 2
    assert len(items(lively.get("/feeds/streamer/shroud.rss"))) == 1
    lively.twitch.add_user("quiet")
    lively.post("/streamers/quiet")
    assert items(lively.get("/feeds/streamer/quiet.rss")) == []


@pytest.mark.parametrize("path", PATHS)
def test_an_item_keeps_title_and_category_of_a_stream_that_has_ended(
    lively: World, path: str
) -> None:
    [before] = items(lively.get(path))
    lively.send(messages.offline(SHROUD, "9001"))
    lively.app.extensions["streamwatch"].projector.run_once()
    assert items(lively.get(path)) == [before]


def test_an_item_keeps_its_category_after_the_streamer_was_renamed(lively: World) -> None:
    renamed = User(SHROUD.user_id, "new_name", "New_Name")
    later = datetime.now(UTC) + timedelta(seconds=1)  # than the name that is known
    lively.send(messages.offline(renamed, "9001", at=later))
    lively.app.extensions["streamwatch"].projector.run_once()
    assert lively.analytics.find("new_name")
    [item] = items(lively.get("/feeds/live.rss"))
    assert item["category"] == "Chess"


class CountingAnalytics(FakeAnalytics):
    """Counts the sessions that are read."""

    sessions_read = 0

    def session(self, stream_id: str) -> StreamSession | None:
        self.sessions_read += 1
        return super().session(stream_id)

    def each_session(self, *arguments: Any, **options: Any) -> Iterator[StreamSession]:
        for session in super().each_session(*arguments, **options):
            self.sessions_read += 1
            yield session


def test_a_feed_reads_no_more_sessions_than_it_has_items() -> None:
    analytics = CountingAnalytics()
    world = World(build_world().settings, analytics=analytics)
    for login in ("ann", "bob", "carol"):
        world.add(login, login)
    for number in range(50):
        for login in ("ann", "bob", "carol"):
            world.send(messages.online(User(login, login, login), f"{login}-{number}"))
    projector = world.app.extensions["streamwatch"].projector
    while projector.run_once():
        pass
    assert analytics.summary().totals.streams == 150

    analytics.sessions_read = 0
    assert len(items(world.get("/feeds/live.rss?limit=50"))) == 50
    assert 0 < analytics.sessions_read <= 50


def test_without_analytics_ended_streams_are_items_without_details(
    lively: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lively.send(messages.offline(SHROUD, "9001"))

    def fail(*_: Any) -> Any:
        raise AnalyticsUnavailable("down")

    monkeypatch.setattr(lively.analytics, "session", fail)
    [item] = items(lively.get("/feeds/live.rss"))
    assert item["title"] == "Shroud went live"


@pytest.mark.parametrize("path", PATHS)
def test_a_limit_bounds_the_items(lively: World, path: str) -> None:
    lively.send(messages.offline(SHROUD, "9001"))
    lively.send(messages.online(SHROUD, "9002"))
    assert len(items(lively.get(f"{path}?limit=1"))) == 1
    assert len(items(lively.get(f"{path}?limit=500"))) == 2
    for limit in (0, 501):
        problem(lively.get(f"{path}?limit={limit}"), 422)


@pytest.mark.parametrize(
    ("path", "page"),
    [(PATHS[0], "/dashboard/"), (PATHS[1], "/dashboard/streamer/shroud")],
)
def test_a_channel_links_to_its_page_and_its_own_address(
    lively: World, path: str, page: str
) -> None:
    channel = ET.fromstring(lively.get(f"{path}?limit=7").data)[0]  # noqa: S314  our own
    assert channel.findtext("link") == f"http://localhost{page}"
    link = channel.find("{http://www.w3.org/2005/Atom}link")
    assert link is not None
    assert link.attrib["href"] == f"http://localhost{path}?limit=7"


def test_last_modified_is_the_time_of_the_newest_item_or_detail(lively: World) -> None:
    response = lively.get("/feeds/live.rss")
    assert response.last_modified is not None
    [item] = items(response)
    assert response.last_modified >= parsedate_to_datetime(item["pubDate"])


def test_a_calendar_has_no_control_characters(lively: World) -> None:
    lively.send(messages.offline(SHROUD, "9001"))
    lively.app.extensions["streamwatch"].projector.run_once()
    response = lively.get("/feeds/streamer/shroud.ics")
    assert response.content_type == "text/calendar; charset=utf-8"
    assert "SUMMARY:Shroud: A < B & C \r\n" in response.text
    assert "\x0b" not in response.text


def test_a_feed_of_an_unknown_streamer_is_404(world: World) -> None:
    problem(world.get("/feeds/streamer/nobody.rss"), 404)
    problem(world.get("/feeds/streamer/not-a-login.rss"), 422)


@pytest.mark.parametrize("path", PATHS)
def test_a_strict_reader_accepts_a_feed(lively: World, path: str) -> None:
    feed = feedparser.parse(lively.get(path).data)
    assert (feed.bozo, feed.version) == (False, "rss20")
    assert feed.feed.title
    assert feed.feed.link
    assert feed.feed.description
    ids = [entry.id for entry in feed.entries]
    assert len(ids) == len(set(ids)) == 1
    assert all(entry.link and entry.published_parsed for entry in feed.entries)


def test_a_strict_reader_accepts_a_calendar(lively: World) -> None:
    lively.send(messages.offline(SHROUD, "9001"))
    lively.app.extensions["streamwatch"].projector.run_once()
    response = lively.get("/feeds/streamer/shroud.ics")
    calendar = Calendar.from_ical(response.data)
    assert calendar.errors == []
    assert {"PRODID", "VERSION"} <= calendar.keys()
    [event] = calendar.walk("VEVENT")
    assert event.errors == []
    assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= event.keys()
    assert all(len(line) <= 75 for line in response.data.split(b"\r\n"))


def test_a_stream_that_was_only_seen_to_start_has_no_end_in_the_calendar(lively: World) -> None:
    lively.app.extensions["streamwatch"].projector.run_once()
    calendar = Calendar.from_ical(lively.get("/feeds/streamer/shroud.ics").data)
    [event] = calendar.walk("VEVENT")
    assert "DTEND" not in event


def test_changes_of_title_take_no_place_of_streams(lively: World) -> None:
    for number in range(5):
        lively.send(messages.update(SHROUD, title=f"Title {number}"))
    [item] = items(lively.get("/feeds/streamer/shroud.rss?limit=1"))
    assert item["title"].startswith("Shroud went live")
