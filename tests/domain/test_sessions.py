from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streamwatch.analytics.testing.build import (
    Piece,
    at,
    expected_sessions,
    history,
    offline,
    online,
    snapshot,
)
from streamwatch.domain.observations import Observation, SeenLive, WentOffline
from streamwatch.domain.session_events import (
    MAX_VIEWERS,
    InvalidObservation,
    normalize_sample,
    session_event,
)
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.transitions import decide
from tests.domain import build


def of(*pieces: Piece) -> dict[str, StreamSession]:
    return expected_sessions(pieces)


def ends(*what: Piece) -> dict[str, float | None]:
    """The sessions' ends, in seconds."""
    return {
        stream_id: (session.ended_at - at(0)).total_seconds() if session.ended_at else None
        for stream_id, session in of(*what).items()
    }


# Opened


def test_an_online_opens_a_session() -> None:
    [session] = of(online("s1", 5, started=0)).values()
    assert (session.started_at, session.ended_at, session.seen_at) == (at(0), None, at(5))
    assert (session.broadcaster_id, session.broadcaster_login) == ("1337", "cool_user")
    assert session.airtime_ms == 5000


def test_a_poll_opens_the_session_of_a_stream_without_an_online() -> None:
    [session] = of(snapshot("s1", 900, started=0)).values()
    assert (session.started_at, session.ended_at, session.seen_at) == (at(0), None, at(900))


def test_an_offline_of_an_unknown_stream_opens_no_session() -> None:
    assert of(offline("s1", 5), offline(None, 7)) == {}


def test_the_same_stream_again_reopens_its_session() -> None:
    assert ends(online("s1", 0), offline(None, 30), online("s1", 75, started=0)) == {"s1": None}


def test_a_start_reported_twice_is_the_earlier_one() -> None:
    [session] = of(online("s1", 3, started=0.4), snapshot("s1", 60, started=0)).values()
    assert session.started_at == at(0)


# Closed


@pytest.mark.parametrize("named", ["s1", None])
def test_an_offline_closes_the_session(named: str | None) -> None:
    assert ends(online("s1", 0), snapshot("s1", 60), offline(named, 100)) == {"s1": 100}


def test_the_first_offline_of_several_counts() -> None:
    assert ends(online("s1", 0), offline(None, 100), offline("s1", 102)) == {"s1": 100}


def test_an_offline_from_before_the_online_does_not_end_the_stream() -> None:
    assert ends(online("s1", 10), offline("s1", 5), offline(None, 6)) == {"s1": None}


def test_an_offline_without_stream_id_ends_the_stream_known_at_its_time() -> None:
    late = online("s2", 50, started=10)
    assert ends(online("s1", 0), late, offline(None, 20)) == {"s1": 10, "s2": None}
    assert ends(online("s1", 0), late, offline(None, 60)) == {"s1": 0, "s2": 60}


def test_a_named_offline_ends_its_stream_although_another_has_started() -> None:
    assert ends(online("s1", 0), online("s2", 50), offline("s1", 51)) == {"s1": 50, "s2": None}


def test_a_stream_whose_offline_was_missed_ended_when_it_was_last_seen() -> None:
    what = (online("s1", 0), snapshot("s1", 300), snapshot("s1", 600), online("s2", 5000))
    assert ends(*what) == {"s1": 600, "s2": None}


def test_a_late_online_of_an_older_stream_makes_its_session_too() -> None:
    assert ends(online("s2", 100), offline("s1", 50), online("s1", 0)) == {"s1": 50, "s2": None}


def test_a_poll_that_still_shows_the_stream_after_its_offline_does_not_reopen_it() -> None:
    assert ends(online("s1", 0), offline("s1", 100), snapshot("s1", 130)) == {"s1": 100}


def test_a_stream_starts_no_later_than_its_online_message() -> None:
    event = session_event(online("s1", 0, started=60))
    assert (event.at, event.started_at) == (at(0), at(0))
    assert ends(online("s1", 0, started=60), offline(None, 30)) == {"s1": 30}


# What it shows


def test_title_category_language_and_names_are_the_last_seen() -> None:
    chess = snapshot("s1", 60, category=("1", "Chess"))
    go = snapshot("s1", 120, category=("2", "Go"), login="renamed")
    [session] = of(online("s1", 0), go, chess).values()
    last = session.sample_totals.last
    assert last is not None
    assert (last.title, last.category_name) == ("At 120", "Go")
    assert (session.broadcaster_login, session.broadcaster_name) == ("renamed", "Renamed")
    assert [c.category_name for c in session.sample_totals.categories] == ["Chess", "Go"]


def test_coverage_is_the_share_of_airtime_with_samples() -> None:
    [session] = of(online("s1", 0), snapshot("s1", 50), offline("s1", 100)).values()
    assert session.coverage == 0.5
    [session] = of(
        online("s1", 0), snapshot("s1", 0), snapshot("s1", 90), offline("s1", 60)
    ).values()
    assert session.coverage == 1
    [session] = of(online("s1", 0)).values()
    assert session.coverage == 0


def test_invalid_sessions_are_refused() -> None:
    good = online("s1", 0)
    for data in (
        {},
        {"id": "s1"},
        {"started_at": "now", "id": "s1"},
        {"id": "s1", "started_at": 1},
    ):
        with pytest.raises(InvalidObservation):
            session_event(replace(good, data=data))
    for viewers in (-1, MAX_VIEWERS + 1):
        with pytest.raises(InvalidObservation):
            normalize_sample(snapshot("s1", 0, viewers))


# Whatever the order


@given(st.randoms(use_true_random=False), st.randoms(use_true_random=False))
def test_sessions_do_not_depend_on_order_or_repetition(random: Random, order: Random) -> None:
    pieces = history(random)
    again = [*pieces, *order.sample(pieces, len(pieces) // 2)]
    order.shuffle(again)
    assert of(*again) == of(*pieces)


@given(st.randoms(use_true_random=False))
def test_a_session_never_ends_before_it_starts_and_at_most_one_is_ongoing(random: Random) -> None:
    found = of(*history(random)).values()
    assert all(session.airtime_ms >= 0 for session in found)
    assert sum(session.is_ongoing for session in found) <= 1


def observations() -> st.SearchStrategy[list[Observation]]:
    """Up to an hour of one streamer, whose streams s0, s1 … start every 10 minutes."""
    streams, seconds = st.integers(0, 3), st.integers(0, 3000)
    onlines = st.builds(
        lambda n, late: build.online(f"s{n}", 600 * n + late, started=600 * n),
        streams,
        st.sampled_from([0, 3, 200, 900]),
    )
    named = streams.map(lambda n: f"s{n}")
    offlines = st.builds(build.offline, named | st.none(), seconds)
    polls = st.builds(
        lambda n, late: build.seen(f"s{n}", 600 * n + late, started=600 * n),
        streams,
        st.integers(0, 1500),
    )
    absences = seconds.map(build.absent)
    return st.lists(onlines | offlines | polls | absences, max_size=20)


def ends_before_its_start_and_again(several: list[Observation]) -> bool:
    """Whether a stream has an end no later than the start that polls give, and there is another end
    that may be the stream's."""
    shown = [item.stream for item in several if isinstance(item, SeenLive)]
    events = [item.event for item in several if isinstance(item, WentOffline)]
    for stream in shown:
        own = {event.timestamp for event in events if event.stream_id == stream.id}
        unnamed = {event.timestamp for event in events if event.stream_id is None}
        if own and min(own) <= stream.started_at and len(own) + len(unnamed) > 1:
            return True
    return False


@given(observations())
def test_the_ongoing_session_is_the_stream_that_is_live(several: list[Observation]) -> None:
    # A known difference, which Twitch's messages do not make: the history has one of the ends, and
    # the timeline of the status all of them, so that either moves the start to another end.
    assume(not ends_before_its_start_and_again(several))
    status = None
    pieces: list[Piece] = []
    for observation in several:
        change = decide(status, observation)
        if change:
            status = change.status
            pieces += [*change.events, *([change.snapshot] if change.snapshot else [])]
    ongoing = [
        session.stream_id for session in expected_sessions(pieces).values() if session.is_ongoing
    ]
    assert ongoing == ([status.stream.id] if status and status.stream else [])
