"""Reconciliation of the subscriptions from any state at Twitch."""

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streamwatch.domain.models import EventType, Streamer, Subscription
from streamwatch.domain.subscriptions import REQUIRED_TYPES, WebhookTransport, secret_fingerprint
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.monitoring.health import HealthCheck
from streamwatch.services.monitoring.metrics import MetricsReader
from streamwatch.services.subscriptions.conduit import OwnConduit
from streamwatch.services.subscriptions.listing import Listed
from streamwatch.services.subscriptions.reconcile import RECONCILE, Subscriptions
from streamwatch.services.subscriptions.result import Outcome, Reconciliation
from streamwatch.services.subscriptions.transport import Method, TransportProvider
from streamwatch.storage.base import Committed
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.redis.codec import streamer_value
from streamwatch.twitch.base import (
    SubscriptionLimit,
    TwitchBusy,
    TwitchDenied,
    TwitchError,
    TwitchRefused,
    TwitchUnavailable,
)
from tests.api.world import FakeAnalytics
from tests.services.fake_twitch import ENABLED, FAILED, PENDING, SAME_LIMIT, StrictTwitch

OURS = "https://watch.example.com/webhooks/eventsub"
ANOTHER_URL = "https://older.example.com/webhooks/eventsub"
BEFORE = "https://old.example.com/webhooks/eventsub"
ANOTHER_SERVICE = "https://elsewhere.example.com/hook"
SECRET = "s3cret-that-signs"
START = datetime(2026, 6, 1, tzinfo=UTC)
BOTH = REQUIRED_TYPES
DEAD = (
    "webhook_callback_verification_failed",
    "notification_failures_exceeded",
    "authorization_revoked",
    "user_removed",
    "version_removed",
    "a_status_of_next_year",
)


class WatchedStorage(MemoryStorage):
    """Remembers which records each call wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[list[str]] = []

    def commit_streamers(self, streamers: Sequence[Streamer]) -> list[Committed]:
        self.written.append([streamer.user_id for streamer in streamers])
        return super().commit_streamers(streamers)


class World:
    """The service on a storage and a Twitch, both in memory."""

    def __init__(self, *, max_total_cost: int = 10_000) -> None:
        self.storage = WatchedStorage()
        self.twitch = StrictTwitch(max_total_cost=max_total_cost)
        self.service = self.restarted()

    def restarted(
        self, url: str | None = OURS, secret: str = SECRET, *, adopts: bool = True
    ) -> Subscriptions:
        """The service as it is after a start with these settings."""
        webhook = WebhookTransport(url, secret) if url else None
        method = Method.WEBHOOK if url else Method.NONE
        conduit = OwnConduit(self.storage.coordination, self.twitch)
        transports = TransportProvider(method, webhook, conduit)
        self.service = Subscriptions(self.storage, self.twitch, transports, adopts=adopts)
        return self.service

    def monitor(self, *user_ids: str) -> None:
        count = len(self.storage.streamers())
        self.storage.add_streamers(
            [
                Streamer(user_id, f"user_{user_id}", user_id, START + timedelta(hours=count + n))
                for n, user_id in enumerate(user_ids)
            ]
        )

    def streamer(self, user_id: str) -> Streamer:
        return self.storage.streamers_by_id([user_id])[user_id]

    def subscriptions_of(self, callback: str) -> list[tuple[str, str | None, str]]:
        """The subscriptions for a callback, as type, user and status."""
        return sorted(
            (subscription.type, subscription.user_id, subscription.status)
            for subscription in self.twitch.subscribed.values()
            if subscription.callback == callback
        )

    def slots(self, callback: str = OURS) -> list[tuple[str, str | None]]:
        """The subscriptions for a callback, as type and user."""
        return [(event_type, user_id) for event_type, user_id, _ in self.subscriptions_of(callback)]

    def is_reconciled(self) -> bool:
        """Whether our callback has exactly the wanted subscriptions, and all records have their
        ids."""
        monitored = self.storage.streamers()
        ours = [item for item in self.twitch.subscribed.values() if item.callback == OURS]
        wanted = Counter((kind, streamer.user_id) for streamer in monitored for kind in BOTH)
        recorded = {
            subscription_id
            for streamer in monitored
            for subscription_id in streamer.subscription_ids.values()
        }
        return (
            Counter((item.type, item.user_id) for item in ours) == wanted
            and all(item.is_alive and item.version == "1" for item in ours)
            and {item.id for item in ours} == recorded
            and all(streamer.is_active for streamer in monitored)
        )

    def eventsub(self) -> str:
        """What /health says about EventSub."""
        return HealthCheck(self.storage, FakeAnalytics(), method=Method.WEBHOOK).check().eventsub

    def missing(self) -> int:
        """The metric of missing subscriptions."""
        reader = MetricsReader(self.storage, lambda: START, method=Method.WEBHOOK)
        return reader.gather().missing

    def changes(self) -> int:
        """How many subscriptions Twitch was asked to create or delete."""
        return self.twitch.calls.count("subscribe") + self.twitch.calls.count("unsubscribe")


@pytest.fixture
def services() -> World:
    return World()


def existing_subscriptions(
    user_ids: list[str],
) -> st.SearchStrategy[list[tuple[str, str, str, str, str]]]:
    """Subscriptions that exist before the test: type, user, callback, status, version."""
    return st.lists(
        st.tuples(
            st.sampled_from([*BOTH, "channel.update"]),
            st.sampled_from(user_ids),
            st.sampled_from([OURS, OURS, BEFORE, ANOTHER_SERVICE]),
            st.sampled_from([ENABLED, ENABLED, PENDING, *DEAD]),
            st.sampled_from(["1", "1", "1", "2"]),
        ),
        max_size=25,
    )


def record_id(services: World, known: Subscription, signed_with: str | None) -> None:
    """Put the id of a subscription into the streamer's record, as after its creation."""
    user_id = known.user_id or ""
    streamer = services.storage.streamers_by_id([user_id]).get(user_id)
    if streamer is None:
        return
    if known.type == EventType.ONLINE:
        streamer = replace(streamer, online_subscription_id=known.id, signed_with=signed_with)
    elif known.type == EventType.OFFLINE:
        streamer = replace(streamer, offline_subscription_id=known.id, signed_with=signed_with)
    services.storage.commit_streamers([replace(streamer, version=streamer.version + 1)])


@settings(max_examples=150, deadline=None)
@given(
    before=existing_subscriptions(["1", "2", "3", "4"]),
    monitored=st.sets(st.sampled_from(["1", "2", "3"])),
    recorded=st.sets(st.integers(0, 24)),
    signed_with=st.sampled_from([None, secret_fingerprint(SECRET), "earlier"]),
)
def test_any_state_is_repaired_once_twitch_has_verified_the_callback(
    before: list[tuple[str, str, str, str, str]],
    monitored: set[str],
    recorded: set[int],
    signed_with: str | None,
) -> None:
    services = World()
    services.monitor(*sorted(monitored))
    for number, existing in enumerate(before):
        put = services.twitch.put(*existing)
        if number in recorded and put.callback != ANOTHER_SERVICE:
            record_id(services, put, signed_with)
    elsewhere = Counter(services.slots(ANOTHER_SERVICE) + services.slots(BEFORE))
    assume(all(number < SAME_LIMIT for number in elsewhere.values()))
    strangers = services.slots(ANOTHER_SERVICE)

    services.service.reconcile()
    services.twitch.end_verification()
    repaired = services.service.reconcile()

    assert services.is_reconciled()
    assert services.slots(ANOTHER_SERVICE) == strangers
    assert repaired.status == Outcome.HEALTHY
    assert repaired.checked == repaired.healthy == 2 * len(monitored)
    changes, records = services.changes(), services.storage.streamers()
    second = services.service.reconcile()
    assert second == Reconciliation(Outcome.HEALTHY, repaired.checked, repaired.checked)
    assert (services.changes(), services.storage.streamers()) == (changes, records)


def test_a_new_streamer_gets_both_subscriptions_and_is_active(services: World) -> None:
    services.monitor("1")
    result = services.service.reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=2, healthy=0, created=2)
    assert services.slots() == [(EventType.OFFLINE, "1"), (EventType.ONLINE, "1")]
    assert services.streamer("1").is_active
    assert set(services.twitch.secrets.values()) == {SECRET}


def test_only_changed_records_are_written_in_one_call(services: World) -> None:
    services.monitor("1", "2", "3")
    services.service.ensure([services.streamer("3")])
    services.storage.written.clear()
    services.service.reconcile()
    assert list(map(sorted, services.storage.written)) == [["1", "2"]]
    services.service.reconcile()
    assert len(services.storage.written) == 1


@pytest.mark.parametrize("status", DEAD)
def test_a_dead_subscription_is_replaced(services: World, status: str) -> None:
    services.monitor("1")
    services.twitch.put(EventType.ONLINE, "1", OURS)
    dead = services.twitch.put(EventType.OFFLINE, "1", OURS, status)
    result = services.service.reconcile()
    assert (result.healthy, result.created, result.deleted) == (1, 1, 1)
    services.twitch.end_verification()
    assert services.service.reconcile() == Reconciliation(Outcome.HEALTHY, checked=2, healthy=2)
    assert dead.id not in services.twitch.subscribed
    assert services.is_reconciled()


@pytest.mark.parametrize("adopts", [True, False])
def test_a_webhook_that_twitch_cannot_verify_is_reported_until_it_can(
    services: World, caplog: pytest.LogCaptureFixture, *, adopts: bool
) -> None:
    services.restarted(adopts=adopts)
    services.monitor("1")
    services.service.reconcile()
    for _ in range(2):
        services.twitch.end_verification(FAILED)
        result = services.service.reconcile()
        assert result == Reconciliation(
            Outcome.INCOMPLETE, checked=2, created=2, deleted=2, failed=2
        )
        assert services.eventsub() == "disconnected"
        assert not services.streamer("1").is_active
    assert "Twitch could not verify WEBHOOK_URL for 2 subscriptions" in caplog.text

    still_pending = services.service.reconcile()
    assert still_pending == Reconciliation(Outcome.INCOMPLETE, checked=2, failed=2)
    assert services.eventsub() == "disconnected"

    services.twitch.end_verification()
    assert services.service.reconcile() == Reconciliation(Outcome.HEALTHY, checked=2, healthy=2)
    assert services.eventsub() == "connected"
    assert services.is_reconciled()


def test_a_failed_verification_is_reported_at_the_cost_limit_too() -> None:
    services = World(max_total_cost=2)
    services.monitor("1", "2")
    services.service.reconcile()
    services.twitch.end_verification(FAILED)
    for _ in range(2):  # The second time, the new subscriptions are still pending.
        assert services.service.reconcile().status == Outcome.INCOMPLETE
        assert services.eventsub() == "disconnected"


def test_a_restart_with_everything_healthy_creates_and_deletes_nothing(services: World) -> None:
    services.monitor("1", "2")
    services.service.reconcile()
    services.twitch.end_verification()
    services.storage = WatchedStorage()
    services.monitor("1", "2")
    changes = services.changes()
    result = services.restarted().reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)
    assert services.changes() == changes
    assert services.is_reconciled()


def test_the_enabled_duplicate_is_retained(services: World) -> None:
    services.monitor("1")
    services.twitch.put(EventType.ONLINE, "1", OURS, PENDING)
    enabled = services.twitch.put(EventType.ONLINE, "1", OURS, ENABLED)
    services.twitch.put(EventType.OFFLINE, "1", OURS)
    assert services.service.reconcile().deleted == 1
    assert services.streamer("1").online_subscription_id == enabled.id


def test_a_new_random_secret_adopts_no_existing_subscription(
    services: World,
) -> None:
    services.monitor("1")
    before = [services.twitch.put(kind, "1", OURS).id for kind in BOTH]
    service = services.restarted(secret="made-up-at-this-start", adopts=False)
    service.reconcile()
    assert services.is_reconciled()
    assert not set(before) & set(services.twitch.subscribed)
    services.twitch.calls.clear()
    service.reconcile()
    assert services.changes() == 0


@pytest.mark.parametrize("error", [TwitchUnavailable("down"), TwitchDenied("no", 401)])
def test_a_failed_listing_changes_nothing(services: World, error: TwitchError) -> None:
    services.monitor("1")
    services.service.reconcile()
    records, active = services.storage.streamers(), dict(services.twitch.subscribed)
    services.twitch.fail("subscriptions", error)
    with pytest.raises(type(error)):
        services.service.reconcile()
    assert services.storage.streamers() == records
    assert services.twitch.subscribed == active
    assert services.service.reconcile().status == Outcome.HEALTHY


def test_an_existing_subscription_is_adopted_with_one_more_listing(services: World) -> None:
    services.monitor("1", "2")
    created_elsewhere = once(
        lambda: [services.twitch.put(kind, user_id, OURS) for kind in BOTH for user_id in "12"]
    )
    services.twitch.before = lambda name: created_elsewhere() if name == "subscribe" else None
    result = services.service.reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)
    assert services.twitch.calls.count("subscriptions") == 2
    assert services.is_reconciled()


def once(action: Callable[[], object]) -> Callable[[], None]:
    """`action`, which only the first call does."""
    lock = Lock()
    done: list[object] = []

    def act() -> None:
        with lock:
            if not done:
                done.append(action())

    return act


def test_a_changed_url_replaces_our_subscriptions_once_it_is_verified(services: World) -> None:
    services.monitor("1")
    services.restarted(url=BEFORE).reconcile()
    services.twitch.end_verification()
    services.restarted(url=OURS)
    before = services.subscriptions_of(BEFORE)
    started = services.service.reconcile()
    assert started == Reconciliation(Outcome.INCOMPLETE, checked=2, created=2, failed=2)
    assert services.subscriptions_of(BEFORE) == before
    assert services.streamer("1").is_active
    assert services.eventsub() == "connected"

    still_pending = services.service.reconcile()
    assert still_pending == Reconciliation(Outcome.INCOMPLETE, checked=2, failed=2)
    assert services.subscriptions_of(BEFORE) == before

    services.twitch.end_verification()
    ended = services.service.reconcile()
    assert ended == Reconciliation(Outcome.HEALTHY, checked=2, healthy=2, deleted=2)
    assert services.is_reconciled()
    stranger = services.twitch.put(EventType.ONLINE, "9", BEFORE)  # of another service there
    assert services.service.reconcile() == Reconciliation(Outcome.HEALTHY, checked=2, healthy=2)
    assert services.slots(BEFORE) == [(stranger.type, stranger.user_id)]


@pytest.mark.parametrize("verified", [True, False])
def test_unverified_subscriptions_do_not_stay_when_the_url_changes_again(
    services: World, *, verified: bool
) -> None:
    services.monitor("1")
    services.restarted(url=ANOTHER_URL).reconcile()
    services.twitch.end_verification()
    services.restarted(url=BEFORE).reconcile()
    services.twitch.end_verification(ENABLED if verified else FAILED)
    services.restarted(url=OURS).reconcile()
    services.twitch.end_verification()
    services.service.reconcile()
    assert services.is_reconciled()
    assert services.slots(BEFORE) + services.slots(ANOTHER_URL) == []


def test_a_first_url_that_could_not_be_verified_leaves_nothing(services: World) -> None:
    services.monitor("1")
    services.restarted(url=BEFORE).reconcile()
    for _ in range(2):
        services.twitch.end_verification(FAILED)
        services.service.reconcile()
    services.restarted(url=OURS).reconcile()
    services.twitch.end_verification()
    services.service.reconcile()
    assert services.is_reconciled()
    assert services.slots(BEFORE) == []


def test_a_secret_that_changes_before_a_verification_is_known_replaces_the_subscriptions(
    services: World,
) -> None:
    services.monitor("1")
    services.service.reconcile()
    services.twitch.end_verification(FAILED)
    services.service.reconcile()
    services.twitch.end_verification()
    services.restarted(secret="another-secret").reconcile()
    assert {services.twitch.secrets[item] for item in services.twitch.subscribed} == {
        "another-secret"
    }


def test_while_a_changed_url_cannot_be_verified_the_former_one_keeps_its_subscriptions(
    services: World,
) -> None:
    services.monitor("1")
    services.restarted(url=BEFORE).reconcile()
    services.twitch.end_verification()
    before = services.subscriptions_of(BEFORE)
    services.restarted(url=OURS).reconcile()
    for _ in range(2):
        services.twitch.end_verification(FAILED)
        result = services.service.reconcile()
        assert result == Reconciliation(
            Outcome.INCOMPLETE, checked=2, created=2, deleted=2, failed=2
        )
        assert services.subscriptions_of(BEFORE) == before
        assert services.eventsub() == "disconnected"
        assert services.missing() == 2
    assert services.streamer("1").is_active

    returned = services.restarted(url=BEFORE).reconcile()
    assert returned == Reconciliation(Outcome.HEALTHY, checked=2, healthy=2, deleted=2)
    assert services.subscriptions_of(OURS) == []


def test_a_url_and_a_secret_that_change_together_replace_all_subscriptions_once(
    services: World,
) -> None:
    services.monitor("1")
    services.restarted(url=BEFORE).reconcile()
    services.twitch.end_verification()
    services.restarted(url=OURS, secret="another-secret").reconcile()
    services.twitch.end_verification()
    assert services.service.reconcile() == Reconciliation(Outcome.HEALTHY, checked=2, healthy=2)
    assert services.is_reconciled()
    assert services.slots(BEFORE) == []


def test_a_changed_url_without_room_replaces_our_subscriptions_at_once() -> None:
    services = World(max_total_cost=2)
    services.monitor("1")
    services.restarted(url=BEFORE).reconcile()
    services.twitch.end_verification()
    result = services.restarted(url=OURS).reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=2, created=2, deleted=2)
    assert services.is_reconciled()


def test_a_changed_secret_replaces_all_subscriptions_once(services: World) -> None:
    services.monitor("1", "2")
    services.service.reconcile()
    result = services.restarted(secret="another-secret").reconcile()
    assert result == Reconciliation(Outcome.HEALTHY, checked=4, created=4, deleted=4)
    assert {services.twitch.secrets[item] for item in services.twitch.subscribed} == {
        "another-secret"
    }
    assert services.service.reconcile() == Reconciliation(Outcome.HEALTHY, checked=4, healthy=4)


@pytest.mark.parametrize("call", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize("successes", range(6))
def test_an_interrupted_change_of_the_secret_is_completed_next_time(
    services: World, call: str, successes: int
) -> None:
    services.monitor("1", "2", "3")
    services.service.reconcile()
    services.restarted(secret="another-secret")
    services.twitch.fail(call, *[None] * successes, TwitchBusy("busy", 60))
    assert services.service.reconcile().status == Outcome.INCOMPLETE
    assert services.service.reconcile().status == Outcome.HEALTHY
    assert {services.twitch.secrets[item] for item in services.twitch.subscribed} == {
        "another-secret"
    }
    assert services.is_reconciled()


def test_the_secret_is_in_no_record_and_no_log(
    services: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    services.monitor("1")
    services.service.reconcile()
    services.restarted(secret="another-secret").reconcile()
    shown = repr([streamer_value(services.streamer("1")), caplog.records])
    assert SECRET not in shown + caplog.text
    assert "another-secret" not in shown + caplog.text


def test_beyond_the_cost_limit_no_subscription_is_requested(
    caplog: pytest.LogCaptureFixture,
) -> None:
    services = World(max_total_cost=6)
    services.twitch.put(EventType.ONLINE, "9", ANOTHER_SERVICE)
    services.twitch.put(EventType.OFFLINE, "9", ANOTHER_SERVICE)
    services.monitor(*map(str, range(100, 150)))
    result = services.service.reconcile()
    assert result == Reconciliation(Outcome.LIMITED, checked=100, created=4, failed=96)
    assert services.twitch.calls.count("subscribe") == 4
    assert [item.user_id for item in services.storage.streamers() if item.is_active] == [
        "101",
        "100",
    ]
    warnings = [record for record in caplog.records if "cost limit" in record.message]
    assert [record.getMessage() for record in warnings] == [
        "Twitch's cost limit is reached: 48 streamers are only polled"
    ]


def test_a_deleted_subscription_makes_room() -> None:
    services = World(max_total_cost=2)
    services.monitor("1")
    services.twitch.put(EventType.ONLINE, "8", OURS)
    services.twitch.put(EventType.OFFLINE, "8", OURS)
    assert services.service.reconcile().status == Outcome.HEALTHY
    assert services.is_reconciled()


def test_an_unexpected_limit_stops_further_requests(services: World) -> None:
    services.monitor(*map(str, range(100, 150)))
    services.twitch.fail("subscribe", *[SubscriptionLimit("total cost exceeded", 429)] * 100)
    result = services.service.reconcile()
    assert result == Reconciliation(Outcome.LIMITED, checked=100, failed=100)
    assert services.twitch.calls.count("subscribe") <= 8


def test_too_many_of_one_condition_do_not_stop_the_others(services: World) -> None:
    services.monitor("1", "2", "3")
    for number in range(SAME_LIMIT):
        services.twitch.put(EventType.ONLINE, "1", f"{ANOTHER_SERVICE}/{number}")
    result = services.service.reconcile()
    assert result == Reconciliation(Outcome.INCOMPLETE, checked=6, created=5, failed=1)
    active = {item.user_id for item in services.storage.streamers() if item.is_active}
    assert active == {"2", "3"}


def test_a_refused_subscription_is_named_and_does_not_stop_the_others(
    services: World, caplog: pytest.LogCaptureFixture
) -> None:
    services.monitor("1", "2", "3")
    services.twitch.fail("subscribe", None, TwitchRefused("Bad request.", 400))
    result = services.service.reconcile()
    assert result == Reconciliation(Outcome.INCOMPLETE, checked=6, created=5, failed=1)
    [missing] = re.findall("incomplete: Bad request. Missing: (.+)", caplog.text)
    assert re.fullmatch(r"stream\.(online|offline) of user [123]", missing)
    assert services.service.reconcile().status == Outcome.HEALTHY


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (TwitchBusy("busy", 60), 8),
        (TwitchDenied("no", 401), 8),
        (TwitchUnavailable("down"), 12),
    ],
)
def test_an_unavailable_twitch_gets_few_requests(
    services: World, error: TwitchError, calls: int
) -> None:
    services.monitor(*map(str, range(100, 150)))
    services.twitch.fail("subscribe", *[error] * 100)
    result = services.service.reconcile()
    assert result == Reconciliation(Outcome.INCOMPLETE, checked=100, failed=100)
    assert services.twitch.calls.count("subscribe") <= calls


def test_work_beyond_one_run_continues_in_the_next(services: World) -> None:
    services.monitor(*map(str, range(100, 150)))
    services.twitch.before = lambda name: time.sleep(0.05) if name == "subscribe" else None
    first = services.service.reconcile(seconds=0.5)
    assert first.status == Outcome.CONTINUING
    assert 0 < first.created < first.checked == 100
    assert services.storage.coordination.job_requests().keys() == {RECONCILE}
    while (last := services.service.reconcile(seconds=0.5)).status == Outcome.CONTINUING:
        pass
    assert last.status == Outcome.HEALTHY
    assert services.is_reconciled()
    assert services.twitch.calls.count("subscribe") == 100


def test_after_failed_verifications_the_next_turn_waits(services: World) -> None:
    services.monitor(*map(str, range(100, 150)))
    services.service.reconcile()
    services.twitch.end_verification(FAILED)
    services.twitch.before = lambda name: time.sleep(0.05) if name == "subscribe" else None
    second = services.service.reconcile(seconds=0.5)
    assert 0 < second.created < 100
    assert second.status == Outcome.INCOMPLETE
    assert not services.storage.coordination.job_requests()

    services.twitch.end_verification()
    services.twitch.before = lambda _: None
    services.service.reconcile()
    services.twitch.end_verification()
    assert services.service.reconcile().status == Outcome.HEALTHY
    assert services.is_reconciled()


def test_one_failed_verification_does_not_delay_the_others(services: World) -> None:
    services.monitor("1")
    services.service.reconcile()
    services.twitch.end_verification(FAILED)
    services.monitor(*map(str, range(100, 150)))
    services.twitch.before = lambda name: time.sleep(0.05) if name == "subscribe" else None
    assert services.service.reconcile(seconds=0.5).status == Outcome.CONTINUING


def test_a_streamer_removed_meanwhile_stays_removed(services: World) -> None:
    services.monitor("1", "2")
    removal = once(lambda: services.storage.remove_streamer("1"))
    services.twitch.before = lambda name: removal() if name == "subscribe" else None
    services.service.reconcile()
    assert [streamer.user_id for streamer in services.storage.streamers()] == ["2"]
    services.service.reconcile()
    assert services.is_reconciled()


def test_the_subscriptions_of_a_streamer_added_meanwhile_stay(services: World) -> None:
    def add() -> None:
        services.monitor("7")
        services.service.ensure([services.streamer("7")])

    addition = once(add)
    services.twitch.before = lambda name: addition() if name == "subscriptions" else None
    services.service.reconcile()
    assert services.is_reconciled()
    assert services.twitch.calls.count("unsubscribe") == 0


def test_a_name_changed_meanwhile_is_not_overwritten(services: World) -> None:
    services.monitor("1")

    def rename() -> None:
        renamed = replace(services.streamer("1"), login="renamed", version=2)
        assert services.storage.commit_streamers([renamed]) == [Committed.STORED]

    renaming = once(rename)
    services.twitch.before = lambda name: renaming() if name == "subscribe" else None
    services.service.reconcile()
    assert services.streamer("1").login == "renamed"
    assert services.streamer("1").is_active


def test_without_a_transport_nothing_is_subscribed_to(services: World) -> None:
    services.monitor("1")
    services.restarted(url=None)
    assert services.service.reconcile() == Reconciliation(Outcome.DISABLED)
    services.service.ensure([services.streamer("1")])
    assert not services.twitch.calls


def test_ensure_creates_missing_subscriptions(services: World) -> None:
    services.monitor("1")
    services.service.ensure([services.streamer("1")])
    assert services.is_reconciled()
    services.service.ensure([services.streamer("1")])
    assert services.twitch.calls == ["subscribe", "subscribe"]
    assert services.service.reconcile() == Reconciliation(Outcome.HEALTHY, checked=2, healthy=2)


def test_ensure_saves_successes_and_raises_failures(services: World) -> None:
    services.monitor("1")
    services.twitch.fail("subscribe", TwitchUnavailable("down"))
    with pytest.raises(TwitchUnavailable):
        services.service.ensure([services.streamer("1")])
    assert len(services.streamer("1").subscription_ids) == 1


def test_ensure_requests_a_reconciliation_for_existing_subscriptions(services: World) -> None:
    services.monitor("1")
    services.twitch.put(EventType.ONLINE, "1", OURS)
    services.service.ensure([services.streamer("1")])
    assert services.storage.coordination.job_requests().keys() == {RECONCILE}
    services.service.reconcile()
    assert services.is_reconciled()


def test_delete_continues_after_a_failure(services: World) -> None:
    services.monitor("1")
    services.service.reconcile()
    removed = services.storage.remove_streamer("1")
    assert removed is not None
    services.twitch.fail("unsubscribe", TwitchUnavailable("down"))
    with pytest.raises(TwitchUnavailable):
        services.service.delete(removed)
    assert len(services.twitch.subscribed) == 1
    services.service.delete(removed)
    assert not services.twitch.subscribed


def test_the_listing_separates_ours_from_others(services: World) -> None:
    ours = services.twitch.put(EventType.ONLINE, "1", OURS)
    others = services.twitch.put(EventType.ONLINE, "1", ANOTHER_SERVICE)
    assert services.service.listing() == Listed(
        [ours], [others], OURS, Method.WEBHOOK, None, 2, 10_000, 0
    )


def test_cleanup_deletes_only_ours(services: World) -> None:
    services.monitor("1")
    services.service.reconcile()
    services.twitch.put(EventType.ONLINE, "1", ANOTHER_SERVICE)
    assert services.service.cleanup() == 2
    assert services.slots(OURS) == []
    assert services.slots(ANOTHER_SERVICE) == [(EventType.ONLINE, "1")]
    assert not services.streamer("1").subscription_ids
    assert services.service.reconcile().created == 2


def test_delete_all_deletes_others_too(services: World) -> None:
    services.monitor("1")
    services.service.reconcile()
    services.twitch.put(EventType.ONLINE, "1", ANOTHER_SERVICE)
    assert services.service.delete_all() == 3
    assert not services.twitch.subscribed
    assert not services.streamer("1").subscription_ids


def test_a_failed_deletion_is_raised_and_its_id_stays(services: World) -> None:
    services.monitor("1")
    services.service.reconcile()
    services.twitch.fail("unsubscribe", TwitchRefused("no", 400))
    with pytest.raises(TwitchRefused):
        services.service.cleanup()
    assert set(services.streamer("1").subscription_ids.values()) == set(services.twitch.subscribed)
    assert len(services.twitch.subscribed) == 1


@pytest.mark.parametrize("name", ["reconcile", "cleanup", "delete_all"])
def test_only_one_process_at_a_time_changes_the_subscriptions(services: World, name: str) -> None:
    lease = services.storage.coordination.acquire_lease(RECONCILE, "another", 60)
    assert lease is not None
    with pytest.raises(AlreadyRunning):
        getattr(services.service, name)()
    assert not services.twitch.calls
    services.storage.coordination.release_lease(lease)
    getattr(services.service, name)()


def test_a_lost_lock_stops_the_reconciliation(services: World) -> None:
    services.monitor(*map(str, range(100, 150)))

    def lose() -> None:
        lease = services.storage.coordination.lease(RECONCILE)
        assert lease is not None
        services.storage.coordination.release_lease(lease)

    losing = once(lose)

    def meanwhile(name: str) -> None:
        if name == "subscribe":
            losing()
            time.sleep(0.01)

    services.twitch.before = meanwhile
    with pytest.raises(AlreadyRunning):
        services.service.reconcile()
    assert services.twitch.calls.count("subscribe") < 100
    assert services.storage.coordination.job_requests().keys() == {RECONCILE}
    services.twitch.end_verification()
    services.service.reconcile()
    assert services.is_reconciled()


def test_progress_is_reported_for_every_step(services: World) -> None:
    services.monitor("1", "2")
    services.twitch.put(EventType.ONLINE, "9", OURS)
    progress: list[tuple[int, int]] = []
    services.service.reconcile(lambda done, total: progress.append((done, total)))
    assert progress == [(number, 5) for number in range(1, 6)]
    progress.clear()
    services.service.delete_all(lambda done, total: progress.append((done, total)))
    assert progress == [(number, 4) for number in range(1, 5)]
