"""How many attempts run at the same time, and which targets have their turn."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from streamwatch.domain.models import User
from streamwatch.domain.notifications.models import MAX_NOTIFICATIONS, WatchedStreamer
from streamwatch.services.notifications import dispatcher
from streamwatch.services.notifications.dispatcher import CLAIM, MAX_ATTEMPTS
from tests.notifications.build import notification
from tests.notifications.world import NotificationWorld

BOB = User("2", "bob", "Bob")


@pytest.fixture
def world() -> NotificationWorld:
    return NotificationWorld()


@pytest.fixture
def attempts(world: NotificationWorld) -> list[Callable[[], None]]:
    """The attempts of the world's dispatcher, which run when a test runs them."""
    attempts: list[Callable[[], None]] = []
    world.dispatcher = world.dispatcher_with(attempts.append)
    return attempts


def test_as_many_notifications_as_there_may_be_get_every_event(world: NotificationWorld) -> None:
    for number in range(MAX_NOTIFICATIONS):
        world.add(notification(id=f"n{number}"))
    world.go_live()
    world.go_live("s2", user=BOB)
    world.work()

    for number in range(MAX_NOTIFICATIONS):
        assert world.outcomes(f"n{number}") == ["stream.online delivered"] * 2


def test_attempts_that_do_not_end_are_no_more_than_the_bound(
    world: NotificationWorld, attempts: list[Callable[[], None]]
) -> None:
    for number in range(MAX_ATTEMPTS + 10):
        world.add(notification(id=f"n{number:03}"))
    world.go_live()
    world.reader.run_once()

    assert world.dispatcher.run_once() == MAX_ATTEMPTS
    assert world.dispatcher.run_once() == 0
    assert len(attempts) == MAX_ATTEMPTS

    for attempt in attempts:
        attempt()
    assert world.dispatcher.run_once() == 10


def test_an_attempt_whose_thread_cannot_start_takes_no_room(
    world: NotificationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([RuntimeError("can't start new thread")])

    def submit(work: Callable[[], None]) -> None:
        for error in errors:
            raise error
        work()

    monkeypatch.setattr(dispatcher, "MAX_ATTEMPTS", 1)
    world.add(notification())
    world.go_live()
    world.reader.run_once()
    world.dispatcher = world.dispatcher_with(submit)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        world.dispatcher.run_once()

    world.now += CLAIM
    assert world.dispatcher.run_once() == 1
    assert world.outcomes() == ["stream.online delivered"]


def test_a_target_with_more_to_send_gives_way_to_one_that_waits_longer(
    world: NotificationWorld,
    attempts: list[Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "MAX_ATTEMPTS", 1)
    world.add(notification(id="busy", streamers=(WatchedStreamer("1", "ann"),)))
    world.go_live()
    world.reader.run_once()
    assert world.dispatcher.run_once() == 1

    world.add(notification(id="other", events=("stream.online",)))
    world.now += timedelta(seconds=1)
    world.go_live("s2", user=BOB)
    world.reader.run_once()
    world.now += timedelta(seconds=1)
    world.go_offline()
    world.reader.run_once()
    assert world.dispatcher.run_once() == 0
    attempts.pop()()
    assert world.outcomes("busy") == ["stream.online delivered", "stream.offline pending"]

    assert world.dispatcher.run_once() == 1
    attempts.pop()()
    assert world.outcomes("other") == ["stream.online delivered"]

    world.work()
    attempts.pop()()
    assert world.outcomes("busy") == ["stream.online delivered", "stream.offline delivered"]
