"""When StreamWatch switches a notification off, and what a user's change of it resets."""

from datetime import timedelta
from typing import Any

import pytest

from streamwatch.domain.models import User
from streamwatch.domain.notifications.models import Notification, SendResult, TargetKind
from streamwatch.domain.notifications.retries import GIVE_UP_AFTER
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.management import Notifications
from streamwatch.services.notifications.senders.base import Message
from tests.fakes import FakeTwitch
from tests.notifications.build import notification
from tests.notifications.world import NotificationWorld

OLD, NEW = "https://127.0.0.1/old/hook", "https://127.0.0.1/new/hook"
REFUSED = SendResult(delivered=False, detail="the receiver answered 500", status_code=500)
GONE = SendResult(delivered=False, detail="gone", status_code=410, is_gone=True)


@pytest.fixture
def world() -> NotificationWorld:
    world = NotificationWorld()
    world.add(notification(url=OLD))
    world.sender.answer = lambda _: REFUSED
    return world


@pytest.fixture
def management(world: NotificationWorld) -> Notifications:
    policy = AddressPolicy(allow_private=True)
    return Notifications(world.storage, FakeTwitch(clock=world.clock), policy, world.clock)


def known(world: NotificationWorld, notification_id: str = "n1") -> Notification:
    found = world.store.get(notification_id)
    assert found is not None
    return found


def fail(world: NotificationWorld, stream_id: str, duration: timedelta) -> None:
    """Every attempt about a new stream fails."""
    world.go_live(stream_id, user=User(stream_id, stream_id, stream_id))
    world.pass_time(duration.total_seconds())


def fail_until_off(world: NotificationWorld) -> None:
    fail(world, "s1", GIVE_UP_AFTER)
    fail(world, "s2", timedelta(days=1))
    assert not known(world).enabled


@pytest.mark.parametrize("given", [{"enabled": True}, {"enabled": True, "url": NEW}])
def test_a_notification_that_is_enabled_again_gets_another_five_days(
    world: NotificationWorld, management: Notifications, given: dict[str, Any]
) -> None:
    fail_until_off(world)
    management.change("n1", given)

    fail(world, "s3", timedelta(days=1))

    assert known(world).enabled

    fail(world, "s4", GIVE_UP_AFTER)

    assert not known(world).enabled


def test_a_new_url_gets_five_days_of_its_own(
    world: NotificationWorld, management: Notifications
) -> None:
    fail(world, "s1", GIVE_UP_AFTER - timedelta(hours=1))
    management.change("n1", {"url": NEW})

    fail(world, "s2", timedelta(days=1))

    assert known(world).enabled


def test_another_change_does_not_prolong_the_five_days(
    world: NotificationWorld, management: Notifications
) -> None:
    fail(world, "s1", GIVE_UP_AFTER - timedelta(hours=1))
    management.change("n1", {"name": "Renamed", "url": OLD, "enabled": True})

    fail(world, "s2", timedelta(days=1))

    assert not known(world).enabled


def test_a_failure_days_after_another_does_not_switch_off(world: NotificationWorld) -> None:
    world.add(notification(TargetKind.DISCORD, id="n2"))
    accept = world.sender.answer
    world.sender.answer = lambda _: REFUSED
    world.go_live("s1", viewer_count=10)
    world.pass_time(20)
    world.go_offline("s1")
    world.pass_time(6 * 86400)
    assert "skipped" in world.outcomes("n2")[0]

    world.go_live("s2", viewer_count=10)
    world.pass_time(3)
    world.sender.answer = accept
    world.pass_time(3600)

    assert known(world, "n2").enabled
    assert world.outcomes("n2")[-1] == "stream.online delivered"


def test_failures_of_a_stream_a_day_switch_off_after_five_days(world: NotificationWorld) -> None:
    world.add(notification(TargetKind.DISCORD, id="n2"))
    world.sender.answer = lambda _: REFUSED
    for day in range(6):
        assert known(world, "n2").enabled
        world.go_live(f"s{day}", viewer_count=10)
        world.pass_time(3600)
        world.go_offline(f"s{day}")
        world.pass_time(23 * 3600)

    assert known(world, "n2").disabled_reason == "every attempt of five days failed"


@pytest.mark.parametrize("answer", [GONE, REFUSED])
def test_an_answer_of_the_previous_url_does_not_switch_the_new_one_off(
    world: NotificationWorld, management: Notifications, answer: SendResult
) -> None:
    fail(world, "s1", GIVE_UP_AFTER - timedelta(hours=1))

    def change_and_answer(_: Message) -> SendResult:
        if known(world).url == OLD:
            world.now += timedelta(hours=2)
            management.change("n1", {"url": NEW})
            return answer
        return SendResult(delivered=True, detail="ok", status_code=204)

    world.sender.answer = change_and_answer
    fail(world, "s2", timedelta(days=1))

    assert known(world).enabled
    assert known(world).url == NEW


def test_the_reason_of_failing_attempts_is_not_that_of_a_filter(
    world: NotificationWorld, management: Notifications
) -> None:
    management.change("n1", {"categories": ["Chess"]})
    world.go_live("s1", viewer_count=1)
    world.pass_time(60)
    world.go_live("s2", user=User("2", "bob", "Bob"), viewer_count=1, game_name="Go")
    world.pass_time(60)
    assert world.outcomes()[1].startswith("stream.online skipped")

    [failing] = management.failing()

    assert failing.reason == "the receiver answered 500"


def test_a_target_whose_failures_are_final_is_reported_and_stays_on(
    management: Notifications, world: NotificationWorld
) -> None:
    world.sender.answer = lambda _: SendResult(delivered=False, detail="one failed", is_final=True)
    for day in range(6):
        world.go_live(f"s{day}")
        world.pass_time(3600)
        world.go_offline(f"s{day}")
        world.pass_time(23 * 3600)
    assert len(management.failing()) == 1
    assert known(world).enabled
