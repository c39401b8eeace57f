"""Estimates of polls and their corrections: what a lossy, late and lagging Twitch leads to."""

from dataclasses import replace

import pytest

from streamwatch.analytics.testing.build import expected_sessions
from streamwatch.domain.models import EventType, Source, StreamLastSeen
from streamwatch.domain.observations import MIN_ABSENCE, Removed, SeenAbsent, SeenLive, SeenNames
from streamwatch.domain.timeline import TIMELINE_SPAN
from streamwatch.domain.transitions import decide
from streamwatch.domain.updates import HELIX_LAG
from tests.domain.build import Story, absent, at, offline, online, seen

LAG = HELIX_LAG.total_seconds()


def end_of(story: Story) -> tuple[str, float]:
    """The source and the time of the only end in the history."""
    [end] = [event for event in story.history if event.event_type is EventType.OFFLINE]
    return end.source, (end.timestamp - at(0)).total_seconds()


# Absences


def test_absences_within_seconds_of_each_other_count_once() -> None:
    gap = MIN_ABSENCE.total_seconds()
    story = Story(online("s1", 0), seen("s1", 600), absent(900), absent(902), absent(899 + gap))
    assert story.live_id() == "s1"
    story.observe(absent(900 + gap))
    assert story.live_id() is None


def test_a_stream_that_was_ended_by_absences_is_live_at_the_next_poll_that_shows_it() -> None:
    story = Story(online("s1", 0), seen("s1", 600), absent(900), absent(960))
    assert story.live_id() is None
    story.observe(seen("s1", 961))
    assert story.live_id() == "s1"


# Estimates


@pytest.mark.parametrize("named", ["s1", None])
def test_twitchs_own_end_replaces_the_estimate_of_a_poll(named: str | None) -> None:
    story = Story(online("s1", 0), seen("s1", 600), absent(900), absent(1200))
    assert end_of(story) == (Source.POLL, 600)
    story.observe(offline(named, 850))
    assert end_of(story) == (Source.EVENTSUB, 850)
    assert story.history[-1].replaces is not None


def test_twitchs_own_start_replaces_the_estimate_of_a_poll() -> None:
    story = Story(seen("s1", 60, started=0), online("s1", 2, started=0))
    [start] = story.history
    assert (start.source, start.timestamp) == (Source.EVENTSUB, at(2))


def test_an_offline_without_stream_id_long_after_an_estimated_end_is_another_end() -> None:
    story = Story(online("s1", 0), seen("s1", 600), absent(900), absent(1200), offline(None, 5000))
    assert story.short_history == ["+s1", "-s1", "-"]


def test_a_replaced_stream_ends_before_the_next_one_starts() -> None:
    story = Story(online("s1", 0), seen("s1", 600), online("s2", 900))
    assert story.short_history == ["+s1", "-s1", "+s2"]
    assert end_of(story) == (Source.POLL, 600)
    story.observe(offline("s1", 880))
    assert story.short_history == ["+s1", "-s1", "+s2"]
    assert end_of(story) == (Source.EVENTSUB, 880)


def test_a_replaced_stream_that_was_seen_once_ends_after_the_message_about_its_start() -> None:
    """Twitch sends that message seconds after the start that it names; here it is late, too."""
    story = Story(seen("s1", 0, started=0), online("s2", 65), online("s1", 5, started=0))
    assert story.short_history == ["+s1", "-s1", "+s2"]


def test_polls_alone_find_the_end_of_a_replaced_stream() -> None:
    story = Story(seen("s1", 300, started=0), seen("s2", 900, started=800))
    assert story.short_history == ["+s1", "-s1", "+s2"]
    assert end_of(story) == (Source.POLL, 300)


def test_a_second_copy_of_a_start_does_not_restart_a_stream_with_an_estimated_end() -> None:
    story = Story(online("s1", 0), online("s2", 100), online("s1", 3, started=0))
    assert story.short_history == ["+s1", "-s1", "+s2"]
    assert story.live_id() == "s2"


def test_a_replaced_stream_ends_when_last_seen_after_its_end_proves_to_be_that_of_the_next() -> (
    None
):
    story = Story(online("s1", 0), seen("s1", 420), offline(None, 600))
    story.observe(online("s2", 500))  # arrives late: the offline is that of s2
    assert story.short_history == ["+s1", "-s1", "+s2", "-"]
    [end] = [event for event in story.history if event.stream_id == "s1"][1:]
    assert (end.source, end.timestamp) == (Source.POLL, at(420))


def test_a_replaced_stream_ends_when_last_seen_although_a_late_online_resumes_it() -> None:
    story = Story(online("s1", 0), seen("s1", 420), offline("s1", 100), online("s2", 900))
    story.observe(online("s1", 110, started=0))  # arrives late, and has no offline of its own
    assert story.short_history == ["+s1", "-s1", "+s1", "-s1", "+s2"]
    end = max(event.timestamp for event in story.history if event.source is Source.POLL)
    assert end == at(420)


def test_the_time_a_stream_was_last_seen_is_dropped_with_its_timeline_entries() -> None:
    story = Story(online("s1", 0), seen("s1", 420), online("s2", 900))
    before = story.status
    story.observe(online("s3", 900 + TIMELINE_SPAN.total_seconds() + 1))
    after = story.status
    assert before is not None
    assert after is not None
    assert [before.last_seen, after.last_seen] == [(StreamLastSeen("s1", at(420)),), ()]


# Removals


def test_a_removal_hides_the_stream_and_records_when_watching_ended() -> None:
    story = Story(online("s1", 0), seen("s1", 60))
    change = decide(story.status, Removed("1337", "cool_user", "Cool_User", at(90)))
    assert change is not None
    assert change.status.stream is None
    assert change.monitoring_end is not None
    assert (change.monitoring_end.stream_id, change.monitoring_end.at) == ("s1", at(90))
    assert change.events == ()


def test_a_stream_that_is_on_when_its_streamer_is_added_again_starts_once() -> None:
    story = Story(online("s1", 0), seen("s1", 60))
    story.observe(Removed("1337", "cool_user", "Cool_User", at(90)))
    story.observe(seen("s1", 300))
    story.observe(online("s1", 3, started=0))
    assert story.live_id() == "s1"
    assert story.short_history == ["+s1"]


def test_a_stream_that_ended_while_its_streamer_was_removed_ended_when_it_was_last_seen() -> None:
    story = Story(online("s1", 0), seen("s1", 60))
    story.observe(Removed("1337", "cool_user", "Cool_User", at(90)))
    story.observe(absent(3000)).observe(absent(3300))
    assert end_of(story) == (Source.POLL, 60)


# Names


def test_an_absence_renames_no_streamer() -> None:
    story = Story(online("s1", 0))
    story.observe(SeenNames("1337", "new_name", "New_Name", at(100)))
    story.observe(SeenAbsent("1337", "cool_user", "Cool_User", at(1000)))
    assert story.status is not None
    assert story.status.login == "new_name"


def test_names_are_as_old_as_the_answer_that_has_them() -> None:
    story = Story(online("s1", 0), seen("s1", 200))
    assert decide(story.status, SeenNames("1337", "old_name", "Old", at(100))) is None
    change = decide(story.status, SeenNames("1337", "new_name", "New", at(300)))
    assert change is not None
    assert change.name_change is not None
    assert (change.name_change.login, change.previous_login) == ("new_name", "cool_user")


# Restarts, types


def test_a_late_duplicate_is_recognized_after_restarts_every_30_seconds() -> None:
    story = Story()
    for number in range(20):
        story.observe(online(f"s{number}", 30 * number))
        story.observe(offline(f"s{number}", 30 * number + 15))
    before = len(story.history)
    for number in range(20):
        story.observe(online(f"s{number}", 30 * number + 1, started=30 * number))
        story.observe(offline(f"s{number}", 30 * number + 16))
    assert len(story.history) == before == 40


@pytest.mark.parametrize(("shown", "kept"), [("live", "rerun"), ("", "rerun"), ("other", "other")])
def test_the_type_of_a_message_stays_unless_helix_shows_another_than_live(
    shown: str, kept: str
) -> None:
    message = online("s1", 0)
    rerun = type(message)(message.event, type(message.stream)("s1", at(0), "rerun"))
    story = Story(rerun, seen("s1", 60, type=shown))
    assert story.status is not None
    assert story.status.stream is not None
    assert story.status.stream.type == kept


def test_a_start_that_a_poll_finds_is_not_later_than_the_poll() -> None:
    story = Story()
    poll = seen("s1", 60, started=200)
    assert isinstance(poll, SeenLive)
    story.observe(poll)
    assert story.history[0].timestamp == at(60)


def test_a_start_that_is_named_after_the_streams_own_end_is_no_later_than_the_end() -> None:
    """Twitch can name a start a minute late; the online of this stream of 30 s was lost."""
    story = Story(offline("s1", 40), seen("s1", 120, started=70))
    assert story.live_id() is None
    assert story.short_history == ["+s1", "-s1"]


def test_a_start_that_is_named_after_its_own_message_is_no_later_than_the_message() -> None:
    story = Story(online("s1", 10, started=70), offline("s1", 40), online("s2", 50))
    assert story.live_id() == "s2"
    assert story.short_history == ["+s1", "-s1", "+s2"]


def test_an_end_before_the_start_that_a_poll_found_ends_the_stream() -> None:
    """As before, but the poll comes before the messages."""
    story = Story(seen("s1", 100, started=70), offline("s1", 40))
    assert story.live_id() is None
    story.observe(online("s1", 10, started=70))
    assert story.live_id() is None
    assert story.short_history == ["+s1", "-s1"]
    assert [event.source for event in story.history] == [Source.EVENTSUB] * 2


@pytest.mark.parametrize("first", [40, 41])
def test_copies_of_an_end_around_the_start_that_a_poll_found_are_one_event(first: int) -> None:
    ends = {40: offline("s1", 40), 41: offline("s1", 41)}
    story = Story(ends.pop(first), seen("s1", 100, started=70), *ends.values())
    assert story.live_id() is None
    assert end_of(story) == (Source.EVENTSUB, first)


def test_copies_of_an_end_before_the_start_that_a_poll_finds_are_one_event() -> None:
    story = Story(offline("s1", 40), offline("s1", 41), seen("s1", 100, started=70))
    assert story.live_id() is None
    assert story.short_history == ["+s1", "-s1"]


def test_a_late_end_does_not_end_a_stream_that_polls_have_shown_long_after_it() -> None:
    """The stream came back at once under its id, and that online is lost or late."""
    story = Story(online("s1", 0), seen("s1", 65 + LAG), offline("s1", 65))
    assert story.status is not None
    assert story.status.stream is not None
    assert story.status.stream.viewer_count == 10
    assert story.short_history == ["+s1", "-s1", "+s1"]
    story.observe(online("s1", 71, started=0))
    assert story.short_history == ["+s1", "-s1", "+s1"]
    assert {event.source for event in story.history} == {Source.EVENTSUB}


def test_a_late_end_ends_a_stream_that_polls_have_shown_within_helix_lag_only() -> None:
    story = Story(online("s1", 0), seen("s1", 64 + LAG), offline("s1", 65))
    assert story.live_id() is None


@pytest.mark.parametrize("named", ["s1", None])
@pytest.mark.parametrize("age", [60, 2 * TIMELINE_SPAN.total_seconds()])
def test_a_late_end_ends_a_return_that_helix_showed_for_longer(
    named: str | None, age: float
) -> None:
    """The stream returned, and its online was lost. A poll saw it 20 s after its second end."""
    end = 60 + age + LAG
    story = Story(online("s1", 0), offline(named, 60), seen("s1", end + 20))
    assert story.live_id() == "s1"
    story.observe(offline(named, end))
    assert story.live_id() is None
    ends = [event for event in story.history if event.event_type is EventType.OFFLINE]
    assert [event.timestamp for event in ends] == [at(60), at(end)]
    [session] = expected_sessions(story.history).values()
    assert session.ended_at == at(end)
    story.observe(offline(named, end, message_id="again"))
    assert story.live_id() is None


def test_copies_of_an_end_do_not_end_the_return_after_it() -> None:
    story = Story(online("s1", 0), offline("s1", 60), seen("s1", 65 + LAG))
    story.observe(offline("s1", 66 + 30))
    assert story.live_id() == "s1"


def test_a_message_sets_the_type_of_a_stream_that_polls_have_shown_for_hours() -> None:
    again = online("s1", 5005, started=0)
    again = replace(again, stream=replace(again.stream, type="rerun"))
    story = Story(seen("s1", 60, started=0), offline("s1", 5000), again)
    assert story.status is not None
    assert story.status.stream is not None
    assert story.status.stream.type == "rerun"


# Stated limits: see docs/reliability.md


def test_of_two_unnamed_ends_within_a_minute_the_first_to_arrive_is_the_event() -> None:
    story = Story(seen("s1", 60, started=40), offline(None, 110), offline(None, 95))
    assert end_of(story) == (Source.EVENTSUB, 110)


def test_streams_count_in_the_order_of_the_starts_that_twitch_names() -> None:
    """s0 began before s1, but Twitch names its start late, and its own messages were lost."""
    story = Story(online("s1", 73, started=70), seen("s0", 120, started=90))
    assert story.live_id() == "s0"
    assert story.short_history == ["+s1", "-s1", "+s0"]


def test_a_stream_named_after_its_unnamed_end_ends_again_by_absences() -> None:
    """The stream lasted from 0 to 10, Twitch names its start as 60, and Helix lags behind."""
    story = Story(offline(None, 10), seen("s1", 25, started=60))
    assert story.live_id() == "s1"
    story.observe(absent(400)).observe(absent(700))
    assert story.live_id() is None
    assert story.short_history == ["-", "+s1", "-s1"]
