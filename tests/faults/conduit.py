"""Faults under load while events arrive over a conduit's WebSocket.

Twitch does not repeat what it sent over a WebSocket. So what it wrote to a connection that stayed
readable must be in the history once, nothing may be there twice, and the statuses must be right in
the end, because polls find what fell into a gap.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from streamwatch.domain.models import EventType
from streamwatch.domain.times import parse_time
from tests.faults.load import Transition
from tests.faults.results import Row
from tests.faults.stack import Stack
from tests.waiting import wait_for

TAKEOVER_SECONDS = 15.0


@dataclass(frozen=True)
class ConduitFault:
    """`keeps_messages` tells whether StreamWatch can still read everything that was written to its
    connections. A leader that dies takes along what it has not read."""

    inject: Callable[[Stack], None]
    keeps_messages: bool = True


def cut(stack: Stack, times: int = 5) -> None:
    """Break the connection, each time in the midst of a burst. The delay before a new connection
    doubles each time."""
    for _ in range(times):
        with replacing_connection(stack):
            stack.twitch.sockets.cut(after=10)


def close(stack: Stack) -> None:
    with replacing_connection(stack):
        stack.twitch.sockets.close(4000)


def reconnect(stack: Stack) -> None:
    """Ask five times to reconnect."""
    for _ in range(5):
        with replacing_connection(stack):
            stack.twitch.sockets.reconnect()


@contextmanager
def replacing_connection(stack: Stack) -> Iterator[None]:
    """After the block, wait until a new connection has received events, and all connections from
    before are closed."""
    sockets = stack.twitch.sockets
    old, delivered = set(sockets.session_ids()), len(sockets.deliveries)
    assert old
    yield
    wait_for(lambda: any(d.session_id not in old for d in sockets.deliveries[delivered:]), 20)
    wait_for(lambda: old.isdisjoint(sockets.session_ids()), 20)


def keep_silent(stack: Stack) -> None:
    """Send nothing on a connection that stays open."""
    stack.twitch.sockets.keep_silent(60)
    connections = stack.twitch.sockets.connections
    wait_for(lambda: stack.twitch.sockets.connections > connections, 30)


def late_welcome(stack: Stack) -> None:
    with replacing_connection(stack):
        stack.twitch.sockets.welcome_delay = 3.0
        stack.twitch.sockets.cut()
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
    """Inject `fault` after `before` of at least `count` transitions, and check the promises."""
    recovery = inject_under_load(stack, fault, count, before)
    must_have = delivered(stack) if fault.keeps_messages else None
    return check_promises(stack, name, must_have, recovery)


def inject_under_load(stack: Stack, fault: ConduitFault, count: int, before: int) -> float:
    """Inject `fault` after `before` of at least `count` transitions, and wait until the statuses
    are right. Returns the seconds from the end of the fault until new events arrived."""
    wait_for(lambda: stack.twitch.sockets.session_ids() != [], 30)
    start = len(stack.load.happened)
    with stack.load.running():
        wait_for(lambda: len(stack.load.happened) >= start + before, 120)
        fault.inject(stack)
        recovery = _recovery(stack)
        # One more event of each streamer corrects a status whose message was lost: a poll does so
        # only minutes later.
        last = max(start + count, len(stack.load.happened) + len(stack.load.logins))
        wait_for(lambda: len(stack.load.happened) >= last, 120)
    wait_for(lambda: _live(stack) == _truth(stack), 60)
    assert recovery < TAKEOVER_SECONDS, recovery
    return recovery


def check_promises(
    stack: Stack, name: str, must_have: set[Transition] | None, recovery: float
) -> Row:
    """Stop the workers, and check that the history has each of `must_have`, if any is promised, and
    no transition twice."""
    stack.stop_workers()
    found = history(stack)
    assert found.keys() <= stack.load.happened.keys()
    lost = None if must_have is None else len(must_have - found.keys())
    doubled = sum(times > 1 for times in found.values())
    sent = len(stack.twitch.sockets.deliveries)
    row = Row(name, "conduit", len(delivered(stack)), sent, lost, doubled, recovery, 0.0)
    assert not row.lost, row
    assert row.doubled == 0, row
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


def delivered(stack: Stack) -> set[Transition]:
    """The transitions whose messages were written to a connection."""
    found: set[Transition] = set()
    for delivery in list(stack.twitch.sockets.deliveries):
        payload = delivery.document["payload"]
        if "event" in payload:
            kind = EventType(payload["subscription"]["type"])
            found.add((kind, payload["event"]["id"]))
    return found


def history(stack: Stack) -> Counter[Transition]:
    """How often each transition is in the streamers' histories."""
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
