from itertools import groupby, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.models import EventType, Source
from streamwatch.domain.observations import Observation, WentOffline, WentOnline
from streamwatch.domain.timeline import MAX_TIMELINE_ENTRIES, TIMELINE_SPAN
from streamwatch.domain.transitions import decide, is_late
from streamwatch.domain.updates import HELIX_LAG
from tests.domain.build import Story, absent, at, offline, online, seen

LAG = HELIX_LAG.total_seconds()


# Messages


def test_a_stream_goes_on_and_off() -> None:
    story = Story(online("s1", 0))
    assert story.live_id() == "s1"
    story.observe(offline("s1", 100))
    assert story.live_id() is None
    assert story.short_history == ["+s1", "-s1"]
    assert story.status is not None
    assert story.status.last_updated == at(100)
    assert story.status.last_event_type is EventType.OFFLINE


def test_the_same_message_again_changes_nothing() -> None:
    message = online("s1", 0)
    story = Story(message)
    assert decide(story.status, message) is None


def test_the_same_stream_under_another_message_id_is_a_duplicate() -> None:
    story = Story(online("s1", 0), online("s1", 3, started=0))
    assert story.short_history == ["+s1"]


@pytest.mark.parametrize("named", ["s1", None])
def test_the_same_offline_under_another_message_id_is_a_duplicate(named: str | None) -> None:
    story = Story(online("s1", 0), offline(named, 100), offline(named, 101))
    assert story.short_history == ["+s1", f"-{named or ''}"]


def test_an_offline_without_stream_id_ends_the_current_stream() -> None:
    story = Story(online("s1", 0), offline(None, 100))
    assert story.live_id() is None


def test_an_offline_before_its_online_goes_into_the_history_and_wins() -> None:
    story = Story(offline("s1", 100))
    assert story.short_history == ["-s1"]
    story.observe(online("s1", 0))
    assert story.live_id() is None
    assert story.short_history == ["+s1", "-s1"]


def test_an_offline_of_an_older_stream_does_not_end_the_newer_one() -> None:
    story = Story(online("s1", 0), online("s2", 100), offline("s1", 101))
    assert story.live_id() == "s2"
    assert story.short_history == ["+s1", "+s2", "-s1"]


def test_a_late_online_of_an_older_stream_does_not_end_the_newer_one() -> None:
    story = Story(online("s2", 100), online("s1", 0))
    assert story.live_id() == "s2"
    assert story.short_history == ["+s1", "-s1", "+s2"]


def test_a_stream_that_comes_back_is_the_same_stream_again() -> None:
    story = Story(online("s1", 0), offline("s1", 30), online("s1", 75, started=0))
    assert story.live_id() == "s1"
    assert story.short_history == ["+s1", "-s1", "+s1"]


def test_a_flap_in_any_order_ends_live() -> None:
    flap: list[Observation] = [online("s1", 0), offline(None, 30), online("s1", 75, started=0)]
    for order in permutations(flap):
        story = Story(*order)
        assert story.live_id() == "s1"
        assert story.short_history == ["+s1", "-", "+s1"]


def test_a_duplicate_becomes_an_event_when_the_event_in_between_arrives() -> None:
    story = Story(online("s1", 0), online("s1", 75, started=0))
    assert story.short_history == ["+s1"]
    story.observe(offline("s1", 30))
    assert story.short_history == ["+s1", "-s1", "+s1"]
    assert story.live_id() == "s1"


def test_offlines_without_a_stream_id_far_apart_are_two_events() -> None:
    story = Story(online("s1", 0), offline(None, 100), offline(None, 500))
    assert story.short_history == ["+s1", "-", "-"]


def test_a_late_event_is_marked_late() -> None:
    story = Story(online("s2", 100))
    change = decide(story.status, online("s1", 0))
    assert change is not None
    assert is_late(story.status, change)
    change = decide(story.status, offline("s2", 150))
    assert change is not None
    assert not is_late(story.status, change)


def test_a_changed_login_comes_from_the_newest_message_and_the_rename_is_an_event() -> None:
    story = Story(online("s1", 0))
    renamed = seen("s1", 10)
    change = decide(story.status, type(renamed)("1337", "new_name", "New", renamed.stream, at(10)))
    assert change is not None
    assert (change.status.login, change.previous_login) == ("new_name", "cool_user")
    late = decide(change.status, offline("s0", 5))
    assert late is not None
    assert (late.status.login, late.previous_login) == ("new_name", None)


def test_the_timeline_stays_short() -> None:
    story = Story()
    for number in range(200):
        story.observe(online(f"s{number}", 20 * number)).observe(offline(None, 20 * number + 10))
    assert story.status is not None
    assert len(story.status.timeline.entries) <= MAX_TIMELINE_ENTRIES
    assert len(story.history) == 400
    span = TIMELINE_SPAN.total_seconds()
    story.observe(online("later", 4000 + 2 * span))
    assert len(story.status.timeline.entries) == 1
    assert story.live_id() == "later"
    story.observe(online("later", 4001 + 2 * span, started=4000 + 2 * span))
    assert story.short_history[-1:] == ["+later"]


def test_a_stream_longer_than_the_timeline_is_still_known() -> None:
    span = TIMELINE_SPAN.total_seconds()
    story = Story(online("s1", 0), offline(None, 2 * span), online("s1", 2 * span + 60, started=0))
    assert story.live_id() == "s1"
    story.observe(online("s1", 9 * span, started=0))
    assert story.short_history == ["+s1", "-", "+s1"]
    story.observe(offline(None, 12 * span))
    assert story.live_id() is None


# Polls


def test_a_poll_adds_the_fields_that_a_webhook_lacks() -> None:
    story = Story(online("s1", 0), seen("s1", 60, viewers=123, title="Best Stream Ever"))
    assert story.status is not None
    assert story.status.stream is not None
    assert story.status.stream.viewer_count == 123
    assert story.status.stream.title == "Best Stream Ever"
    assert story.snapshots == 1
    assert story.short_history == ["+s1"]


def test_an_older_poll_does_not_overwrite_a_newer_one() -> None:
    story = Story(online("s1", 0), seen("s1", 60, viewers=2), seen("s1", 30, viewers=1))
    assert story.status is not None
    assert story.status.stream is not None
    assert story.status.stream.viewer_count == 2
    assert story.snapshots == 1


def test_a_poll_finds_a_stream_whose_online_was_missed() -> None:
    story = Story(seen("s1", 900, started=0))
    assert story.live_id() == "s1"
    [event] = story.history
    assert (event.event_type, event.source, event.timestamp) == (
        EventType.ONLINE,
        Source.POLL,
        at(0),
    )
    assert story.snapshots == 1
    story.observe(online("s1", 5, started=0))
    assert story.short_history == ["+s1"]


def test_a_poll_just_after_an_offline_does_not_reopen_the_stream() -> None:
    story = Story(online("s1", 0), seen("s1", 60), offline("s1", 100), seen("s1", 101))
    assert story.live_id() is None
    assert story.snapshots == 1
    story.observe(seen("s1", 100 + LAG - 1))
    assert story.live_id() is None


def test_a_stream_that_helix_shows_long_after_its_offline_is_on_again() -> None:
    story = Story(online("s1", 0), offline("s1", 100), seen("s1", 100 + LAG))
    assert story.live_id() == "s1"
    assert story.short_history == ["+s1", "-s1", "+s1"]
    assert story.history[-1].timestamp == at(100 + LAG)


def test_a_stream_is_not_older_than_itself_because_helix_rounds_its_start() -> None:
    story = Story(online("s1", 2, started=0.123), offline("s1", 100), seen("s1", 600, started=0))
    assert story.live_id() == "s1"
    story = Story(online("s1", 2, started=0.123), offline("s1", 100), online("s1", 160, started=0))
    assert story.live_id() == "s1"


def test_a_missed_online_is_an_event_even_when_the_stream_is_over() -> None:
    story = Story(offline(None, 100), seen("s1", 110, started=0))
    assert story.live_id() is None
    assert story.short_history == ["+s1", "-"]
    assert Story(offline("s1", 100), seen("s1", 110)).short_history == ["+s1", "-s1"]


def test_an_older_stream_in_a_lagging_poll_changes_nothing() -> None:
    story = Story(online("s1", 0), online("s2", 100), seen("s1", 110, started=0))
    assert story.live_id() == "s2"
    assert story.snapshots == 0


def test_one_absence_changes_nothing() -> None:
    story = Story(online("s1", 0), seen("s1", 60), absent(1000), seen("s1", 1300), absent(1600))
    assert story.live_id() == "s1"


def test_two_absences_in_a_row_end_the_stream_when_it_was_last_seen() -> None:
    story = Story(online("s1", 0), seen("s1", 900), absent(1200), absent(1500))
    assert story.live_id() is None
    event = story.history[-1]
    assert (event.event_type, event.source, event.timestamp) == (
        EventType.OFFLINE,
        Source.POLL,
        at(900),
    )
    assert event.stream_id == "s1"


def test_absences_while_helix_lags_do_not_count() -> None:
    story = Story(online("s1", 0), absent(10), absent(20), absent(LAG - 1), absent(LAG + 1))
    assert story.live_id() == "s1"
    story.observe(absent(LAG + 300))
    assert story.live_id() is None


def test_the_same_refresh_twice_is_one_absence() -> None:
    story = Story(online("s1", 0), seen("s1", 60), absent(1000), absent(1000))
    assert story.live_id() == "s1"


def test_an_absence_makes_an_unknown_streamer_offline() -> None:
    story = Story(absent(0))
    assert story.status is not None
    assert story.live_id() is None
    assert story.status.last_event_type is None
    assert decide(story.status, absent(300)) is None


def test_a_stream_ended_by_absence_comes_back_as_the_same_stream() -> None:
    story = Story(online("s1", 0), seen("s1", 600), absent(900), absent(1200), seen("s1", 1500))
    assert story.live_id() == "s1"
    assert story.short_history == ["+s1", "-s1", "+s1"]


def test_a_late_offline_of_a_stream_ended_by_absence_is_no_second_end() -> None:
    story = Story(online("s1", 0), seen("s1", 600), absent(900), absent(1200), offline("s1", 700))
    assert story.short_history == ["+s1", "-s1"]


# Any order, any repetition

NAMES = st.sampled_from(["s1", "s2", "s3"])
STARTS = {"s1": 0, "s2": 400, "s3": 800}
ONLINES = st.builds(
    lambda stream, later: online(stream, STARTS[stream] + later, started=STARTS[stream]),
    NAMES,
    st.integers(0, 300),
)
OFFLINES = st.builds(
    lambda stream, seconds, named: offline(stream if named else None, seconds),
    NAMES,
    st.integers(0, 1200),
    st.booleans(),
)
MESSAGES = st.lists(st.one_of(ONLINES, OFFLINES), max_size=10)


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[WentOnline | WentOffline], ...]:
    """The same messages in two orders, with repetitions."""
    messages = draw(MESSAGES)
    again = draw(st.lists(st.sampled_from(messages), max_size=5)) if messages else []
    return (
        draw(st.permutations(messages + again)),
        draw(st.permutations(messages)),
    )


@given(tellings())
def test_any_order_and_any_repetition_ends_in_the_same_status(
    arrivals: tuple[list[WentOnline | WentOffline], ...],
) -> None:
    first, other = (Story(*messages).status for messages in arrivals)
    if first is None or other is None:
        assert first is other
        return
    assert first.stream == other.stream
    assert first.last_updated == other.last_updated
    assert first.last_event_type == other.last_event_type


@given(tellings())
def test_no_message_is_stored_twice(arrivals: tuple[list[WentOnline | WentOffline], ...]) -> None:
    history = Story(*arrivals[0]).history
    ids = [event.id for event in history]
    assert len(ids) == len(set(ids))
    messages = {event.id for event in history if event.source is Source.EVENTSUB}
    assert messages <= {message.event.id for message in arrivals[1]}


@given(tellings())
def test_successive_equal_messages_are_exactly_one_event(
    arrivals: tuple[list[WentOnline | WentOffline], ...],
) -> None:
    """No new event is dropped, and none is recorded twice, where offlines name their stream."""
    messages = [message for message in arrivals[0] if message.event.stream_id]
    story = Story(*messages)
    once = {message.event.id: message.event for message in messages}.values()
    for stream_id in STARTS:
        about = [event for event in once if event.stream_id == stream_id]
        about.sort(key=lambda e: (e.timestamp, e.event_type is EventType.OFFLINE, e.id))
        runs = sum(1 for _ in groupby(about, key=lambda event: event.event_type))
        told_messages = [
            event
            for event in story.history
            if event.stream_id == stream_id and event.source is Source.EVENTSUB
        ]
        assert len(told_messages) == runs


@given(st.lists(st.tuples(st.integers(1, 600), st.booleans()), max_size=12))
def test_messages_in_order_give_the_whole_history(
    gaps: list[tuple[int, bool]],
) -> None:
    now, story = 0, Story()
    for number, (gap, named) in enumerate(gaps):
        story.observe(online(f"s{number}", now := now + gap))
        story.observe(offline(f"s{number}" if named else None, now := now + gap))
        assert story.live_id() is None
    assert len(story.history) == 2 * len(gaps)


@given(
    st.permutations([online("s1", 0), offline("s1", 100), online("s2", 160), offline("s2", 400)])
)
def test_messages_with_stream_ids_give_the_whole_history_in_any_order(
    messages: list[WentOnline | WentOffline],
) -> None:
    assert Story(*messages).short_history == ["+s1", "-s1", "+s2", "-s2"]


POLLS = st.one_of(
    st.builds(
        lambda stream, seconds: seen(stream, STARTS[stream] + seconds, started=STARTS[stream]),
        NAMES,
        st.integers(0, 1500),
    ),
    st.builds(absent, st.integers(0, 3000)),
)


@given(st.lists(st.one_of(ONLINES, OFFLINES, POLLS), max_size=20))
def test_any_observations_give_each_event_once_and_a_valid_status(
    observations: list[Observation],
) -> None:
    story = Story(*observations)
    ids = [event.id for event in story.history]
    assert len(ids) == len(set(ids))
    if story.status is not None:
        story.observe(online("s9", 5000))
        assert story.live_id() == "s9"
        story.observe(offline(None, 5100))
        assert story.live_id() is None


@given(st.lists(st.integers(0, int(LAG) - 1), max_size=8))
def test_no_number_of_absences_within_helix_lag_ends_a_stream(polls: list[int]) -> None:
    story = Story(online("s1", 0), *map(absent, sorted(polls)))
    assert story.live_id() == "s1"
