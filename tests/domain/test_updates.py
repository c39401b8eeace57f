"""Title, category and language as they change."""

from datetime import datetime
from itertools import groupby, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.models import EventType, Source, StreamEvent
from streamwatch.domain.observations import Observation, SeenLive, Updated, WentOffline, WentOnline
from streamwatch.domain.transitions import decide, is_late
from streamwatch.domain.updates import HELIX_LAG, MAX_UPDATES
from tests.domain.build import Story, at, offline, online, seen, update

LAG = HELIX_LAG.total_seconds()


def poll(title: str, seconds: float, *, stream_id: str = "s1") -> SeenLive:
    return seen(stream_id, seconds, title=title, game_id="1", game_name="Chess", language="en")


def updates(story: Story) -> list[StreamEvent]:
    """The updates of the history, the oldest first."""
    found = [event for event in story.history if event.event_type is EventType.UPDATE]
    return sorted(found, key=lambda event: (event.timestamp, event.id))


def titles(story: Story) -> list[str]:
    return [event.data["title"] for event in updates(story)]


def shown_title(story: Story) -> str | None:
    assert story.status is not None
    return story.status.stream.title if story.status.stream else None


# Messages


def test_an_update_is_an_event_with_the_changed_fields() -> None:
    story = Story(online("s1", 0), update("A", 10), update("B", 20, category=("2", "Go")))
    first, second = updates(story)
    assert (first.data["changed"], first.data["previous"]) == (
        ["title", "category", "language"],
        None,
    )
    assert second.data["changed"] == ["title", "category"]
    assert second.data["previous"] == {
        "title": "A",
        "category_id": "1",
        "category_name": "Chess",
        "language": "en",
    }
    assert shown_title(story) == "B"
    assert story.status is not None
    assert story.status.last_updated == at(20)


def test_the_same_values_again_are_no_event_under_any_message_id() -> None:
    story = Story(online("s1", 0), update("A", 10), update("A", 11), update("A", 9))
    assert titles(story) == ["A"]


def test_the_same_message_again_changes_nothing() -> None:
    message = update("A", 10)
    assert decide(Story(message).status, message) is None


def test_another_name_of_the_same_category_is_no_event() -> None:
    story = Story(update("A", 10), update("A", 20, category=("1", "Schach")))
    assert len(updates(story)) == 1


@pytest.mark.parametrize("changed", ["category", "language"])
def test_a_change_of_one_value_is_named(changed: str) -> None:
    values = {"category": {"category": ("2", "Go")}, "language": {"language": "de"}}[changed]
    story = Story(update("A", 10), update("A", 20, **values))  # type: ignore[arg-type]
    assert updates(story)[-1].data["changed"] == [changed]


def test_a_late_update_is_inserted_in_order_and_does_not_undo_a_newer_one() -> None:
    story = Story(online("s1", 0), update("A", 10), update("C", 30))
    change = decide(story.status, update("B", 20))
    assert change is not None
    assert is_late(story.status, change)
    story.observe(update("B", 20, message_id="late"))
    assert titles(story) == ["A", "B", "C"]
    assert shown_title(story) == "C"
    assert [event.data["previous"] and event.data["previous"]["title"] for event in updates(story)][
        1
    ] == "A"


def test_a_repetition_becomes_an_event_when_a_late_update_separates_it() -> None:
    story = Story(update("A", 10), update("A", 30), update("B", 20))
    assert titles(story) == ["A", "B", "A"]


def test_an_update_is_no_sign_that_a_stream_is_on() -> None:
    story = Story(update("A", 10))
    assert story.live_id() is None
    assert story.status is not None
    assert story.status.last_event_type is None


def test_an_update_while_offline_changes_what_the_next_stream_starts_with() -> None:
    story = Story(online("s1", 0), offline("s1", 50), update("B", 60))
    assert story.live_id() is None
    story.observe(online("s2", 100))
    assert shown_title(story) == "B"


@given(st.permutations([online("s1", 0), offline("s1", 50), update("B", 60), online("s2", 100)]))
def test_any_order_of_updates_and_streams_shows_the_same(messages: list[Observation]) -> None:
    story = Story(*messages)
    assert (story.live_id(), shown_title(story), titles(story)) == ("s2", "B", ["B"])


# Polls


def test_the_first_values_that_a_poll_finds_are_no_event() -> None:
    story = Story(online("s1", 0), poll("A", 60))
    assert titles(story) == []
    assert shown_title(story) == "A"
    assert titles(Story(online("s1", 0), poll("A", 60), update("A", 70))) == []


def test_a_poll_fills_in_an_update_that_was_missed() -> None:
    story = Story(online("s1", 0), poll("A", 60), poll("B", 360))
    [event] = updates(story)
    assert (event.source, event.timestamp) == (Source.POLL, at(360))
    assert (event.data["changed"], event.data["previous"]["title"]) == (["title"], "A")


@pytest.mark.parametrize("late", [200.0, 500.0])
def test_a_message_replaces_the_estimate_of_a_poll(late: float) -> None:
    story = Story(online("s1", 0), poll("A", 60), poll("B", 360), update("B", late))
    [event] = updates(story)
    assert (event.source, event.timestamp) == (Source.EVENTSUB, at(late))
    assert event.replaces is not None
    assert shown_title(story) == "B"


def test_a_poll_that_contradicts_a_fresh_message_changes_nothing() -> None:
    story = Story(online("s1", 0), poll("A", 60), update("B", 100), poll("A", 100 + LAG - 1))
    assert titles(story) == ["B"]
    assert shown_title(story) == "B"
    story.observe(poll("A", 100 + LAG))
    assert titles(story) == ["B", "A"]
    assert shown_title(story) == "A"


def test_a_late_message_takes_the_place_of_the_older_values_that_a_poll_showed_after_it() -> None:
    story = Story(online("s1", 0), poll("O", 60), poll("A", 400), update("B", 390), update("A", 80))
    assert titles(story) == ["A", "B"]
    assert {event.source for event in updates(story)} == {Source.EVENTSUB}
    assert shown_title(story) == "B"


def test_a_sample_has_the_values_that_are_shown() -> None:
    story = Story(online("s1", 0), update("B", 100))
    change = decide(story.status, poll("A", 160))
    assert change is not None
    assert change.snapshot is not None
    assert change.snapshot.title == "B"


# Any order, any repetition

UPDATES = st.lists(
    st.builds(update, st.sampled_from("ABC"), st.integers(0, 600)), min_size=1, max_size=8
)


@given(UPDATES, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_of_updates_ends_in_the_same(
    messages: list[Updated], random: object
) -> None:
    shuffled = [*messages, *messages[::2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    in_order = sorted(messages, key=lambda item: (item.event.timestamp, item.event.id))
    story = Story(*shuffled)
    runs = [title for title, _ in groupby(item.info.title for item in in_order)]
    assert story.status is not None
    assert len(updates(story)) == len(runs)
    assert sorted(titles(story)) == sorted(runs)
    assert story.status.channel[-1].info == in_order[-1].info
    ids = [event.id for event in story.history]
    assert len(set(ids)) == len(ids)


def test_every_order_of_an_update_and_its_repetition_is_one_event() -> None:
    for order in permutations([update("A", 0), update("A", 5), update("A", 9)]):
        assert len(updates(Story(*order))) == 1


def test_the_number_of_stored_updates_is_bounded() -> None:
    story = Story(*(update(str(number), number * 10) for number in range(200)))
    assert story.status is not None
    assert len(story.status.channel) <= MAX_UPDATES + 1
    assert len(updates(story)) == 200


# Messages and polls together

LATEST = 540
"""Messages arrive up to so many seconds late: the receiver refuses those of over ten minutes."""


@st.composite
def observed(draw: st.DrawFn) -> list[tuple[float, Observation]]:
    """A stream with true titles, each pushed once or twice, and polls that lag: each observation
    with the time at which it arrives."""
    times = sorted(draw(st.lists(st.integers(-900, 3000), min_size=1, max_size=5, unique=True)))
    titles = [draw(st.sampled_from("AB")) + str(number % 2) for number in range(len(times))]
    arrivals: list[tuple[float, Observation]] = [(0.0, online("s1", 0, message_id="on"))]
    for number, (title, time) in enumerate(zip(titles, times, strict=True)):
        message = update(title, time, message_id=f"update-{number}")
        delays = draw(st.lists(st.integers(0, LATEST), min_size=1, max_size=2))
        arrivals += [(time + delay, message) for delay in delays]
    for time in range(30, 3300, 330):
        shown_since = time - draw(st.integers(0, int(LAG) - 1))
        known = [
            title for title, at_time in zip(titles, times, strict=True) if at_time <= shown_since
        ]
        arrivals.append((time, poll(known[-1] if known else "first", time)))
    end = offline("s1", 3300, message_id="off")
    arrivals.append((3300 + draw(st.integers(0, LATEST)), end))
    return arrivals


@given(observed())
def test_late_and_repeated_messages_end_in_one_status_history_and_segments(
    arrivals: list[tuple[float, Observation]],
) -> None:
    by_arrival = Story(*(item for _, item in sorted(arrivals, key=lambda pair: pair[0])))
    by_time = Story(*(item for _, item in sorted(arrivals, key=_own_time)))
    assert _history(by_arrival) == _history(by_time)
    assert by_arrival.status is not None
    assert by_time.status is not None
    assert by_arrival.status.channel[-1].info == by_time.status.channel[-1].info
    assert by_arrival.status.stream == by_time.status.stream
    assert by_arrival.segments() == by_time.segments()


def test_a_late_message_replaces_an_estimate_that_a_message_without_event_proved_wrong() -> None:
    messages = [
        update("A0", 0, message_id="0"),
        update("A1", 1, message_id="1"),
        update("A0", 301, message_id="2"),
    ]
    story = Story(online("s1", 0, message_id="on"), messages[0])
    story.observe(poll("A1", 360))  # lags behind "2", which repeats what "0" said
    story.observe(messages[2])
    story.observe(poll("A0", 690))
    story.observe(messages[1])
    assert _history(story) == _history(Story(online("s1", 0, message_id="on"), *messages))


def _own_time(arrival: tuple[float, Observation]) -> tuple[datetime, bool]:
    match arrival[1]:
        case SeenLive(at=time):
            return time, True
        case WentOnline(event) | WentOffline(event) | Updated(event):
            return event.timestamp, False
        case other:
            raise AssertionError(other)


def _history(story: Story) -> list[tuple[str, datetime, object]]:
    return sorted((event.id, event.timestamp, event.data.get("title")) for event in story.history)


def test_polled_changes_stay_as_they_are_after_the_oldest_are_forgotten() -> None:
    """The oldest retained entry is a poll as the others: it proves none of them outdated."""
    first = [(f"title {minute}", 60.0 * minute) for minute in (10, 12, 14)]
    later = [(f"title {minute}", 60.0 * minute) for minute in (73, 75, 77)]
    story = Story(online("s1", 0), *(poll(title, seconds) for title, seconds in first + later))
    found = [(event.data["title"], event.timestamp) for event in updates(story)]
    assert found == [(title, at(seconds)) for title, seconds in (first + later)[1:]]


def test_an_event_replaces_no_estimate_of_another_time() -> None:
    """The message D proves poll B outdated, but takes the place of poll D: B remains, also when the
    next change arrives."""
    polls = [poll("B", 1000), poll("D", 1060)]
    story = Story(online("s1", 0), update("C", 60), *polls, update("D", 900))
    before = updates(story)
    story.observe(update("E", 2200))
    *others, last = updates(story)
    assert others == before
    assert (last.data["title"], last.replaces) == ("E", None)


def test_a_late_message_replaces_no_poll_that_was_no_event() -> None:
    """The oldest retained entry is the first poll of all, whose values were no event."""
    changes = [update(f"title {number}", 110 + 10 * number) for number in range(MAX_UPDATES)]
    story = Story(online("s1", 0), poll("A", 100), *changes, update("A", 95))
    assert all(event.replaces is None for event in updates(story))


def test_a_poll_takes_not_the_place_of_an_older_one_of_its_values() -> None:
    """The late message B proves poll A outdated, but no event replaces that poll."""
    polls = [poll("B", 900), poll("A", 1080), poll("B", 1140)]
    story = Story(online("s1", 0), *polls, update("B", 848))
    before = updates(story)
    story.observe(poll("A", 1920))
    *others, last = updates(story)
    assert others == before
    assert (last.data["title"], last.replaces) == ("A", None)
