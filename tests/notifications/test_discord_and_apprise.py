"""Discord and Apprise: which messages are sent, and when."""

import json
from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.models import User
from streamwatch.domain.notifications.models import (
    EditRefusal,
    SendResult,
    TargetKind,
)
from streamwatch.domain.notifications.quiet_hours import QuietHours
from streamwatch.domain.notifications.retries import restarted
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.senders.apprise import AppriseSender
from streamwatch.storage.notifications import Attempted
from tests.notifications.build import START, at, notification
from tests.notifications.world import NotificationWorld

if TYPE_CHECKING:
    from collections.abc import Callable

APPRISE, DISCORD = TargetKind.APPRISE, TargetKind.DISCORD
LIVE: dict[str, Any] = {"viewer_count": 10}


@pytest.fixture
def world() -> NotificationWorld:
    return NotificationWorld()


def first_lines(world: NotificationWorld) -> list[str]:
    return [message.text.splitlines()[0] for _, message in world.sender.sent]


STARTED = "Ann is live: Chess"


def test_a_go_live_is_announced_at_once_when_title_and_category_are_known(
    world: NotificationWorld,
) -> None:
    world.add(notification(APPRISE))
    world.go_live(**LIVE)

    world.pass_time(0)

    assert [m.text for m in world.sender.posts] == [
        "Ann is live: Chess\nHello\nhttps://www.twitch.tv/ann"
    ]


def test_a_go_live_waits_for_title_and_category(world: NotificationWorld) -> None:
    world.add(notification(APPRISE))
    world.go_live()
    world.pass_time(2)
    assert world.sender.sent == []

    world.poll(started_at=START)
    world.pass_time(1)

    assert first_lines(world) == [STARTED]


def test_a_go_live_waits_for_five_seconds_at_most(world: NotificationWorld) -> None:
    world.add(notification(APPRISE))
    world.go_live()
    world.pass_time(4.9)
    assert world.sender.sent == []

    world.pass_time(0.2)

    assert first_lines(world) == ["Ann is live"]


def test_a_go_live_that_is_over_is_not_announced(world: NotificationWorld) -> None:
    world.add(notification(APPRISE))
    world.go_live()
    world.pass_time(1)
    world.go_offline()

    world.pass_time(600)

    assert world.sender.sent == []
    assert world.outcomes() == [
        "stream.online skipped the stream ended before it could be announced",
        "stream.offline skipped the start of this stream was not announced",
    ]


def test_a_go_live_that_is_over_starts_no_cooldown(world: NotificationWorld) -> None:
    world.add(notification(APPRISE))
    world.go_live()
    world.pass_time(1)
    world.go_offline()
    world.pass_time(5)

    world.go_live("s2", **LIVE)
    world.pass_time(0)

    assert first_lines(world) == [STARTED]


def test_a_second_go_live_within_the_cooldown_is_not_announced(world: NotificationWorld) -> None:
    world.add(notification(APPRISE, cooldown_minutes=10))
    world.go_live(**LIVE)
    world.pass_time(60)
    world.go_offline()
    world.pass_time(60)
    world.go_live("s2", **LIVE)

    world.pass_time(3600)

    assert first_lines(world) == [STARTED]
    assert world.outcomes() == [
        "stream.online delivered",
        "stream.offline skipped the streamer went live again",
        "stream.online skipped cooldown until 12:10 UTC",
    ]


def test_after_the_cooldown_the_next_go_live_is_announced(world: NotificationWorld) -> None:
    world.add(notification(APPRISE, cooldown_minutes=10))
    world.go_live(**LIVE)
    world.pass_time(60)
    world.go_offline()
    world.pass_time(541)
    world.go_live("s2", **LIVE)

    world.pass_time(0)

    assert first_lines(world) == [STARTED, "Ann's stream has ended", STARTED]


def test_an_end_is_announced_once_it_has_lasted_two_minutes(world: NotificationWorld) -> None:
    world.sessions["s1"] = {
        "title": "Hello",
        "category_name": "Chess",
        "started_at": "2026-06-01T12:00:00Z",
        "max_viewers": 99,
    }
    world.add(notification(APPRISE))
    world.go_live(**LIVE)
    world.pass_time(3600)
    world.go_offline()
    world.pass_time(119)
    assert len(world.sender.sent) == 1

    world.pass_time(1)

    assert first_lines(world)[1:] == ["Ann's stream has ended: it lasted 1 h, peak 99 viewers"]


def test_the_same_stream_that_goes_on_again_ends_when_it_ends_for_good(
    world: NotificationWorld,
) -> None:
    world.add(notification(APPRISE))
    world.go_live(**LIVE)
    for _ in range(3):
        world.pass_time(60)
        world.go_offline()
        world.pass_time(60)
        world.go_live(at=world.now, **LIVE)
    world.pass_time(600)
    assert first_lines(world) == [STARTED]

    world.go_offline()
    world.pass_time(119)
    assert first_lines(world) == [STARTED]
    world.pass_time(1)

    assert first_lines(world) == [STARTED, "Ann's stream has ended"]


@pytest.mark.parametrize("kind", [DISCORD, APPRISE])
def test_the_end_of_a_stream_that_is_announced_when_it_goes_on_again_is_announced(
    world: NotificationWorld, kind: TargetKind
) -> None:
    world.add(notification(kind))
    world.go_live()
    world.pass_time(2)  # too short to be announced without a title
    world.go_offline()
    world.pass_time(180)
    world.go_live(at=world.now, **LIVE)
    world.pass_time(3600)
    assert first_lines(world) == [STARTED]

    world.go_offline()
    world.pass_time(600)

    assert first_lines(world)[1].startswith("Ann's stream has ended")


def test_without_a_cooldown_every_event_is_announced(world: NotificationWorld) -> None:
    world.add(notification(APPRISE, cooldown_minutes=0))
    for number in range(3):
        world.go_live(f"s{number}", **LIVE)
        world.pass_time(1)
        world.go_offline(f"s{number}")
        world.pass_time(1)

    assert first_lines(world) == [STARTED, "Ann's stream has ended"] * 3


def test_events_in_quiet_hours_are_skipped_and_not_announced_later(
    world: NotificationWorld,
) -> None:
    quiet = QuietHours(time(13), time(15), "Europe/Berlin")  # 11:00 to 13:00 UTC
    world.add(notification(APPRISE, quiet_hours=quiet))
    world.go_live(**LIVE)

    world.pass_time(2 * 3600)

    assert world.sender.sent == []
    assert world.outcomes() == ["stream.online skipped quiet hours until 15:00"]


def test_a_category_filter_waits_for_the_category(world: NotificationWorld) -> None:
    world.add(notification(APPRISE, categories=("chess",)))
    world.go_live()
    world.pass_time(60)
    assert world.sender.sent == []

    world.poll(started_at=START)
    world.pass_time(1)

    assert first_lines(world) == [STARTED]


def test_a_filter_that_learns_nothing_for_five_minutes_skips(world: NotificationWorld) -> None:
    world.add(notification(APPRISE, title_contains=("x",)))
    world.go_live()

    world.pass_time(301)

    assert world.outcomes() == [
        "stream.online skipped title and category were not known within 5 minutes"
    ]


def test_another_category_is_skipped(world: NotificationWorld) -> None:
    world.add(notification(APPRISE, categories=("Go",)))
    world.go_live(**LIVE)

    world.pass_time(1)

    assert world.outcomes() == ["stream.online skipped title or category do not match the filters"]


def test_other_streamers_are_announced_meanwhile(world: NotificationWorld) -> None:
    world.add(notification(APPRISE))
    world.go_live(**LIVE)
    world.go_live("s2", user=User("2", "bob", "Bob"), **LIVE)

    world.pass_time(1)

    assert sorted(first_lines(world)) == [STARTED, "Bob is live: Chess"]


class Telegram:
    """Takes messages, except for a chat that has blocked the bot. In place of `requests.post`."""

    def __init__(self, blocked: int) -> None:
        self._blocked = blocked
        self.received: list[tuple[int, str]] = []

    def post(self, _url: str, *, data: str, **_: object) -> SimpleNamespace:
        message = json.loads(data)
        if message["chat_id"] == self._blocked:
            return SimpleNamespace(status_code=403, content=b'{"ok": false}')
        self.received.append((message["chat_id"], message["text"].splitlines()[0]))
        return SimpleNamespace(status_code=200, content=b'{"ok": true}')


TWO_CHATS = f"tgram://123456789:{'a' * 35}/1111/2222"


def test_a_recipient_gets_a_message_once_while_another_refuses_it(
    world: NotificationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    telegram = Telegram(blocked=2222)
    monkeypatch.setattr("requests.post", telegram.post)
    world.senders[APPRISE] = AppriseSender(AddressPolicy())
    world.add(notification(APPRISE, url=TWO_CHATS))
    for number in range(2):
        world.go_live(f"s{number}", **LIVE)
        world.pass_time(60)
        world.go_offline(f"s{number}")
        world.pass_time(60)
    world.pass_time(7 * 86400)
    world.go_live("s9", **LIVE)
    world.pass_time(8 * 3600)

    assert telegram.received == [
        (1111, STARTED),
        (1111, "Ann's stream has ended"),
        (1111, STARTED),
    ]
    known = world.store.get("n1")
    assert known is not None
    assert known.enabled


# Discord


def test_discord_shows_a_stream_in_one_message(world: NotificationWorld) -> None:
    world.add(notification(DISCORD))
    world.go_live(**LIVE)
    world.pass_time(60)
    world.go_offline()
    world.pass_time(120)

    assert first_lines(world) == [STARTED, "Ann's stream has ended"]
    assert [m.edits for m in world.sender.edits] == ["m1"]


def test_the_discord_message_of_a_stream_says_live_after_an_update(
    world: NotificationWorld,
) -> None:
    world.add(notification(DISCORD))
    world.go_live(**LIVE)
    world.pass_time(600)
    world.poll(started_at=START, title="Final")
    world.pass_time(1)

    [edit] = world.sender.edits
    assert edit.text == "Ann is live: Chess\nFinal\nhttps://www.twitch.tv/ann"

    [changed] = [d for d in world.deliveries() if d.event_type == "channel.update"]
    sent_again = replace(restarted(changed, world.now), version=changed.version + 1)
    assert world.store.save(sent_again, Attempted(world.now))
    world.pass_time(1)
    assert first_lines(world)[-1] == "Ann changed the title"


@pytest.mark.parametrize("named", ["s1", None])
def test_a_stream_with_many_updates_is_shown_in_one_message_until_its_end(
    world: NotificationWorld, named: str | None
) -> None:
    world.add(notification(DISCORD))
    world.go_live(**LIVE)
    world.pass_time(600)
    for number in range(110):
        world.poll(started_at=START, title=f"Round {number}")
        world.pass_time(600)
    world.go_offline(named)
    world.pass_time(200)

    *updates, end = world.sender.edits
    assert [m.text.splitlines()[1] for m in updates] == [f"Round {n}" for n in range(110)]
    assert end.text.startswith("Ann's stream has ended")
    assert {m.edits for m in world.sender.edits} == {"m1"}


def test_a_new_stream_within_the_cooldown_continues_the_same_message(
    world: NotificationWorld,
) -> None:
    world.add(notification(DISCORD))
    world.go_live(**LIVE)
    world.pass_time(60)
    world.go_offline()
    world.pass_time(60)
    world.go_live("s2", title="Back", **LIVE)
    world.pass_time(600)
    world.go_offline("s2")
    world.pass_time(120)

    assert len(world.sender.posts) == 1
    assert [(m.edits, m.text.splitlines()[0]) for m in world.sender.edits] == [
        ("m1", STARTED),
        ("m1", "Ann's stream has ended"),
    ]


def test_the_same_stream_after_its_end_goes_on_with_its_message(world: NotificationWorld) -> None:
    world.add(notification(DISCORD, cooldown_minutes=1))
    world.go_live(**LIVE)
    world.pass_time(600)
    world.go_offline()
    world.pass_time(200)
    world.go_live(at=world.now, **LIVE)
    world.pass_time(600)
    world.go_offline()
    world.pass_time(200)

    assert len(world.sender.posts) == 1
    assert [m.text.splitlines()[0] for m in world.sender.edits] == [
        "Ann's stream has ended",
        STARTED,
        "Ann's stream has ended",
    ]


def test_a_new_stream_after_the_cooldown_gets_its_own_message_and_both_are_closed(
    world: NotificationWorld,
) -> None:
    world.add(notification(DISCORD, cooldown_minutes=1))
    world.go_live(**LIVE)
    world.pass_time(600)
    world.go_offline()
    world.pass_time(60)
    world.go_live("s2", **LIVE)
    world.pass_time(600)
    world.go_offline("s2")
    world.pass_time(200)

    assert len(world.sender.posts) == 2
    assert [m.edits for m in world.sender.edits] == ["m1", "m2"]


def test_without_its_go_live_discord_shows_no_end(world: NotificationWorld) -> None:
    world.go_live(**LIVE)
    world.pass_time(60)
    world.add(notification(DISCORD, created_at=world.now, active_since=world.now))
    world.go_offline()

    world.pass_time(600)

    assert world.sender.sent == []
    assert world.outcomes() == ["stream.offline skipped the start of this stream was not announced"]


def test_edits_are_made_in_quiet_hours(world: NotificationWorld) -> None:
    quiet = QuietHours(time(12, 30), time(18), "UTC")
    world.add(notification(DISCORD, quiet_hours=quiet))
    world.go_live(**LIVE)
    world.pass_time(3600)
    world.go_offline()

    world.pass_time(600)

    assert [m.edits for m in world.sender.edits] == ["m1"]


def test_an_end_that_can_not_be_edited_is_a_new_message(world: NotificationWorld) -> None:
    world.add(notification(DISCORD))
    world.go_live(**LIVE)
    world.pass_time(3600)
    accept = world.sender.answer
    refused = SendResult(
        delivered=False, detail="429", status_code=429, edit_refusal=EditRefusal.TOO_MANY
    )
    world.sender.answer = lambda message: refused if message.edits else accept(message)
    world.go_offline()

    world.pass_time(600)

    assert [m.text.splitlines()[0] for m in world.sender.posts] == [
        STARTED,
        "Ann's stream has ended",
    ]
    assert world.outcomes() == ["stream.online delivered", "stream.offline delivered"]


def test_the_end_of_a_message_that_was_deleted_is_left_out(world: NotificationWorld) -> None:
    world.add(notification(DISCORD))
    world.go_live(**LIVE)
    world.pass_time(60)
    gone = SendResult(
        delivered=False, detail="404", status_code=404, edit_refusal=EditRefusal.NO_MESSAGE
    )
    world.sender.answer = lambda _: gone
    world.go_offline()

    world.pass_time(600)

    assert world.outcomes()[1] == "stream.offline skipped the message was deleted in Discord"


def test_a_go_live_that_discord_accepts_late_is_announced_while_the_stream_is_live(
    world: NotificationWorld,
) -> None:
    world.add(notification(DISCORD))
    accept = world.sender.answer
    world.sender.answer = lambda _: SendResult(delivered=False, detail="500", status_code=500)
    world.go_live(**LIVE)
    world.pass_time(30)
    world.sender.answer = accept

    world.pass_time(60)

    assert world.outcomes() == ["stream.online delivered"]


# Properties

DELAYS = st.lists(st.floats(0, 45), min_size=3, max_size=3)


@given(
    kind=st.sampled_from([APPRISE, DISCORD]),
    gaps=st.lists(st.floats(1, 55), min_size=2, max_size=2),
    delays=DELAYS,
    same_stream=st.booleans(),
)
def test_on_off_on_is_one_message_in_any_order_of_arrival(
    kind: TargetKind, gaps: list[float], delays: list[float], same_stream: bool
) -> None:
    world = NotificationWorld()
    world.add(notification(kind))
    times = [0.0, gaps[0], gaps[0] + gaps[1]]
    second = "s1" if same_stream else "s2"
    messages: list[tuple[float, Callable[[], None]]] = [
        (times[0] + delays[0], lambda: world.go_live("s1", at=at(times[0]))),
        (times[1] + delays[1], lambda: world.go_offline("s1", at=at(times[1]))),
        (times[2] + delays[2], lambda: world.go_live(second, at=at(times[2]))),
    ]
    for arrives, arrive in sorted(messages, key=lambda message: message[0]):
        world.pass_time((at(arrives) - world.now).total_seconds())
        arrive()
    world.pass_time(3600)

    assert len(world.sender.posts) == 1
    assert all("ended" not in message.text for _, message in world.sender.sent)


@given(
    kind=st.sampled_from([APPRISE, DISCORD]),
    steps=st.lists(st.tuples(st.floats(0.1, 400), st.booleans()), min_size=1, max_size=8),
    cooldown=st.sampled_from([0, 1, 10]),
)
def test_no_stream_is_announced_twice_or_ends_twice(
    kind: TargetKind, steps: list[tuple[float, bool]], cooldown: int
) -> None:
    world = NotificationWorld()
    world.add(notification(kind, cooldown_minutes=cooldown))
    stream, live = 0, False
    for seconds, is_new in steps:
        if live:
            world.go_offline(f"s{stream}")
        else:
            stream += int(is_new or not stream)
            world.go_live(f"s{stream}", **LIVE)
        live = not live
        world.pass_time(seconds)
    world.pass_time(3600)

    delivered = [d for d in world.deliveries() if d.status == "delivered"]
    keys = [(d.event_type, d.stream_id) for d in delivered]
    assert len(keys) == len(set(keys))
    if kind is APPRISE:
        assert len(world.sender.sent) == len(delivered)
        announced = [
            d.delivered_at for d in delivered if d.event_type == "stream.online" and d.delivered_at
        ]
        gaps = [after - before for before, after in pairwise(announced)]
        assert all(gap >= timedelta(minutes=cooldown) for gap in gaps)
    if kind is DISCORD and delivered and not live:
        last = [message for _, message in world.sender.sent][-1]
        assert "ended" in last.text
    assert all(d.status.is_finished for d in world.deliveries())


def test_a_retried_delivery_is_sent_despite_quiet_hours_and_cooldown(
    world: NotificationWorld,
) -> None:
    quiet = QuietHours(time(11), time(13), "UTC")
    world.add(notification(APPRISE, quiet_hours=quiet))
    world.go_live(**LIVE)
    world.pass_time(1)
    [skipped] = world.deliveries()

    again = replace(restarted(skipped, world.now), version=skipped.version + 1)
    world.store.save(again, Attempted(world.now))
    world.pass_time(1)

    assert first_lines(world) == [STARTED]


def send_again(world: NotificationWorld, event_type: str, stream_id: str) -> None:
    """A user requests a finished delivery again."""
    [known] = [
        delivery
        for delivery in world.deliveries()
        if (delivery.event_type, delivery.stream_id) == (event_type, stream_id)
    ]
    again = replace(restarted(known, world.now), version=known.version + 1)
    assert world.store.save(again, Attempted(world.now))
    world.pass_time(0)


def test_an_end_that_is_sent_again_leaves_the_message_of_the_live_stream(
    world: NotificationWorld,
) -> None:
    world.add(notification(DISCORD, cooldown_minutes=1))
    world.go_live(**LIVE)
    world.pass_time(600)
    world.go_offline()
    world.pass_time(600)
    world.go_live("s2", **LIVE)
    world.pass_time(600)
    send_again(world, "stream.offline", "s1")
    world.go_offline("s2")
    world.pass_time(200)

    assert len(world.sender.posts) == 3
    assert [m.edits for m in world.sender.edits] == ["m1", "m2"]


@pytest.mark.parametrize("kind", [APPRISE, DISCORD])
def test_a_go_live_that_is_sent_again_does_not_hide_the_end_of_the_live_stream(
    world: NotificationWorld, kind: TargetKind
) -> None:
    world.add(notification(kind, cooldown_minutes=1))
    world.go_live(**LIVE)
    world.pass_time(600)
    world.go_offline()
    world.pass_time(600)
    world.go_live("s2", **LIVE)
    world.pass_time(600)
    send_again(world, "stream.online", "s1")
    world.go_offline("s2")
    world.pass_time(200)

    assert world.outcomes()[-1] == "stream.offline delivered"
    last = world.sender.sent[-1][1]
    assert last.text.startswith("Ann's stream has ended")
    assert last.edits == ("m2" if kind is DISCORD else None)


def test_a_go_live_in_quiet_hours_that_is_sent_again_is_edited_at_the_end(
    world: NotificationWorld,
) -> None:
    quiet = QuietHours(time(11), time(13), "UTC")
    world.add(notification(DISCORD, quiet_hours=quiet))
    world.go_live(**LIVE)
    world.pass_time(60)
    send_again(world, "stream.online", "s1")
    world.pass_time(60)
    world.go_offline()
    world.pass_time(200)

    assert first_lines(world) == [STARTED, "Ann's stream has ended"]
    assert [m.edits for m in world.sender.edits] == ["m1"]


def test_a_stream_that_is_live_again_after_a_refused_edit_has_not_ended(
    world: NotificationWorld,
) -> None:
    world.add(notification(DISCORD))
    world.go_live(**LIVE)
    world.pass_time(600)
    accept = world.sender.answer
    refused = SendResult(
        delivered=False, detail="429", status_code=429, edit_refusal=EditRefusal.TOO_MANY
    )
    world.sender.answer = lambda message: refused if message.edits else accept(message)
    world.go_offline()
    world.pass_time(200)
    world.sender.answer = accept
    world.go_live(at=world.now, **LIVE)
    world.pass_time(60)
    world.go_offline()
    world.pass_time(60)
    world.go_live(at=world.now, **LIVE)
    world.pass_time(600)

    assert [m.text.splitlines()[0] for m in world.sender.posts] == [
        STARTED,
        "Ann's stream has ended",
    ]
    assert world.sender.edits[-1].text.startswith(STARTED)


def test_a_stream_whose_go_live_was_sent_again_is_shown_in_one_message(
    world: NotificationWorld,
) -> None:
    quiet = QuietHours(time(11), time(12, 1), "UTC")
    world.add(notification(DISCORD, quiet_hours=quiet, cooldown_minutes=1))
    world.go_live(**LIVE)
    world.pass_time(1)
    send_again(world, "stream.online", "s1")
    world.pass_time(600)
    world.go_offline()
    world.pass_time(200)
    world.go_live(at=world.now, **LIVE)
    world.pass_time(60)

    assert len(world.sender.posts) == 1
    assert world.sender.edits[-1].text.startswith(STARTED)
