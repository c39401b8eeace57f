"""The same with Twitch's answers over HTTP and a callback that answers challenges."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from streamwatch.domain.models import EventType, Streamer
from streamwatch.services.reconciliation import Outcome, Reconciliation
from streamwatch.services.subscriptions import Subscriptions
from streamwatch.simulator import Simulator
from streamwatch.simulator.faults import CallFault
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import TwitchError
from streamwatch.twitch.helix import Helix
from tests.simulator.receiver import SECRET, Receiver

SUBSCRIPTIONS = "/helix/eventsub/subscriptions"
LOGINS = ("shroud", "quillandcopper")


class House:
    """The service between a simulated Twitch and a real callback."""

    def __init__(self, twitch: Simulator, receiver: Receiver) -> None:
        self.twitch = twitch
        self.receiver = receiver
        self.storage = MemoryStorage()
        self.pauses: list[float] = []
        self.helix = Helix(
            twitch.client_id,
            twitch.client_secret,
            self.storage.coordination,
            api_url=twitch.api_url,
            auth_url=twitch.auth_url,
            sleep=self.pauses.append,
        )
        self.service = self.restarted()

    def restarted(self, secret: str = SECRET) -> Subscriptions:
        self.service = Subscriptions(self.storage, self.helix, self.receiver.callback, [secret])
        return self.service

    def monitor_all(self) -> None:
        users = [self.twitch.world.user(login) for login in LOGINS]
        self.storage.add_streamers(
            [
                Streamer(user.user_id, user.login, user.display_name, datetime.now(UTC))
                for user in users
            ]
        )

    def reconcile(self) -> Reconciliation:
        """What a reconciliation answers, once Twitch has had its challenges answered."""
        result = self.service.reconcile()
        self.twitch.wait_until_delivered()
        return result

    def statuses(self) -> list[str]:
        return [one.status for one in self.twitch.subscriptions.all()]

    def are_all_active(self) -> bool:
        return all(streamer.is_active for streamer in self.storage.streamers())


@pytest.fixture
def house() -> Iterator[House]:
    with Simulator() as twitch, Receiver() as receiver:
        twitch.eventsub.courier.retry_delays = (0.02, 0.04)
        house = House(twitch, receiver)
        house.monitor_all()
        yield house


def test_all_are_enabled_and_stay_as_they_are(house: House) -> None:
    assert house.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, created=4)
    assert house.statuses() == ["enabled"] * 4
    assert house.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)
    assert house.are_all_active()


def test_a_wrong_answer_to_the_challenge_is_mended_next_time(house: House) -> None:
    house.receiver.challenge_answer = b"not what was asked"
    house.reconcile()
    assert house.statuses() == ["webhook_callback_verification_failed"] * 4
    house.receiver.challenge_answer = None
    result = house.reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=4, created=4, deleted=4)
    assert house.statuses() == ["enabled"] * 4


def test_all_pages_are_read(house: House) -> None:
    house.reconcile()
    house.twitch.subscriptions.page_size = 1
    assert house.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)


@pytest.mark.parametrize("status", [500, 503, 400])
def test_a_listing_that_fails_in_the_middle_changes_nothing(house: House, status: int) -> None:
    house.reconcile()
    before = [one.id for one in house.twitch.subscriptions.all()]
    house.twitch.subscriptions.page_size = 1
    house.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(status), times=3, after=2)
    with pytest.raises(TwitchError):
        house.service.reconcile()
    assert [one.id for one in house.twitch.subscriptions.all()] == before
    assert house.are_all_active()


def test_a_listing_with_gaps_loses_nothing(house: House) -> None:
    house.reconcile()
    before = [one.id for one in house.twitch.subscriptions.all()]
    house.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(half=True))
    assert house.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)
    assert [one.id for one in house.twitch.subscriptions.all()] == before
    assert house.are_all_active()


@pytest.mark.parametrize("status", [429, 500, 503, 401])
def test_calls_that_fail_once_are_tried_again(house: House, status: int) -> None:
    house.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(status), after=2)
    assert house.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, created=4)
    assert house.are_all_active()


def test_a_rate_limit_that_is_used_up_for_long_ends_the_turn(house: House) -> None:
    house.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(429, reset_in=60), times=4, after=1)
    result = house.reconcile()
    assert result == Reconciliation(Outcome.INCOMPLETE, checked=4, failed=4)
    assert not any(pause > 60 for pause in house.pauses)
    for _ in range(4):
        house.twitch.faults.of_call(SUBSCRIPTIONS)  # those that no call has met: the turn had ended
    assert house.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, created=4)


def test_the_cost_limit_is_not_taken_for_the_rate_limit(house: House) -> None:
    house.twitch.subscriptions.max_total_cost = 2
    result = house.reconcile()
    assert result == Reconciliation(Outcome.LIMITED, checked=4, created=2, failed=2)
    assert [streamer.is_active for streamer in house.storage.streamers()].count(True) == 1
    assert house.pauses == []


def test_a_revoked_one_is_replaced(house: House) -> None:
    house.reconcile()
    house.twitch.eventsub.revoke(house.twitch.subscriptions.all()[0])
    house.twitch.wait_until_delivered()
    result = house.reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=4, healthy=3, created=1, deleted=1)
    assert house.statuses() == ["enabled"] * 4


def test_after_a_change_of_the_secret_messages_are_signed_with_the_new_one(house: House) -> None:
    house.restarted(secret="the secret of last year").reconcile()
    house.twitch.wait_until_delivered()
    refused = house.receiver.refused
    assert refused == 4
    house.restarted()
    house.reconcile()
    house.twitch.world.go_online("shroud")
    house.twitch.wait_until_delivered()
    assert house.receiver.refused == refused
    assert house.statuses() == ["enabled"] * 4


def test_removal_and_cleanup_reach_twitch(house: House) -> None:
    house.reconcile()
    removed = house.storage.remove_streamer(house.twitch.world.user("shroud").user_id)
    assert removed is not None
    house.service.release(removed)
    house.service.release(removed)
    assert {one.type for one in house.twitch.subscriptions.all()} == set(EventType)
    assert house.service.cleanup() == 2
    assert house.twitch.subscriptions.all() == []
