"""Webhooks: every event that the filters want is delivered, in order, under one id."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from streamwatch.domain.models import Streamer, StreamEvent, User
from streamwatch.domain.notifications.models import OFFLINE, Notification, SendResult, TargetKind
from streamwatch.domain.observations import SeenAbsent, SeenNames
from streamwatch.services import feed_reader
from streamwatch.services.notifications import reader
from streamwatch.services.notifications.senders.base import Message
from streamwatch.storage.base import MAX_TRIES
from tests.notifications.build import START, notification
from tests.notifications.world import ANN, NotificationWorld
from tests.waiting import wait_for

BOB = User("2", "bob", "Bob")
REFUSED = SendResult(delivered=False, detail="the receiver answered 500", status_code=500)
GONE = SendResult(delivered=False, detail="gone", status_code=410, is_gone=True)


@pytest.fixture
def world() -> NotificationWorld:
    return NotificationWorld()


def bodies(world: NotificationWorld) -> list[dict[str, object]]:
    return [json.loads(message.body or "") for _, message in world.sender.sent]


def types(world: NotificationWorld) -> list[object]:
    return [body["type"] for body in bodies(world)]


def test_a_start_and_an_end_are_sent_at_once_and_complete(world: NotificationWorld) -> None:
    world.sessions["s1"] = {
        "started_at": "2026-06-01T12:00:00Z",
        "ended_at": None,
        "duration_minutes": 0.0,
        "max_viewers": 9,
    }
    world.add(notification())
    world.go_live(viewer_count=7)
    world.pass_time(90)
    world.go_offline(None)
    world.pass_time(0)

    start, end = (body["data"] for body in bodies(world))
    assert isinstance(start, dict)
    assert isinstance(end, dict)
    assert types(world) == ["stream.online", "stream.offline"]
    assert start["event"]["id"] == "message-1"
    assert start["streamer"]["username"] == "ann"
    assert start["stream"]["id"] == "s1"
    assert start["session"] is None
    assert end["stream"] is None
    assert end["session"]["ended_at"] == "2026-06-01T12:01:30Z"
    assert end["session"]["duration_minutes"] == 1.5


def test_every_attempt_carries_the_same_id_and_body(world: NotificationWorld) -> None:
    world.add(notification())
    world.sender.answer = lambda _: REFUSED
    world.go_live(viewer_count=7)
    world.pass_time(10)
    world.poll(viewer_count=500, started_at=START)
    world.pass_time(7200)

    sent = {(message.delivery_id, message.body) for _, message in world.sender.sent}
    assert len(world.sender.sent) > 4
    assert len(sent) == 1


def test_a_failing_delivery_delays_only_its_streamer(world: NotificationWorld) -> None:
    world.add(notification())
    ok = SendResult(delivered=True, detail="ok", status_code=204)
    world.sender.answer = lambda m: REFUSED if '"ann"' in (m.body or "") else ok
    world.go_live()
    world.pass_time(30)
    world.go_offline()
    world.go_live("s2", user=BOB)
    world.pass_time(30)

    outcomes = {(d.event.broadcaster_login, d.event_type): d.attempts for d in world.deliveries()}
    assert outcomes["ann", "stream.online"] == 2
    assert outcomes["ann", "stream.offline"] == 0
    assert outcomes["bob", "stream.online"] == 1


def test_a_failing_delivery_delays_its_streamer_for_an_hour_at_most(
    world: NotificationWorld,
) -> None:
    world.add(notification())
    ok = SendResult(delivered=True, detail="ok", status_code=204)
    world.sender.answer = lambda m: REFUSED if "stream.online" in (m.body or "")[:30] else ok
    world.go_live()
    world.pass_time(30)
    world.go_offline()
    world.pass_time(3 * 3600)

    delivered = [at for at, message in world.sender.sent if "offline" in (message.body or "")[:30]]
    assert len(delivered) == 1
    assert delivered[0] - START <= timedelta(hours=1)


def test_after_a_recovery_deliveries_arrive_in_order(world: NotificationWorld) -> None:
    world.add(notification())
    world.sender.answer = lambda _: REFUSED
    for number in range(5):
        world.go_live(f"s{number}")
        world.pass_time(30)
        world.go_offline(f"s{number}")
        world.pass_time(30)
    received: list[Message] = []

    def take(message: Message) -> SendResult:
        received.append(message)
        return SendResult(delivered=True, detail="ok", status_code=204)

    world.sender.answer = take
    world.pass_time(3600)

    times = [json.loads(message.body or "")["timestamp"] for message in received]
    assert len(received) == 10
    assert times == sorted(times)


def test_an_end_without_a_stream_id_is_of_the_streamers_stream_also_after_renames(
    world: NotificationWorld,
) -> None:
    world.add(notification())
    for user in (ANN, BOB):
        world.storage.add_streamers([Streamer(user.user_id, user.login, user.login, world.now)])
    world.go_live("s1")
    world.go_live("s2", user=BOB)
    world.work()
    world.go_offline(None)
    names = [(ANN.user_id, "anna", "Anna"), (BOB.user_id, ANN.login, ANN.display_name)]
    world.recorder.record([SeenNames(*name, at=world.now) for name in names])
    world.work()

    [end] = [d for d in world.deliveries() if d.event_type == OFFLINE]
    assert (end.event.broadcaster_id, end.stream_id) == (ANN.user_id, "s1")


def test_the_same_event_is_delivered_once_however_often_it_is_read(
    world: NotificationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reader, "RECLAIM_SECONDS", 0.0)
    world.add(notification())
    world.go_live()
    with monkeypatch.context() as killed:
        killed.setattr(world.storage.feed, "acknowledge", lambda *_: None)
        assert [world.reader.run_once() for _ in range(3)] == [1, 1, 1]
    world.pass_time(10)

    assert len(world.sender.sent) == 1


def test_an_event_that_shows_a_defect_delays_no_other(
    world: NotificationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(notification: Notification, event: StreamEvent, tags: object) -> bool:
        if event.broadcaster_id == BOB.user_id:
            raise ZeroDivisionError
        return True

    monkeypatch.setattr(reader, "wants", failing)
    monkeypatch.setattr(feed_reader, "RECLAIM_SECONDS", 0.0)
    world.add(notification())
    world.go_live("s1")
    world.go_live("s2", user=BOB)
    world.go_live("s3", user=User("3", "eve", "Eve"))
    for _ in range(MAX_TRIES):
        assert world.storage.feed.dead_letters(reader.READER) == []
        world.reader.run_once()
    world.work()
    assert [d.event.broadcaster_id for d in world.deliveries()] == ["1", "3"]
    [letter] = world.storage.feed.dead_letters(reader.READER)
    assert letter.error == "An unexpected error: ZeroDivisionError"
    assert world.reader.run_once() == 0


def test_events_before_a_notification_was_created_are_not_sent(world: NotificationWorld) -> None:
    world.go_live()
    world.pass_time(60)
    world.add(notification(created_at=world.now, active_since=world.now))
    world.pass_time(60)

    assert world.deliveries() == []


def test_a_stream_that_goes_on_again_is_sent_once(world: NotificationWorld) -> None:
    world.add(notification())
    for _ in range(2):
        world.go_live(at=world.now)
        world.pass_time(30)
        world.go_offline()
        world.pass_time(30)

    assert types(world) == ["stream.online", "stream.offline"]


def test_after_many_updates_an_end_that_is_reported_twice_is_sent_once(
    world: NotificationWorld,
) -> None:
    world.add(notification())
    world.go_live(viewer_count=10)
    world.pass_time(600)
    for number in range(25):
        world.poll(started_at=START, title=f"Round {number}")
        world.pass_time(600)
    ended_at = world.now
    for _ in range(2):
        world.pass_time(300)
        absent = SeenAbsent(ANN.user_id, ANN.login, ANN.display_name, world.now)
        world.recorder.record([absent])
    world.work()
    world.go_offline(None, at=ended_at + timedelta(seconds=30))
    world.pass_time(10)

    updates = [body["data"] for body in bodies(world) if body["type"] == "channel.update"]
    assert len(updates) == 25
    assert all(isinstance(data, dict) and data["stream"]["id"] == "s1" for data in updates)
    assert types(world).count("stream.offline") == 1


def test_a_category_filter_waits_and_keeps_the_order(world: NotificationWorld) -> None:
    world.add(notification(categories=("Chess",)))
    world.go_live()
    world.pass_time(10)
    assert world.sender.sent == []

    world.poll(started_at=START)
    world.pass_time(2)

    assert types(world) == ["stream.online"]


def test_a_receiver_that_is_gone_switches_the_notification_off(world: NotificationWorld) -> None:
    world.add(notification())
    world.go_live()
    world.pass_time(1)
    world.sender.answer = lambda _: GONE
    world.go_offline()
    world.go_live("s2", user=BOB)
    world.pass_time(1)

    known = world.store.get("n1")
    assert known is not None
    assert not known.enabled
    assert {d.status for d in world.deliveries()} == {"delivered", "failed"}
    assert world.store.pending("n1", 10) == []


def test_a_notification_whose_discord_webhook_was_deleted_is_switched_off(
    world: NotificationWorld,
) -> None:
    deleted = SendResult(
        delivered=False, detail="the webhook was deleted in Discord", status_code=404, is_gone=True
    )
    world.add(notification(TargetKind.DISCORD))
    world.sender.answer = lambda _: deleted
    world.go_live(viewer_count=10)
    world.pass_time(10)

    known = world.store.get("n1")
    assert known is not None
    assert known.disabled_reason == "the webhook was deleted in Discord"
    assert len(world.sender.sent) == 1


def test_five_days_of_failures_switch_the_notification_off(world: NotificationWorld) -> None:
    world.add(notification())
    world.sender.answer = lambda _: REFUSED
    for day in range(7):
        world.go_live(f"s{day}")
        world.pass_time(86400)

    known = world.store.get("n1")
    assert known is not None
    assert known.disabled_reason == "every attempt of five days failed"
    assert world.store.pending("n1", 10) == []


def test_a_success_within_five_days_keeps_the_notification_on(world: NotificationWorld) -> None:
    world.add(notification())
    accept = world.sender.answer
    for day in range(8):
        world.sender.answer = accept if day == 3 else lambda _: REFUSED
        world.go_live(f"s{day}", user=User(str(day), f"u{day}", "U"))
        world.pass_time(86400)

    known = world.store.get("n1")
    assert known is not None
    assert known.enabled


def test_beyond_the_bound_the_oldest_pending_deliveries_fail(
    world: NotificationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_PENDING", 3)
    world.add(notification())
    world.sender.answer = lambda _: REFUSED
    for number in range(5):
        world.go_live(f"s{number}", user=User(str(number), f"u{number}", "U"))
        world.pass_time(1)

    assert [d.error for d in world.deliveries()[:2]] == ["queue full", "queue full"]
    assert [d.status for d in world.deliveries()] == ["failed"] * 2 + ["pending"] * 3
    wait_for(lambda: world.counters.shared() == {"webhook queue_full": 2})


def test_an_error_of_ours_is_a_failed_attempt(world: NotificationWorld) -> None:
    world.add(notification())

    def fail(_: Message) -> SendResult:
        raise ZeroDivisionError

    world.sender.answer = fail
    world.go_live()
    world.pass_time(1)

    [failed] = world.deliveries()
    assert failed.attempts == 1
    assert "ZeroDivisionError" in (failed.error or "")


def test_a_large_event_is_reduced_to_the_bound(world: NotificationWorld) -> None:
    world.add(notification())
    world.go_live()
    [entry] = world.storage.feed.tail(None, 10).entries
    assert entry.record is not None
    entry.record.events[0].data["huge"] = {"x" * 50: ["y" * 1000] * 100}
    world.pass_time(1)

    [(_, message)] = world.sender.sent
    assert len((message.body or "").encode()) < 20_000
    assert json.loads(message.body or "")["data"]["event"]["data"]["id"] == "s1"


def test_finished_deliveries_are_counted_by_kind_and_outcome(world: NotificationWorld) -> None:
    world.add(notification())
    world.go_live()
    world.pass_time(1)

    expected = {f"{TargetKind.WEBHOOK} delivered": 1}
    wait_for(lambda: world.counters.shared() == expected)


def test_a_tag_filter_follows_the_tags_of_the_streamer(world: NotificationWorld) -> None:
    record = Streamer("1", "ann", "Ann", START, tags=("fps", "friends"))
    world.storage.add_streamers([record])
    world.add(notification(tags=("friends",)))
    world.go_live()
    world.go_live("s2", user=BOB)
    world.pass_time(1)
    world.storage.commit_streamers([replace(record, tags=(), version=2)])
    world.go_offline()
    world.pass_time(1)

    [body] = bodies(world)
    data = body["data"]
    assert isinstance(data, dict)
    assert (body["type"], data["streamer"]["tags"]) == ("stream.online", ["fps", "friends"])
