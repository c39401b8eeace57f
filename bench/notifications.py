"""How long it takes from a stored message to the request that a webhook receives."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson

from streamwatch.domain.models import EventType, Source, Stream, StreamEvent
from streamwatch.domain.notifications.models import (
    MAX_NOTIFICATIONS,
    Notification,
    SigningSecret,
    TargetKind,
    WatchedStreamer,
)
from streamwatch.domain.observations import WentOnline
from streamwatch.domain.times import format_time
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.notifications.senders.webhook import new_secret
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests.notifications.receiver import Receiver, Request, receiving
from tests.notifications.workers import working
from tests.servers import redis_server
from tests.waiting import wait_for

EVENTS_PER_SECOND = 20
SECONDS = 10
_WARM_UP = 5
"""Events that are sent before the clock runs."""


def delivery_seconds(notifications: int, *, of_one_streamer: bool = False) -> list[float]:
    """The seconds of each delivery, from the event's time to its request, in ascending order, with
    so many notifications. Each wants every event, or those of one streamer of its own."""
    for_an_event = 1 if of_one_streamer else notifications
    seconds: list[float] = []

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        sent = datetime.fromisoformat(orjson.loads(request.body)["timestamp"])
        seconds.append((datetime.now(UTC) - sent).total_seconds())
        return 204, {}, b""

    with (
        redis_server() as server,
        receiving(Receiver(answer=answer)) as receiver,
        working(server.url, 2),
        _storage(server.url) as storage,
    ):
        for number in range(notifications):
            made = _notification(number, receiver.url)
            if of_one_streamer:
                made = replace(made, streamers=(WatchedStreamer(str(number), f"user{number}"),))
            storage.notifications.add(made, MAX_NOTIFICATIONS)
        for number in range(_WARM_UP):
            _go_live(storage, number)
        wait_for(lambda: len(seconds) == _WARM_UP * for_an_event, seconds=60)
        seconds.clear()
        events = EVENTS_PER_SECOND * SECONDS
        begin = time.monotonic()
        for number in range(events):
            time.sleep(max(0.0, begin + number / EVENTS_PER_SECOND - time.monotonic()))
            _go_live(storage, _WARM_UP + number)
        wait_for(lambda: len(seconds) >= events * for_an_event, seconds=300)
    return sorted(seconds)


@contextmanager
def _storage(url: str) -> Iterator[RedisStorage]:
    storage = RedisStorage(Connection.to(url))
    yield storage
    storage.close()


def _notification(number: int, url: str) -> Notification:
    begin = datetime.now(UTC) - timedelta(seconds=1)
    return Notification(
        id=f"n{number}",
        name=f"Target {number}",
        kind=TargetKind.WEBHOOK,
        url=url,
        created_at=begin,
        active_since=begin,
        secrets=(SigningSecret(new_secret()),),
    )


def _go_live(storage: RedisStorage, number: int) -> None:
    now = datetime.now(UTC)
    event = StreamEvent(
        id=f"message-{number}",
        event_type=EventType.ONLINE,
        broadcaster_id=str(number),
        broadcaster_login=f"user{number}",
        broadcaster_name=f"User{number}",
        timestamp=now,
        data={"id": f"s{number}", "type": "live", "started_at": format_time(now)},
        source=Source.EVENTSUB,
    )
    ObservationRecorder(storage).record([WentOnline(event, Stream(f"s{number}", now))])
