"""Subscriptions through a conduit: its owner, its loss, and changes of the transport."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from streamwatch.domain.models import EventType, Streamer
from streamwatch.domain.observations import SubscriptionRevoked
from streamwatch.domain.subscriptions import WebhookTransport
from streamwatch.services.ingestion.streamer_recorder import StreamerRecorder
from streamwatch.services.subscriptions.conduit import OwnConduit
from streamwatch.services.subscriptions.eventsub_state import (
    EventSubState,
    publish_eventsub_state,
)
from streamwatch.services.subscriptions.reconcile import Subscriptions
from streamwatch.services.subscriptions.result import Outcome
from streamwatch.services.subscriptions.transport import Method, TransportProvider
from streamwatch.storage.base import Coordination, StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import ConduitLimit, TwitchUnavailable
from tests.services.fake_twitch import StrictTwitch

WEBHOOK = WebhookTransport("https://watch.example.com/webhooks/eventsub", "s3cret-that-signs")
START = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Installation:
    """The subscriptions of one installation; `start` is a start with other settings."""

    twitch: StrictTwitch = field(default_factory=StrictTwitch)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    updates: bool = False
    subscriptions: Subscriptions = field(init=False)
    conduit: OwnConduit = field(init=False)

    def __post_init__(self) -> None:
        self.conduit = OwnConduit(self.storage.coordination, self.twitch)
        self.start(Method.CONDUIT)

    def start(self, method: Method) -> None:
        transports = TransportProvider(method, WEBHOOK, self.conduit)
        self.subscriptions = Subscriptions(
            self.storage, self.twitch, transports, updates=self.updates
        )

    def monitor(self, *user_ids: str) -> None:
        self.storage.add_streamers(
            [
                Streamer(user_id, f"user_{user_id}", user_id, START + timedelta(hours=n))
                for n, user_id in enumerate(user_ids)
            ]
        )

    def attach(self) -> None:
        """Publish that the WebSocket is attached, as the leader does."""
        publish_eventsub_state(self.storage.coordination, EventSubState(is_connected=True))

    def on_conduit(self) -> list[str]:
        own = self.conduit.id()
        return sorted(s.type for s in self.twitch.subscribed.values() if s.conduit_id == own)

    def on_webhook(self) -> list[str]:
        return sorted(s.type for s in self.twitch.subscribed.values() if s.callback is not None)

    def are_active(self) -> bool:
        return all(streamer.is_active for streamer in self.storage.streamers())


@pytest.fixture
def installation() -> Installation:
    installation = Installation()
    installation.monitor("1")
    return installation


def test_the_first_reconciliation_creates_the_conduit_and_the_next_keeps_it(
    installation: Installation,
) -> None:
    assert installation.subscriptions.reconcile().created == 2
    conduit_id = installation.conduit.id()
    assert installation.on_conduit() == ["stream.offline", "stream.online"]
    assert installation.subscriptions.reconcile().healthy == 2
    assert installation.conduit.id() == conduit_id
    assert len(installation.twitch.conduits_by_id) == 1


def test_a_conduit_of_another_application_is_not_used_or_changed(
    installation: Installation,
) -> None:
    foreign = installation.twitch.create_conduit(1)
    put = installation.twitch.put("stream.online", "1", None, conduit_id=foreign.id)
    installation.subscriptions.reconcile()
    assert installation.conduit.id() != foreign.id
    listed = installation.subscriptions.listing()
    assert [item.id for item in listed.others] == [put.id]
    assert listed.webhook_url is None
    assert listed.conduit is not None
    assert listed.conduit.id == installation.conduit.id()


def test_five_foreign_conduits_mean_polling_and_a_hint_what_to_do(
    installation: Installation,
) -> None:
    for _ in range(5):
        installation.twitch.create_conduit(1)
    with pytest.raises(ConduitLimit, match="streamwatch subscriptions conduits delete ID"):
        installation.subscriptions.reconcile()
    assert installation.conduit.id() is None
    assert not installation.twitch.subscribed


def test_a_conduit_that_twitch_has_deleted_is_created_again(installation: Installation) -> None:
    installation.subscriptions.reconcile()
    old = installation.conduit.id()
    assert old is not None
    installation.twitch.delete_conduit(old)
    assert installation.subscriptions.reconcile().created == 2
    assert installation.conduit.id() not in (old, None)
    assert installation.are_active()


def test_two_processes_that_start_at_once_create_one_conduit() -> None:
    storage, twitch = MemoryStorage(), StrictTwitch()
    found: list[str] = []
    barrier = threading.Barrier(4)

    def ensure() -> None:
        barrier.wait()
        found.append(OwnConduit(storage.coordination, twitch).ensure())

    threads = [threading.Thread(target=ensure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(twitch.conduits_by_id) == 1


def test_a_conduit_is_deleted_if_its_id_cannot_be_stored(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Coordination, __: str | None) -> None:
        raise StorageUnavailable("down")

    monkeypatch.setattr(type(installation.storage.coordination), "save_conduit_id", fail)
    with pytest.raises(StorageUnavailable):
        installation.conduit.ensure()
    assert not installation.twitch.conduits_by_id


def test_the_webhook_is_replaced_only_once_the_websocket_is_attached(
    installation: Installation,
) -> None:
    installation.start(Method.WEBHOOK)
    installation.subscriptions.reconcile()
    installation.start(Method.CONDUIT)
    result = installation.subscriptions.reconcile()
    assert result.status is Outcome.INCOMPLETE
    assert len(installation.on_webhook()) == 2
    assert installation.are_active()

    installation.attach()
    installation.twitch.calls.clear()
    assert installation.subscriptions.reconcile().status is Outcome.HEALTHY
    assert not installation.on_webhook()
    assert len(installation.on_conduit()) == 2
    assert installation.are_active()


def test_the_new_subscription_is_created_before_the_old_one_is_deleted(
    installation: Installation,
) -> None:
    installation.start(Method.WEBHOOK)
    installation.subscriptions.reconcile()
    installation.start(Method.CONDUIT)
    installation.attach()
    counts: list[int] = []
    installation.twitch.before = lambda verb: counts.append(
        len([s for s in installation.twitch.subscribed.values() if s.type == "stream.online"])
    )
    installation.subscriptions.reconcile()
    assert min(counts) == 1


def test_without_room_the_old_subscription_is_deleted_first(installation: Installation) -> None:
    installation.twitch.max_total_cost = 2
    installation.start(Method.WEBHOOK)
    installation.subscriptions.reconcile()
    installation.start(Method.CONDUIT)
    installation.attach()
    assert installation.subscriptions.reconcile().status is Outcome.HEALTHY
    assert not installation.on_webhook()
    assert len(installation.on_conduit()) == 2


def test_an_old_subscription_that_cannot_be_deleted_is_deleted_next_time(
    installation: Installation,
) -> None:
    installation.start(Method.WEBHOOK)
    installation.subscriptions.reconcile()
    installation.start(Method.CONDUIT)
    installation.attach()
    installation.twitch.fail("unsubscribe", TwitchUnavailable("down"))
    assert installation.subscriptions.reconcile().status is Outcome.INCOMPLETE
    assert len(installation.on_webhook()) == 1
    assert installation.subscriptions.reconcile().status is Outcome.HEALTHY
    assert not installation.on_webhook()
    assert installation.are_active()


def test_back_to_the_webhook_the_conduits_subscriptions_are_replaced(
    installation: Installation,
) -> None:
    installation.subscriptions.reconcile()
    installation.start(Method.WEBHOOK)
    assert installation.subscriptions.reconcile().status is Outcome.HEALTHY
    assert not installation.on_conduit()
    assert len(installation.on_webhook()) == 2


def test_cleanup_deletes_the_conduits_subscriptions_and_keeps_the_conduit(
    installation: Installation,
) -> None:
    installation.subscriptions.reconcile()
    assert installation.subscriptions.cleanup() == 2
    assert not installation.twitch.subscribed
    assert len(installation.twitch.conduits_by_id) == 1


def test_removal_deletes_updates_too() -> None:
    installation = Installation(updates=True)
    installation.monitor("1")
    installation.subscriptions.reconcile()
    assert len(installation.twitch.subscribed) == 3
    removed = installation.storage.remove_streamer("1")
    assert removed is not None
    installation.subscriptions.delete(removed)
    assert not installation.twitch.subscribed


def test_updates_give_way_to_a_new_streamer_and_come_back_with_the_room() -> None:
    installation = Installation(updates=True)
    installation.twitch.max_total_cost = 4
    installation.monitor("1")
    installation.subscriptions.reconcile()
    assert EventType.UPDATE in installation.on_conduit()
    installation.monitor("2")
    result = installation.subscriptions.reconcile()
    assert result.status is Outcome.HEALTHY
    assert EventType.UPDATE not in installation.on_conduit()
    assert installation.are_active()
    assert installation.subscriptions.listing().updates_without_room == 2
    installation.twitch.max_total_cost = 6
    installation.subscriptions.reconcile()
    assert installation.on_conduit().count(EventType.UPDATE) == 2


def test_removing_a_streamer_during_a_reconciliation_leaves_no_subscription(
    installation: Installation,
) -> None:
    installation.monitor("2")
    removed: list[bool] = []

    def remove(verb: str) -> None:
        if verb == "subscribe" and not removed:
            removed.append(installation.storage.remove_streamer("1") is not None)

    installation.twitch.before = remove
    result = installation.subscriptions.reconcile()
    assert {s.user_id for s in installation.twitch.subscribed.values()} == {"2"}
    assert result.status is Outcome.HEALTHY


def test_removing_a_streamer_while_subscribing_leaves_no_subscription(
    installation: Installation,
) -> None:
    [streamer] = installation.storage.streamers()
    installation.storage.remove_streamer("1")
    installation.subscriptions.ensure([streamer])
    assert not installation.twitch.subscribed


def test_a_revocation_during_a_reconciliation_is_not_overwritten(
    installation: Installation,
) -> None:
    installation.subscriptions.reconcile()
    [streamer] = installation.storage.streamers()
    revoked = streamer.online_subscription_id or ""
    installation.monitor("2")
    done: list[str] = []

    def revoke(verb: str) -> None:
        if verb == "subscribe" and not done:
            done.append(revoked)
            record_revocation(installation.storage, "1", revoked)

    installation.twitch.before = revoke
    installation.subscriptions.reconcile()
    assert installation.storage.streamers_by_id(["1"])["1"].online_subscription_id is None


def record_revocation(storage: MemoryStorage, user_id: str, subscription_id: str) -> None:
    StreamerRecorder(storage).record([SubscriptionRevoked(user_id, subscription_id)])
