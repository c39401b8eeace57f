"""Faults under load while events arrive over a conduit's WebSocket.

Twitch does not repeat what it sent over a WebSocket. So what it wrote to a connection that stayed
readable must be in the history once, nothing may be there twice, and the statuses must be right in
the end, because polls find what fell into a gap.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from streamwatch.domain.models import EventType
from streamwatch.domain.times import parse_time
from tests.faults.figures import Row
from tests.faults.load import Transition
from tests.faults.stack import Stack
from tests.waiting import wait_for

TAKEOVER_SECONDS = 15.0


@dataclass(frozen=True)
class ConduitFault:
    """`keeps_messages` tells whether StreamWatch can still read everything that was written to its
    connections. A leader that dies takes along what it has not read."""

    inflict: Callable[[Stack], None]
    keeps_messages: bool = True


def cut(stack: Stack) -> None:
    """Break the connection five times, each time in the midst of a burst."""
    for _ in range(5):
        connections = stack.twitch.sockets.connections
        stack.twitch.sockets.cut(after=10)
        wait_for(lambda known=connections: stack.twitch.sockets.connections > known, 30)  # type: ignore[misc]  # mypy cannot infer it
        time.sleep(1)


def close(stack: Stack) -> None:
    stack.twitch.sockets.close(4000)
    time.sleep(1)


def reconnect(stack: Stack) -> None:
    """Ask five times to reconnect."""
    for _ in range(5):
        stack.twitch.sockets.reconnect()
        time.sleep(1.5)


def keep_silent(stack: Stack) -> None:
    """Send nothing on a connection that stays open."""
    stack.twitch.sockets.keep_silent(60)
    connections = stack.twitch.sockets.connections
    wait_for(lambda: stack.twitch.sockets.connections > connections, 30)


def late_welcome(stack: Stack) -> None:
    stack.twitch.sockets.welcome_delay = 3.0
    stack.twitch.sockets.cut()
    time.sleep(4)
    stack.twitch.sockets.welcome_delay = 0.0


def leader_killed(stack: Stack) -> None:
    stack.leader.kill()


def leader_frozen(stack: Stack) -> None:
    """Freeze the leader until another has taken over, and then for a while."""
    pid = stack.leader.pid
    connections = stack.twitch.sockets.connections
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    wait_for(lambda: stack.twitch.sockets.connections > connections, 60)
    took = time.monotonic() - start
    time.sleep(5)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    assert took < TAKEOVER_SECONDS, took


def leader_stopped(stack: Stack) -> None:
    """Ask the leader to stop: it hands its connection over."""
    stack.leader.stop()


def redis_killed(stack: Stack) -> None:
    stack.redis_server.kill()
    time.sleep(2)
    stack.redis_server.start()


FAULTS: dict[str, ConduitFault] = {
    "cut the WebSocket 5 times in a burst": ConduitFault(cut),
    "close the WebSocket": ConduitFault(close),
    "reconnect 5 times": ConduitFault(reconnect),
    "silent WebSocket": ConduitFault(keep_silent, keeps_messages=False),
    "late welcome": ConduitFault(late_welcome),
    "kill -9 the leading worker": ConduitFault(leader_killed, keeps_messages=False),
    "freeze the leading worker": ConduitFault(leader_frozen, keeps_messages=False),
    "stop the leading worker": ConduitFault(leader_stopped, keeps_messages=False),
    "kill -9 Redis": ConduitFault(redis_killed),
}


def run_conduit_fault(
    stack: Stack, name: str, fault: ConduitFault, count: int, before: int = 300
) -> Row:
    """Inflict `fault` after `before` of at least `count` transitions, and check the promises."""
    wait_for(lambda: stack.twitch.sockets.session_ids() != [], 30)
    with stack.load.running():
        wait_for(lambda: len(stack.load.happened) >= before, 120)
        fault.inflict(stack)
        recovery = _recovery(stack)
        wait_for(lambda: len(stack.load.happened) >= count, 120)
    wait_for(lambda: _live(stack) == _truth(stack), 60)
    stack.stop_workers()
    history = _history(stack)
    delivered = _delivered(stack)
    assert history.keys() <= stack.load.happened.keys()
    lost = len(delivered - history.keys()) if fault.keeps_messages else 0
    doubled = sum(times > 1 for times in history.values())
    sent = len(stack.twitch.sockets.deliveries)
    row = Row(name, "conduit", len(delivered), sent, lost, doubled, recovery, 0.0)
    assert (row.lost, row.doubled) == (0, 0), row
    assert row.recovery < TAKEOVER_SECONDS, row
    return row


def _recovery(stack: Stack) -> float:
    """Seconds from now until an event that happened after now is in the history."""
    start, over = time.monotonic(), datetime.now(UTC)

    def recovered() -> bool:
        events = stack.service.get("/events?limit=100")["events"]
        return any(
            event["source"] == "eventsub" and parse_time(event["timestamp"]) > over
            for event in events
        )

    wait_for(recovered, 60)
    return time.monotonic() - start


def _delivered(stack: Stack) -> set[Transition]:
    """What was written to the connections."""
    found: set[Transition] = set()
    for delivery in list(stack.twitch.sockets.deliveries):
        payload = delivery.document["payload"]
        if "event" in payload:
            kind = EventType(payload["subscription"]["type"])
            found.add((kind, payload["event"]["id"]))
    return found


def _history(stack: Stack) -> Counter[Transition]:
    return Counter(
        (EventType(event["event_type"]), event["data"]["id"])
        for login in stack.load.logins
        for event in stack.service.get(f"/events/streamer/{login}?limit=1000")["events"]
    )


def _live(stack: Stack) -> dict[str, str]:
    return {
        status["username"]: status["stream_data"]["id"]
        for status in stack.service.get("/streams/live")["live_streams"]
        if status["username"] in stack.load.logins
    }


def _truth(stack: Stack) -> dict[str, str]:
    streams = {login: stack.twitch.world.stream(login) for login in stack.load.logins}
    return {login: stream.id for login, stream in streams.items() if stream}
