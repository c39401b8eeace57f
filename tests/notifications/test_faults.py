"""Receivers that are down, frozen or strict, and workers that are killed: nothing is lost."""

import json
import socket
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest

from streamwatch.domain.models import EventType, Source, Stream, StreamEvent, User
from streamwatch.domain.notifications.models import SigningSecret, TargetKind
from streamwatch.domain.notifications.retries import DELAYS, JITTER
from streamwatch.domain.observations import WentOffline, WentOnline
from streamwatch.domain.times import format_time
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.http import HttpClient
from streamwatch.services.notifications.senders.discord import DiscordSender
from streamwatch.services.notifications.senders.webhook import new_secret
from streamwatch.storage.base import Storage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests.notifications.build import notification
from tests.notifications.receiver import FakeDiscord, Receiver, receiving
from tests.notifications.workers import working
from tests.notifications.world import NotificationWorld
from tests.waiting import wait_for

STREAMERS = 20
CLAIMED_BY_KILLED_SECONDS = 60
"""Allows for deliveries that a killed worker had claimed, and for starting another worker."""


@pytest.fixture
def storage(redis_url: str) -> Iterator[RedisStorage]:
    storage = RedisStorage(Connection.to(redis_url))
    yield storage
    storage.close()


def add_webhook(storage: Storage, notification_id: str, url: str) -> None:
    begin = datetime.now(UTC) - timedelta(seconds=1)
    made = notification(
        id=notification_id,
        url=url,
        created_at=begin,
        active_since=begin,
        secrets=(SigningSecret(new_secret()),),
    )
    assert storage.notifications.add(made, limit=200)


def go_live(storage: Storage, number: int) -> None:
    user, now = User(str(number), f"user{number}", f"User{number}"), datetime.now(UTC)
    data = {"id": f"s{number}", "type": "live", "started_at": format_time(now)}
    event = _event(EventType.ONLINE, user, now, data)
    ObservationRecorder(storage).record([WentOnline(event, Stream(f"s{number}", now))])


def go_offline(storage: Storage, number: int) -> None:
    user, now = User(str(number), f"user{number}", f"User{number}"), datetime.now(UTC)
    event = _event(EventType.OFFLINE, user, now, {"id": f"s{number}"})
    ObservationRecorder(storage).record([WentOffline(event)])


def _event(kind: EventType, user: User, now: datetime, data: dict[str, str]) -> StreamEvent:
    return StreamEvent(
        id=f"{kind}-{user.user_id}",
        event_type=kind,
        broadcaster_id=user.user_id,
        broadcaster_login=user.login,
        broadcaster_name=user.display_name,
        timestamp=now,
        data=data,
        source=Source.EVENTSUB,
    )


def longest_delay_after(outage: float) -> float:
    """How many seconds after the end of an outage the last delivery may be attempted: the delay
    that follows the last attempt within the outage."""
    attempts = [0.0, *accumulate(delay.total_seconds() for delay in DELAYS)]
    failed = bisect_right(attempts, outage)
    return DELAYS[failed - 1].total_seconds() * (1 + JITTER)


@pytest.mark.parametrize(
    "seconds",
    [
        # Attempts follow after 5 s and then after a minute: the second one succeeds.
        pytest.param(4, id="for seconds", marks=pytest.mark.timeout(240)),
        pytest.param(
            600, id="for ten minutes", marks=[pytest.mark.soak, pytest.mark.timeout(3000)]
        ),
    ],
)
def test_a_receiver_is_down_while_workers_are_killed_in_turn(
    storage: RedisStorage, redis_url: str, seconds: float
) -> None:
    down, kills = True, 0

    def answer(_: object) -> tuple[int, dict[str, str], bytes]:
        return (500 if down else 204), {}, b""

    with receiving(Receiver(answer=answer)) as receiver, working(redis_url, 2) as workers:
        add_webhook(storage, "n1", receiver.url)
        for number in range(STREAMERS):
            go_live(storage, number)
        for number in range(STREAMERS):
            go_offline(storage, number)
        wait_for(lambda: bool(receiver.requests), seconds=60)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            workers.kill_oldest()
            kills += 1
            time.sleep(min(3, max(0.0, end - time.monotonic())))  # between two kills
        failed, down = len(receiver.requests), False
        wait_for(
            lambda: not storage.notifications.pending("n1", 1),
            seconds=longest_delay_after(seconds) + CLAIMED_BY_KILLED_SECONDS,
        )
        taken = receiver.requests[failed:]
    waited = time.monotonic() - end
    print(  # noqa: T201  its report
        f"{failed} requests failed, {kills} workers were killed; {len(taken)} requests succeeded,"
        f" the last {waited:.0f} s after the outage"
    )

    deliveries = storage.notifications.deliveries("n1", 1000)
    assert [d.status for d in deliveries] == ["delivered"] * 2 * STREAMERS
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    assert ids == {d.id for d in deliveries}
    order: dict[str, list[str]] = defaultdict(list)
    for request in taken:
        body = json.loads(request.body)
        login = body["data"]["event"]["broadcaster_login"]
        if body["type"] not in order[login]:  # a crash may repeat a request
            order[login].append(body["type"])
    assert set(map(tuple, order.values())) == {("stream.online", "stream.offline")}
    assert len(order) == STREAMERS


@pytest.mark.timeout(120)
def test_a_frozen_receiver_delays_no_other(storage: RedisStorage, redis_url: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=64) as frozen,
        receiving() as receiver,
        working(redis_url, 1),
    ):
        add_webhook(storage, "frozen", f"http://127.0.0.1:{frozen.getsockname()[1]}/")
        add_webhook(storage, "healthy", receiver.url)
        for number in range(STREAMERS):
            go_live(storage, number)
        wait_for(lambda: len(receiver.requests) == STREAMERS, seconds=60)

        waiting = storage.notifications.pending("frozen", 100)

    assert len(waiting) == STREAMERS
    assert {d.attempts for d in waiting} <= {0, 1}


def test_a_hundred_go_lives_at_once_keep_to_the_limits_of_discord() -> None:
    world = NotificationWorld()
    discord = FakeDiscord(clock=lambda: world.now.timestamp())  # noqa: PLW0108  `now` changes
    client = HttpClient(AddressPolicy(allow_private=True))
    world.attempt._senders = {TargetKind.DISCORD: DiscordSender(client, world.clock)}
    with receiving(discord):
        url = f"{discord.url}/api/webhooks/1/token"
        world.add(notification(TargetKind.DISCORD, url=url))
        for number in range(100):
            user = User(str(number), f"user{number}", f"User{number}")
            world.go_live(f"s{number}", user=user, viewer_count=1)
        for _ in range(1000):
            world.work()
            if not world.store.pending("n1", 1):
                break
            world.now += timedelta(seconds=0.5)

    assert len(discord.messages) == 100
    assert discord.limited <= 1
    assert {d.status for d in world.deliveries()} == {"delivered"}
