"""One fault under load, from before it to the proof after it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests

from streamwatch.domain.models import User
from tests import messages
from tests.e2e.conftest import SECRET
from tests.faults.figures import Row
from tests.faults.proof import prove
from tests.faults.stack import Stack
from tests.waiting import wait_for

RECOVERED_WITHIN = 30.0

Fault = Callable[[Stack], None]
"""Inflicts it, and returns when it is over: what was killed may be started, nothing is frozen."""


def endure(stack: Stack, name: str, fault: Fault, count: int, before: int = 300) -> Row:
    """`fault` after `before` of at least `count` messages, and what came of it. Fails where a
    promise broke."""
    with watching(stack) as watched, stack.load.running():
        wait_for(lambda: len(stack.load.happened) >= before, 120)
        fault(stack)
        recovery = _recovery(stack)
        wait_for(lambda: len(stack.load.happened) >= count, 120)
    found = prove(stack)
    row = Row(
        name,
        found.messages,
        found.attempts,
        found.lost,
        found.doubled,
        recovery,
        max(watched.seconds),
    )
    assert (row.lost, row.doubled) == (0, 0), row
    assert row.recovery < RECOVERED_WITHIN, row
    return row


def _recovery(stack: Stack) -> float:
    """Seconds from now until all is healthy, what happens is acknowledged, and every reader has
    processed what is in the feed."""
    start, over = time.monotonic(), datetime.now(UTC)
    ends_with = stack.feed_end()

    def recovered() -> bool:
        return (
            any(
                delivery.is_acknowledged and delivery.message.sent_at > over
                for delivery in stack.twitch.deliveries[-100:]
            )
            and stack.is_healthy()
            and stack.is_processed(ends_with)
        )

    wait_for(recovered, 2 * RECOVERED_WITHIN)
    return time.monotonic() - start


@dataclass
class Watched:
    """How long each answer took."""

    seconds: list[float] = field(default_factory=lambda: [0.0])


@contextmanager
def watching(stack: Stack) -> Iterator[Watched]:
    """Send a message every now and then, beside the load, and take the time."""
    watched, stopped = Watched(), threading.Event()

    def watch() -> None:
        number = 0
        while not stopped.wait(0.2):
            number += 1
            message = messages.online(_NOBODY, f"{number}", secret=SECRET)
            start = time.monotonic()
            try:
                requests.post(
                    stack.service.webhook_url,
                    data=message.body,
                    headers=message.headers | {"Connection": "close"},
                    timeout=20,
                )
            except requests.ConnectionError:  # killed: no answer is none that took long
                continue
            watched.seconds.append(time.monotonic() - start)

    thread = threading.Thread(target=watch, name="watching")
    thread.start()
    try:
        yield watched
    finally:
        stopped.set()
        thread.join()


_NOBODY = User("1", "nobody_in_particular", "Nobody_In_Particular")
