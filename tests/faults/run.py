"""Runs one fault under load and checks afterwards that every promise was kept."""

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
from tests.faults.checks import check_promises
from tests.faults.results import Row
from tests.faults.stack import Stack
from tests.waiting import wait_for

RECOVERED_WITHIN = 30.0

Fault = Callable[[Stack], None]
"""Inflicts the fault and returns when it is over: nothing is frozen, killed servers run again."""


def run_fault(stack: Stack, name: str, fault: Fault, count: int, before: int = 300) -> Row:
    """Inflict `fault` after `before` of at least `count` messages, and check the promises."""
    with timing_answers(stack) as answer_times, stack.load.running():
        wait_for(lambda: len(stack.load.happened) >= before, 120)
        fault(stack)
        recovery = _recovery(stack)
        wait_for(lambda: len(stack.load.happened) >= count, 120)
    result = check_promises(stack)
    row = Row(
        name,
        "webhook",
        result.messages,
        result.attempts,
        len(result.lost),
        len(result.doubled),
        recovery,
        max(answer_times.seconds),
    )
    assert (result.lost, result.doubled) == ({}, []), result
    assert row.recovery < RECOVERED_WITHIN, row
    return row


def _recovery(stack: Stack) -> float:
    """Seconds from now until the service is healthy, acknowledges new messages, and every reader
    has processed the entries that are in the feed now."""
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
class AnswerTimes:
    """Seconds that each answer took."""

    seconds: list[float] = field(default_factory=lambda: [0.0])


@contextmanager
def timing_answers(stack: Stack) -> Iterator[AnswerTimes]:
    """Send a message every 0.2 s beside the load, and measure the time to its answer."""
    answer_times, stopped = AnswerTimes(), threading.Event()

    def send() -> None:
        number = 0
        while not stopped.wait(0.2):
            number += 1
            message = messages.online(_PROBE_USER, f"{number}", secret=SECRET)
            start = time.monotonic()
            try:
                requests.post(
                    stack.service.webhook_url,
                    data=message.body,
                    headers=message.headers | {"Connection": "close"},
                    timeout=20,
                )
            except requests.ConnectionError:  # the process was killed
                continue
            answer_times.seconds.append(time.monotonic() - start)

    thread = threading.Thread(target=send, name="timing")
    thread.start()
    try:
        yield answer_times
    finally:
        stopped.set()
        thread.join()


_PROBE_USER = User("1", "probe_user", "Probe_User")
