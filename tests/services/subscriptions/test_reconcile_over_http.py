"""Reconciliation against the simulated Twitch over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from streamwatch.domain.models import Streamer
from streamwatch.domain.subscriptions import REQUIRED_TYPES, WebhookTransport
from streamwatch.services.subscriptions.conduit import OwnConduit
from streamwatch.services.subscriptions.reconcile import Subscriptions
from streamwatch.services.subscriptions.result import Outcome, Reconciliation
from streamwatch.services.subscriptions.transport import Method, TransportProvider
from streamwatch.simulator import Simulator
from streamwatch.simulator.faults import CallFault
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import TwitchError
from streamwatch.twitch.client import Helix
from tests.simulator.receiver import SECRET, Receiver

SUBSCRIPTIONS = "/helix/eventsub/subscriptions"
LOGINS = ("shroud", "quillandcopper")


class World:
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
        webhook = WebhookTransport(self.receiver.callback, secret)
        conduit = OwnConduit(self.storage.coordination, self.helix)
        transports = TransportProvider(Method.WEBHOOK, webhook, conduit)
        self.service = Subscriptions(self.storage, self.helix, transports)
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
        return [item.status for item in self.twitch.subscriptions.all()]

    def are_all_active(self) -> bool:
        return all(streamer.is_active for streamer in self.storage.streamers())


@pytest.fixture
def services() -> Iterator[World]:
    with Simulator() as twitch, Receiver() as receiver:
        twitch.eventsub.webhook_sender.retry_delays = (0.02, 0.04)
        services = World(twitch, receiver)
        services.monitor_all()
        yield services


def test_a_second_reconciliation_keeps_enabled_subscriptions(services: World) -> None:
    assert services.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, created=4)
    assert services.statuses() == ["enabled"] * 4
    assert services.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)
    assert services.are_all_active()


def test_a_failed_verification_is_repaired_next_time(services: World) -> None:
    services.receiver.challenge_answer = b"not what was asked"
    services.reconcile()
    assert services.statuses() == ["webhook_callback_verification_failed"] * 4
    services.receiver.challenge_answer = None
    result = services.reconcile()
    assert result == Reconciliation(Outcome.INCOMPLETE, checked=4, created=4, deleted=4, failed=4)
    assert services.statuses() == ["enabled"] * 4
    assert services.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)
    assert services.are_all_active()


def test_all_pages_are_read(services: World) -> None:
    services.reconcile()
    services.twitch.subscriptions.page_size = 1
    assert services.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)


@pytest.mark.parametrize("status", [500, 503, 400])
def test_a_listing_that_fails_in_the_middle_changes_nothing(services: World, status: int) -> None:
    services.reconcile()
    before = [item.id for item in services.twitch.subscriptions.all()]
    services.twitch.subscriptions.page_size = 1
    services.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(status), times=3, after=2)
    with pytest.raises(TwitchError):
        services.service.reconcile()
    assert [item.id for item in services.twitch.subscriptions.all()] == before
    assert services.are_all_active()


def test_a_listing_with_gaps_loses_nothing(services: World) -> None:
    services.reconcile()
    before = [item.id for item in services.twitch.subscriptions.all()]
    services.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(half=True))
    assert services.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)
    assert [item.id for item in services.twitch.subscriptions.all()] == before
    assert services.are_all_active()


@pytest.mark.parametrize("status", [429, 500, 503, 401])
def test_calls_that_fail_once_are_retried(services: World, status: int) -> None:
    services.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(status), after=2)
    assert services.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, created=4)
    assert services.are_all_active()


def test_a_long_exhausted_rate_limit_ends_the_turn(services: World) -> None:
    services.twitch.faults.on_call(SUBSCRIPTIONS, CallFault(429, reset_in=60), times=4, after=1)
    result = services.reconcile()
    assert result == Reconciliation(Outcome.INCOMPLETE, checked=4, failed=4)
    assert not any(pause > 60 for pause in services.pauses)
    for _ in range(4):
        services.twitch.faults.of_call(
            SUBSCRIPTIONS
        )  # those that no call has met: the turn had ended
    assert services.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, created=4)


def test_the_cost_limit_is_not_taken_for_the_rate_limit(services: World) -> None:
    services.twitch.subscriptions.max_total_cost = 2
    result = services.reconcile()
    assert result == Reconciliation(Outcome.LIMITED, checked=4, created=2, failed=2)
    assert [streamer.is_active for streamer in services.storage.streamers()].count(True) == 1
    assert services.pauses == []


def test_a_revoked_subscription_is_replaced(services: World) -> None:
    services.reconcile()
    services.twitch.eventsub.revoke(services.twitch.subscriptions.all()[0])
    services.twitch.wait_until_delivered()
    result = services.reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=4, healthy=3, created=1, deleted=1)
    assert services.statuses() == ["enabled"] * 4


def test_after_a_change_of_the_secret_messages_are_signed_with_the_new_one(services: World) -> None:
    services.restarted(secret="the secret of last year").reconcile()
    services.twitch.wait_until_delivered()
    refused = services.receiver.refused
    assert refused == 4
    services.restarted()
    services.reconcile()
    services.twitch.world.go_online("shroud")
    services.twitch.wait_until_delivered()
    assert services.receiver.refused == refused
    assert services.statuses() == ["enabled"] * 4


def test_removal_and_cleanup_reach_twitch(services: World) -> None:
    services.reconcile()
    removed = services.storage.remove_streamer(services.twitch.world.user("shroud").user_id)
    assert removed is not None
    services.service.delete(removed)
    services.service.delete(removed)
    assert {item.type for item in services.twitch.subscriptions.all()} == set(REQUIRED_TYPES)
    assert services.service.cleanup() == 2
    assert services.twitch.subscriptions.all() == []
