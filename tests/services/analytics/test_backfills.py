"""Backfills on memory storage, with a fake Twitch and a manual clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.analytics.testing.build import as_input, offline, online, snapshot
from streamwatch.domain.models import Video
from streamwatch.domain.session_events import Kind, SessionEvent
from streamwatch.services.analytics.backfills import CALL_SECONDS, IDLE_SECONDS, Backfills
from streamwatch.services.analytics.projector import READER
from streamwatch.services.errors import UnknownStreamer
from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.storage.backfills import Backfill, BackfillStatus
from streamwatch.storage.base import JobRun, StorageUnavailable
from streamwatch.twitch.base import (
    RateLimitState,
    TwitchBusy,
    TwitchRefused,
    TwitchUnavailable,
)
from streamwatch.worker.jobs import build_jobs
from tests.domain import build
from tests.services.conftest import World

HOUR = timedelta(hours=1)


@pytest.fixture
def backfills(world: World) -> Backfills:
    return world.services.backfills


def add_video(
    world: World, user_id: str, stream_id: str | None, ago: timedelta, length: timedelta = HOUR
) -> None:
    start = world.clock() - ago
    videos = world.twitch.videos_of.setdefault(user_id, [])
    url = f"https://www.twitch.tv/videos/{len(videos)}"
    video_id = f"{user_id}-{len(videos)}"
    videos.append(Video(video_id, stream_id, start, start + length, "Past", "en", url))


def monitor(world: World, login: str) -> str:
    user = world.twitch.add_user(login)
    world.services.streamers.add(login)
    return user.user_id


def ended(user_id: str, at: datetime) -> SessionEvent:
    return SessionEvent("o1", Kind.OFFLINE, at, user_id, "ann", "Ann", None)


def crash(*_: object) -> None:
    raise KeyboardInterrupt


def run_all(backfills: Backfills) -> int:
    """Do all checks that are due; returns how many."""
    count = 0
    while backfills.run_next() != IDLE_SECONDS:
        count += 1
    return count


def test_the_past_of_a_new_streamer_is_read(world: World, backfills: Backfills) -> None:
    add_video(world, "id-of-ann", "s1", 48 * HOUR)
    add_video(world, "id-of-ann", None, 72 * HOUR)
    add_video(world, "id-of-ann", "now", timedelta(minutes=30), timedelta(minutes=30))
    monitor(world, "ann")
    assert backfills.find("ann") == Backfill(BackfillStatus.QUEUED)

    assert run_all(backfills) == 1

    skipped = {"no stream id": 1, "ended less than 15 minutes ago": 1}
    assert backfills.find("Ann") == Backfill(BackfillStatus.DONE, 3, 1, 0, skipped)
    [session] = world.services.analytics.sessions("id-of-ann", 10)
    assert (session.stream_id, session.is_observed, session.title) == ("s1", False, "Past")
    assert world.storage.events(10) == [], "the past is no event"


def test_a_video_that_may_grow_is_read_again(world: World, backfills: Backfills) -> None:
    add_video(world, "id-of-ann", "s1", 2 * HOUR, timedelta(minutes=110))
    monitor(world, "ann")
    assert run_all(backfills) == 1
    assert backfills.find("ann").skipped == {"ended less than 15 minutes ago": 1}
    world.clock.advance(16 * 60)
    assert run_all(backfills) == 1
    assert backfills.find("ann").added == 1
    world.clock.advance(86_400)
    assert run_all(backfills) == 0


def test_reading_again_adds_nothing(world: World, backfills: Backfills) -> None:
    user_id = monitor(world, "ann")
    add_video(world, user_id, "s1", 48 * HOUR)
    run_all(backfills)
    before = world.services.analytics.sessions(user_id, 10)
    backfills.request("ann")
    run_all(backfills)
    assert backfills.find("ann") == Backfill(BackfillStatus.DONE, 1, 0, 1)
    assert world.services.analytics.sessions(user_id, 10) == before


def test_the_stream_that_is_on_is_skipped(world: World, backfills: Backfills) -> None:
    user = world.twitch.add_user("ann")
    world.twitch.go_live(user)
    add_video(world, user.user_id, "stream-of-ann", 5 * HOUR)
    world.services.streamers.add("ann")
    run_all(backfills)
    assert backfills.find("ann").skipped == {"the stream is on": 1}


def test_a_streamer_known_only_to_the_analytics_can_be_backfilled(
    world: World, backfills: Backfills
) -> None:
    world.services.analytics.project(
        as_input(online("s1", 0), snapshot("s1", 60), offline("s1", 90))
    )
    add_video(world, "1337", "s2", 48 * HOUR)
    backfills.request("Cool_User")
    run_all(backfills)
    assert backfills.find("cool_user").added == 1
    with pytest.raises(UnknownStreamer):
        backfills.request("nobody")
    with pytest.raises(UnknownStreamer):
        backfills.find("nobody")


def test_a_requested_streamer_is_read_before_many_others(
    world: World, backfills: Backfills
) -> None:
    users = [world.twitch.add_user(login) for login in ("ann", "bob", "carol", "dora")]
    world.services.streamers.add_many(["ann", "bob", "carol"])
    world.services.streamers.add("dora")
    assert backfills.run_next() == CALL_SECONDS
    assert backfills.find("dora").status is BackfillStatus.DONE
    assert run_all(backfills) == len(users) - 1


def test_a_failure_that_may_pass_is_repeated_after_the_others(
    world: World, backfills: Backfills
) -> None:
    monitor(world, "ann")
    world.twitch.errors["videos"] = TwitchUnavailable("Twitch is down.")
    run_all(backfills)
    assert backfills.find("ann") == Backfill(BackfillStatus.QUEUED, error="Twitch is down.")
    del world.twitch.errors["videos"]
    assert run_all(backfills) == 0
    world.clock.advance(60)
    assert run_all(backfills) == 1
    assert backfills.find("ann").status is BackfillStatus.DONE


def test_an_unexpected_error_delays_no_other_streamer(
    world: World, backfills: Backfills, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = monitor(world, "ann"), monitor(world, "bob")
    add_video(world, bob, "s1", 48 * HOUR)
    videos = world.twitch.videos

    def fail_for_ann(user_id: str) -> list[Video]:
        if user_id == ann:
            raise RuntimeError("a bug")
        return videos(user_id)

    monkeypatch.setattr(world.twitch, "videos", fail_for_ann)
    with pytest.raises(RuntimeError):
        backfills.run_next()
    assert run_all(backfills) == 1
    assert backfills.find("bob").status is BackfillStatus.DONE
    world.clock.advance(60)
    with pytest.raises(RuntimeError):
        backfills.run_next()


def test_a_refusal_ends_the_backfill(world: World, backfills: Backfills) -> None:
    monitor(world, "ann")
    world.twitch.errors["videos"] = TwitchRefused("Twitch refused it.", 400)
    run_all(backfills)
    assert backfills.find("ann") == Backfill(BackfillStatus.FAILED, error="Twitch refused it.")


def test_a_crash_repeats_the_check(
    world: World, backfills: Backfills, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = monitor(world, "ann")
    add_video(world, user_id, "s1", 48 * HOUR)

    with monkeypatch.context() as patch:
        patch.setattr(world.services.analytics, "project", crash)
        with pytest.raises(KeyboardInterrupt):
            backfills.run_next()
    assert backfills.find("ann").status is BackfillStatus.RUNNING
    world.clock.advance(60)
    assert run_all(backfills) == 1
    assert backfills.find("ann").added == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_while_a_check_ends_is_answered(
    world: World, backfills: Backfills, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monitor(world, "ann")
    queue = world.storage.backfills
    finish = queue.finish

    def finish_beside_a_request(
        entry: str, until: datetime, user_id: str, backfill: Backfill
    ) -> None:
        if when == "before":
            backfills.request("ann")
        finish(entry, until, user_id, backfill)
        if when == "after":
            backfills.request("ann")

    with monkeypatch.context() as patch:
        patch.setattr(queue, "finish", finish_beside_a_request)
        backfills.run_next()
    assert run_all(backfills) == 1
    assert backfills.find("ann").status is BackfillStatus.DONE


def test_a_check_that_is_planned_while_the_same_check_runs_is_done(
    world: World, backfills: Backfills, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = monitor(world, "ann")
    videos = world.twitch.videos

    def plan_again(user_id: str) -> list[Video]:
        found = videos(user_id)
        backfills.plan_after_ends([ended(user_id, world.clock())])
        return found

    backfills.plan_after_ends([ended(user_id, world.clock())])
    run_all(backfills)
    world.clock.advance(16 * 60)
    with monkeypatch.context() as patch:
        patch.setattr(world.twitch, "videos", plan_again)
        backfills.run_next()
    assert run_all(backfills) == 0
    add_video(world, user_id, "s1", HOUR)
    world.clock.advance(16 * 60)
    assert run_all(backfills) == 1
    assert backfills.find("ann").added == 1


@pytest.mark.parametrize("write", ["plan", "finish"])
def test_a_crash_at_either_write_after_a_check_of_a_recent_video_repeats_it(
    world: World, backfills: Backfills, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    user_id = monitor(world, "ann")
    add_video(world, user_id, "s1", HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(world.storage.backfills, write, crash)
        with pytest.raises(KeyboardInterrupt):
            backfills.run_next()
    world.clock.advance(60)
    assert run_all(backfills) == 1
    world.clock.advance(16 * 60)
    assert run_all(backfills) == 1
    assert backfills.find("ann").added == 1


def test_analytics_that_do_not_answer_are_waited_for(
    world: World, backfills: Backfills, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = monitor(world, "ann")
    add_video(world, user_id, "s1", 48 * HOUR)

    def fail(_new: object) -> None:
        raise AnalyticsUnavailable("MongoDB is away.")

    with monkeypatch.context() as patch:
        patch.setattr(world.services.analytics, "project", fail)
        run_all(backfills)
    assert backfills.find("ann") == Backfill(BackfillStatus.QUEUED, error="MongoDB is away.")


@pytest.mark.parametrize(("remaining", "waits"), [(400, True), (401, False)])
def test_half_of_the_rate_limit_is_left_to_others(
    world: World,
    backfills: Backfills,
    monkeypatch: pytest.MonkeyPatch,
    remaining: int,
    waits: bool,
) -> None:
    monitor(world, "ann")
    state = RateLimitState(800, remaining, world.clock() + timedelta(seconds=20))
    monkeypatch.setattr(world.twitch, "rate_limit", lambda: state)
    assert backfills.run_next() == (20 if waits else CALL_SECONDS)
    assert ("videos" in world.twitch.calls) is not waits


def test_an_empty_rate_limit_pauses_all(world: World, backfills: Backfills) -> None:
    monitor(world, "ann")
    world.twitch.errors["videos"] = TwitchBusy("Twitch is busy.", 7)
    assert backfills.run_next() == 7
    assert backfills.find("ann").status is BackfillStatus.QUEUED


def end_of(user_id: str, at: datetime) -> Callable[[Backfills], None]:
    seconds = (at - datetime(2026, 6, 1, 12, tzinfo=UTC)).total_seconds()
    return lambda backfills: backfills.plan_after_ends(
        as_input(offline("s1", seconds, user_id=user_id)).events
    )


def test_the_video_of_a_stream_is_looked_for_three_times_after_its_end(
    world: World, backfills: Backfills
) -> None:
    user_id = monitor(world, "ann")
    run_all(backfills)
    end_of(user_id, world.clock())(backfills)
    checks = []
    for minute in range(0, 25 * 60, 4):
        if run_all(backfills):
            checks.append(minute)
        world.clock.advance(240)
    assert checks == [16, 60, 24 * 60]


def test_the_end_of_a_stream_plans_the_looks(world: World, backfills: Backfills) -> None:
    world.services.projector.run_once()
    recorder = ObservationRecorder(world.storage)
    recorder.record([build.online("s1", 0), build.offline("s1", 600)])
    world.services.projector.run_once()
    add_video(world, "1337", "s1", timedelta(0), timedelta(seconds=605))
    world.clock.advance(600 + 16 * 60)
    assert run_all(backfills) == 1
    session = world.services.analytics.session("s1")
    assert session is not None
    assert session.video is not None
    assert (session.ended_at, session.is_observed) == (build.at(600), True)


def test_entries_are_acknowledged_while_the_storage_has_no_room_for_checks(
    world: World, backfills: Backfills, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_entries: object) -> None:
        raise StorageUnavailable("no room")

    world.services.projector.run_once()
    ObservationRecorder(world.storage).record([build.online("s1", 0), build.offline("s1", 600)])
    with monkeypatch.context() as patch:
        patch.setattr(world.storage.backfills, "plan", refuse)
        world.services.projector.run_once()
    [analytics] = [state for state in world.storage.feed.readers() if state.name == READER]
    assert (analytics.lag, analytics.pending) == (0, 0)
    assert backfills.run_next() == IDLE_SECONDS


def test_missed_streams_are_planned_before_the_first_refresh(world: World) -> None:
    names = [job.name for job in build_jobs(world.services)]
    assert names.index("missed-streams") < names.index(REFRESH)


@pytest.mark.parametrize(("minutes", "queued"), [(14, False), (60, True)])
def test_streams_that_were_missed_are_looked_for_after_a_start(
    world: World,
    backfills: Backfills,
    minutes: int,
    queued: bool,
) -> None:
    user_id = monitor(world, "ann")
    run_all(backfills)
    backfills.queue_missed()
    assert run_all(backfills) == 0, "nobody has ever watched"
    world.storage.coordination.record_job(JobRun(REFRESH, world.clock(), 1))
    world.clock.advance(60 * minutes)
    add_video(world, user_id, "missed", 2 * HOUR)
    backfills.queue_missed()
    world.clock.advance(60)
    run_all(backfills)
    assert bool(world.services.analytics.session("missed")) is queued


def test_two_videos_of_a_new_stream_are_one_addition_and_nothing_known(
    world: World, backfills: Backfills
) -> None:
    user_id = monitor(world, "ann")
    add_video(world, user_id, "s1", 48 * HOUR)
    add_video(world, user_id, "s1", 46 * HOUR)

    run_all(backfills)

    assert backfills.find("ann") == Backfill(BackfillStatus.DONE, found=2, added=1, known=0)

    backfills.request("ann")
    run_all(backfills)

    assert backfills.find("ann") == Backfill(BackfillStatus.DONE, found=2, added=0, known=2)
