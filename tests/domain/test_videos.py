"""Sessions from archived videos."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from streamwatch.analytics.testing.build import (
    Piece,
    as_input,
    at,
    expected_sessions,
    offline,
    online,
    snapshot,
    video,
)
from streamwatch.domain.models import EventType, MonitoringEnd, Source, StreamEvent, Video
from streamwatch.domain.session_events import InvalidObservation, identities, video_event
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.status_update import ENDED_BY
from streamwatch.domain.times import format_time
from streamwatch.domain.totals import session_totals, totals
from streamwatch.domain.videos import SkipReason, link, sort_videos

HOUR = 3600.0


def session_of(*pieces: Piece) -> StreamSession:
    [session] = expected_sessions(pieces).values()
    return session


def without_video(session: StreamSession) -> StreamSession:
    return replace(session, video=None)


def estimated_offline(stream_id: str, last_seen: float, ended_by: float) -> StreamEvent:
    data = {"id": stream_id, ENDED_BY: format_time(at(ended_by))}
    return StreamEvent(
        id=f"estimate:{stream_id}",
        event_type=EventType.OFFLINE,
        broadcaster_id="1337",
        broadcaster_login="cool_user",
        broadcaster_name="Cool_User",
        timestamp=at(last_seen),
        data=data,
        source=Source.POLL,
    )


def archived(stream_id: str | None, start: datetime, end: datetime, video_id: str = "1") -> Video:
    return Video(video_id, stream_id, start, end, "Hi", "en", "https://www.twitch.tv/videos/1")


# What a video says


def test_a_video_alone_is_a_session_whose_hours_count() -> None:
    session = session_of(video("s1", 0, 2 * HOUR))
    assert not session.is_observed
    assert (session.started_at, session.ended_at) == (at(0), at(2 * HOUR))
    assert (session.title, session.language) == ("Video v-s1", "en")
    assert (session.broadcaster_login, session.coverage) == ("cool_user", 0)
    assert session.sample_totals.sums.max_viewers is None
    assert session_totals(session).hours_streamed == 2


def test_the_viewers_of_a_video_weigh_nothing_in_an_average() -> None:
    observed: list[Piece] = [
        online("s2", 9 * HOUR),
        snapshot("s2", 9 * HOUR, 50),
        snapshot("s2", 9.1 * HOUR, 70),
    ]
    before = totals(expected_sessions(observed).values())
    after = totals(expected_sessions([*observed, video("s1", 0, 5 * HOUR)]).values())
    assert after.sums == before.sums
    assert (after.streams, after.hours_streamed) == (2, before.hours_streamed + 5)


def test_several_videos_of_a_stream_are_one_session() -> None:
    first, second = video("s1", 0, 100, video_id="b"), video("s1", 200, 900, video_id="a")
    session = session_of(second, first, video("s1", 0, 50, video_id="b"))
    assert (session.started_at, session.ended_at) == (at(0), at(900))
    assert session.video is not None
    assert session.video.url.endswith("/b")


# What was observed wins


@pytest.mark.parametrize(
    "observed",
    [
        [online("s1", 10), snapshot("s1", 60, 5), offline("s1", 900)],
        [online("s1", 10), snapshot("s1", 60, 5)],
        [snapshot("s1", 60, 5, started=20), offline(None, 70)],
        [online("s1", 10), online("s2", 500), snapshot("s2", 600, 3)],
    ],
)
def test_a_video_adds_only_itself_to_an_observed_session(observed: list[Piece]) -> None:
    pieces = [*observed, video("s1", 0, 5000)]
    found = expected_sessions(pieces)
    assert {key: without_video(session) for key, session in found.items()} == expected_sessions(
        observed
    )
    assert found["s1"].video is not None


def test_a_stream_that_is_on_is_not_ended_by_its_video_or_a_later_one() -> None:
    found = expected_sessions([online("s1", 0), video("s1", 0, 600), video("s2", 9000, 9900)])
    assert found["s1"].ended_at is None
    assert found["s2"].ended_at == at(9900)


def test_a_video_gives_title_and_language_where_no_sample_did() -> None:
    session = session_of(online("s1", 0), offline("s1", 60), video("s1", 0, 60))
    assert (session.title, session.language, session.is_observed) == ("Video v-s1", "en", True)
    session = session_of(snapshot("s1", 5, title="Seen"), offline("s1", 60), video("s1", 0, 60))
    assert session.title == "Seen"


def test_a_video_gives_the_start_of_a_stream_whose_end_was_observed() -> None:
    session = session_of(offline("s1", 700), video("s1", 0, 900))
    assert (session.started_at, session.ended_at) == (at(0), at(700))
    assert session.is_observed


def test_a_video_ends_a_stream_whose_end_was_missed() -> None:
    observed: list[Piece] = [online("s1", 0), snapshot("s1", 600, 5)]
    off_for_days = estimated_offline("s1", 600, 48 * HOUR)
    assert session_of(*observed, off_for_days).ended_at == at(600)
    assert session_of(*observed, off_for_days, video("s1", 0, 5 * HOUR)).ended_at == at(5 * HOUR)
    outside = video("s1", 0, 50 * HOUR)
    assert session_of(*observed, off_for_days, outside).ended_at == at(600)
    of_a_poll = estimated_offline("s1", 600, 1200)
    assert session_of(*observed, of_a_poll, video("s1", 0, 900)).ended_at == at(600)


def test_a_video_ends_a_stream_during_which_its_streamer_was_removed() -> None:
    removal = MonitoringEnd(at(1800), "s1", "1337", "cool_user", "Cool_User")
    observed: list[Piece] = [online("s1", 0), snapshot("s1", 1500), removal]
    assert session_of(*observed).ended_at == at(1500)
    assert session_of(*observed, video("s1", 0, 4 * HOUR)).ended_at == at(4 * HOUR)
    assert session_of(*observed, video("s1", 0, 600)).ended_at == at(1500)


@pytest.mark.parametrize(("next_start", "end"), [(90, 4), (3, 3), (0.5, 1500 / HOUR)])
def test_a_video_ends_a_stream_without_an_end_before_the_next_stream(
    next_start: float, end: float
) -> None:
    """Unless the stream was last seen shortly before that."""
    observed: list[Piece] = [online("s1", 0), snapshot("s1", 1500)]
    later: list[Piece] = [online("s2", next_start * HOUR)]
    found = expected_sessions([*observed, *later, video("s1", 0, 4 * HOUR)])
    assert found["s1"].ended_at == at(end * HOUR)


def test_the_names_of_a_video_do_not_rename_an_observed_session() -> None:
    later_name = video("s1", 0, 600, login="renamed")
    assert session_of(online("s1", 0), later_name).broadcaster_login == "cool_user"
    assert session_of(later_name).broadcaster_login == "renamed"


def test_a_streamer_is_first_seen_when_observed() -> None:
    observed, before = as_input(online("s1", 900)), as_input(video("s0", 0, 60))
    of_video = identities(before.events)["1337"]
    assert (of_video.is_observed, of_video.first_seen_at) == (False, at(0))
    both = identities(before.events + observed.events)["1337"]
    assert both == identities(observed.events + before.events)["1337"]
    assert (both.is_observed, both.first_seen_at) == (True, at(900))


# Which videos count


def test_videos_of_streams_that_may_be_on_are_skipped_with_the_reason() -> None:
    now, start = at(10 * HOUR), at(0)
    recent = now - timedelta(minutes=14)
    videos = [
        archived("over", start, now - timedelta(minutes=15)),
        archived("live", start, at(60)),
        archived("grows", start, recent),
        archived(None, start, at(60)),
        archived("empty", start, start),
    ]
    found = sort_videos(videos, "live", now)
    assert [video.stream_id for video in found.usable] == ["over"]
    assert found.skipped == dict.fromkeys(SkipReason, 1)


def test_a_video_without_a_stream_is_no_event() -> None:
    with pytest.raises(InvalidObservation):
        video_event(archived(None, at(0), at(60)), "1", "ann", "Ann")


# Links


@pytest.mark.parametrize(
    ("seconds", "suffix"),
    [(None, ""), (0, ""), (-5, ""), (59, "?t=0h0m59s"), (3723, "?t=1h2m3s"), (9000, "")],
)
def test_a_link_points_to_a_time_of_the_stream(seconds: float | None, suffix: str) -> None:
    found = archived("s1", at(0), at(2 * HOUR))
    time = None if seconds is None else at(seconds)
    assert link(found, time) == found.url + suffix
