"""Get Videos."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from streamwatch.domain.models import Video
from streamwatch.twitch.base import TwitchUnavailable
from streamwatch.twitch.client import MAX_VIDEO_PAGES, Helix
from tests.twitch.conftest import API

Mock = responses.RequestsMock

VIDEOS = f"{API}/videos"

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def item(**changed: Any) -> dict[str, Any]:
    return {
        "id": "335921245",
        "stream_id": "9001",
        "user_id": "1337",
        "title": "A stream",
        "created_at": "2026-05-01T12:00:00Z",
        "url": "https://www.twitch.tv/videos/335921245",
        "language": "en",
        "type": "archive",
        "duration": "3h8m33s",
        "muted_segments": [{"duration": 30, "offset": 120}],
        **changed,
    }


def read(twitch: Mock, helix: Helix, *items: Any) -> list[Video]:
    twitch.get(VIDEOS, json={"data": items, "pagination": {}})
    return helix.videos("1337")


def test_a_video_is_read(twitch: Mock, helix: Helix) -> None:
    assert read(twitch, helix, item()) == [
        Video(
            id="335921245",
            stream_id="9001",
            started_at=START,
            ended_at=START + timedelta(hours=3, minutes=8, seconds=33),
            title="A stream",
            language="en",
            url="https://www.twitch.tv/videos/335921245",
        )
    ]
    sent = parse_qsl(urlsplit(str(twitch.calls[-1].request.url)).query)
    assert sent == [("user_id", "1337"), ("type", "archive"), ("first", "100")]


@pytest.mark.parametrize(
    ("duration", "seconds"), [("0s", 0), ("59s", 59), ("3m21s", 201), ("47h0m1s", 169_201)]
)
def test_durations_are_read(twitch: Mock, helix: Helix, duration: str, seconds: int) -> None:
    [video] = read(twitch, helix, item(duration=duration))
    assert video.ended_at - video.started_at == timedelta(seconds=seconds)


@pytest.mark.parametrize("stream_id", [None, ""])
def test_an_old_video_names_no_stream(twitch: Mock, helix: Helix, stream_id: str | None) -> None:
    [video] = read(twitch, helix, item(stream_id=stream_id))
    assert video.stream_id is None


@pytest.mark.parametrize(
    "odd",
    [
        {"duration": ""},
        {"duration": "h"},
        {"duration": "1d"},
        {"duration": "-5s"},
        {"duration": 5},
        {"id": "a\nb"},
        {"stream_id": 7},
        {"stream_id": "a b"},
        {"created_at": "0001-01-01T00:00:00Z"},
        {"created_at": "yesterday"},
        {"url": "javascript:alert(1)"},
        {"url": 'https://x"onclick='},
        {"title": None},
        {"type": "upload"},
    ],
)
def test_a_malformed_video_is_left_out(twitch: Mock, helix: Helix, odd: dict[str, Any]) -> None:
    assert [video.id for video in read(twitch, helix, item(**odd), item(id="2"))] == ["2"]


def test_pages_are_read_up_to_a_limit(twitch: Mock, helix: Helix) -> None:
    for number in range(MAX_VIDEO_PAGES):
        page = {"data": [item(id=str(number)), item(id="again")], "pagination": {"cursor": "more"}}
        twitch.get(VIDEOS, json=page)
    assert len(helix.videos("1337")) == MAX_VIDEO_PAGES + 1


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"data": null}'])
def test_a_response_without_a_list_is_an_error(twitch: Mock, helix: Helix, body: str) -> None:
    twitch.get(VIDEOS, body=body)
    with pytest.raises(TwitchUnavailable):
        helix.videos("1337")
