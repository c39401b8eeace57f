"""Streams without viewer samples on a streamer's page: from archived videos, or deleted samples."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.dashboard.filters import NONE
from streamwatch.domain.models import Video
from streamwatch.domain.session_events import ProjectionInput, video_event
from streamwatch.simulator.past import SAMPLED_EVERY
from tests.application import application
from tests.dashboard.showcase import Showcase

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

PAGE = "/dashboard/streamer/shroud?days=7"


@pytest.fixture
def showcase() -> Showcase:
    showcase = Showcase()
    showcase.monitor("Shroud")
    return showcase


@pytest.fixture
def client(showcase: Showcase) -> FlaskClient:
    return application(showcase.services).test_client()


def give_video(showcase: Showcase, stream_id: str, ago: timedelta, length: timedelta) -> None:
    start = showcase.now - ago
    url = f"https://www.twitch.tv/videos/{stream_id}"
    video = Video("1", stream_id, start, start + length, "From last week", "en", url)
    event = video_event(video, "id-shroud", "shroud", "Shroud")
    showcase.analytics.project(ProjectionInput((event,)))


@pytest.mark.parametrize("path", [PAGE, "/dashboard/top", "/dashboard/compare?who=shroud&who=ann"])
def test_hours_watched_are_missing_where_nobody_counted_viewers(
    showcase: Showcase, client: FlaskClient, path: str
) -> None:
    showcase.monitor("Ann")
    showcase.past_stream(showcase.twitch.known["id-ann"], "s2", showcase.now - DAY, HOUR, 60)
    give_video(showcase, "s1", 3 * DAY, 2 * HOUR)
    page = client.get(path).text
    [tile] = re.findall(r"Hours watched</span>\s*<b>([^<]*)</b>", page) or [None]
    cells = re.findall(r'<span>Shroud</span></a></th>\s*<td class="end[^"]*">([^<]*)<', page)
    assert [tile, *cells] in ([NONE], [None, NONE])


def test_the_trend_is_of_hours_streamed_where_nobody_counted_viewers(
    showcase: Showcase, client: FlaskClient
) -> None:
    chosen = re.compile(r'metric=(\w+)" aria-current="true"')
    give_video(showcase, "s1", 3 * DAY, 2 * HOUR)
    assert chosen.findall(client.get(PAGE).text) == ["hours_streamed"]
    assert chosen.findall(client.get(f"{PAGE}&metric=peak_viewers").text) == ["peak_viewers"]
    showcase.past_stream(showcase.twitch.known["id-shroud"], "s2", showcase.now - DAY, HOUR, 60)
    assert chosen.findall(client.get(PAGE).text) == ["hours_watched"]


def test_a_stream_from_the_archive_is_hatched_and_linked(
    showcase: Showcase, client: FlaskClient
) -> None:
    noon = showcase.now.replace(hour=12)  # the stream is on one day, whenever this runs
    give_video(showcase, "s1", showcase.now - noon + 3 * DAY, 2 * HOUR)
    page = client.get(PAGE + "&metric=hours_streamed").text
    assert page.count("From the archive") == 3, "in the table, the heading and the segments"
    assert "from the archive: 1 stream whose viewers are not known" in page
    assert 'href="https://www.twitch.tv/videos/s1"' in page
    bar, segment = re.findall(r'<rect class="unseen"', page)
    assert bar == segment
    assert re.search(r'class="heat-8 archived" title="[^"]*, viewers not known"', page)
    [row] = re.findall(r"<tr[^>]*chosen.*?</tr>", page, re.DOTALL)
    assert "2 h 00 min" in row
    assert "From last week" in row
    assert "0" not in re.findall(r"<td[^>]*>([^<]*)</td>", row)[1:4]


def test_segments_of_an_observed_stream_link_into_its_video(
    showcase: Showcase, client: FlaskClient
) -> None:
    user = showcase.twitch.known["id-shroud"]
    start = showcase.now - 3 * DAY
    for number in range(6):
        at = start + HOUR + number * SAMPLED_EVERY
        showcase.past_sample(user, "s1", at, 60, start)
    give_video(showcase, "s1", 3 * DAY, 2 * HOUR)
    page = client.get(PAGE).text
    assert "From the archive" not in page
    links = re.findall(r'href="https://www.twitch.tv/videos/s1([^"]*)"', page)
    assert {"", "?t=1h0m0s"} <= set(links), links


def test_a_stream_without_samples_says_so_in_place_of_a_chart(
    showcase: Showcase, client: FlaskClient
) -> None:
    give_video(showcase, "s1", 3 * DAY, 2 * HOUR)
    page = client.get(PAGE).text
    assert "No viewer samples were stored for this stream." in page
    assert "data-chart" not in page
    showcase.past_stream(showcase.twitch.known["id-shroud"], "s2", showcase.now - DAY, HOUR, 60)
    page = client.get(PAGE).text
    assert "No viewer samples" not in page
    assert "data-chart" in page


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (2, "Viewer samples older than 2 days are deleted. Average and peak remain."),
        (0, "The viewer samples of this stream were deleted. Average and peak remain."),
    ],
)
def test_a_stream_whose_samples_were_deleted_says_why(days: int, sentence: str) -> None:
    showcase = Showcase(analytics=MemoryAnalytics(SAMPLED_EVERY, retention=2 * DAY))
    showcase.settings = replace(showcase.settings, snapshot_retention_days=days)
    showcase.monitor("Shroud")
    showcase.past_stream(showcase.twitch.known["id-shroud"], "s1", showcase.now - 3 * DAY, HOUR, 60)
    page = application(showcase.services).test_client().get(PAGE).text
    assert sentence in page
    assert "average 60 · peak 60" in page
    assert "data-chart" not in page


def test_a_page_without_statistics_says_that_the_archive_is_read(
    showcase: Showcase, client: FlaskClient
) -> None:
    assert "The archive is being read" not in client.get(PAGE).text
    showcase.services.backfills.request("shroud")
    assert "The archive is being read" in client.get(PAGE).text
