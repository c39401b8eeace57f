"""Notifications, their deliveries, and the queue in which deliveries wait."""

from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import pytest

from streamwatch.domain.notifications.models import (
    Delivery,
    DeliveryStatus,
    Notification,
    SigningSecret,
    TargetKind,
    WatchedStreamer,
)
from streamwatch.domain.notifications.quiet_hours import QuietHours
from streamwatch.domain.notifications.retries import FAILURE_GAP
from streamwatch.storage.base import Storage
from streamwatch.storage.notifications import Attempted, NotificationStore, QueueState
from streamwatch.storage.testing.build import (
    START,
    ContractBase,
    OpenStorage,
    at,
    event,
    run_concurrently,
)

if TYPE_CHECKING:
    from streamwatch.domain.notifications.models import Document

HOUR = 3600


def notification(notification_id: str = "n1", *, made: float = 0, **fields: Any) -> Notification:
    values: dict[str, Any] = {
        "name": "A hook",
        "kind": TargetKind.WEBHOOK,
        "url": "https://example.com/hook",
        "created_at": at(made),
        "active_since": at(made),
    }
    return Notification(id=notification_id, **values | fields)


def delivery(
    delivery_id: str,
    *,
    of: str = "n1",
    lane: str = "1",
    event_at: float = 0,
    made: float = 0,
    due: float | None = 0,
    **fields: Any,
) -> Delivery:
    """A delivery of an event at `event_at`, made at `made` and due at `due`."""
    values: dict[str, Any] = {
        "event_type": "stream.online",
        "event": event(f"event-{delivery_id}", event_at, title="♥\n"),
        "stream_id": "s1",
    }
    return Delivery(
        id=delivery_id,
        notification_id=of,
        lane=lane,
        created_at=at(made),
        next_attempt_at=None if due is None else at(due),
        **values | fields,
    )


def next_version(known: Delivery, **fields: Any) -> Delivery:
    return replace(known, version=known.version + 1, **fields)


def delivered(known: Delivery) -> Delivery:
    return next_version(
        known, status=DeliveryStatus.DELIVERED, next_attempt_at=None, delivered_at=START
    )


def postponed(known: Delivery, until: float, **fields: Any) -> Delivery:
    return next_version(known, next_attempt_at=at(until), **fields)


NOW = Attempted(START)


class _Base(ContractBase):
    @pytest.fixture
    def store(self, storage: Storage) -> NotificationStore:
        """The store with the notification n1."""
        assert storage.notifications.add(notification(), limit=10)
        return storage.notifications


class NotificationContract(_Base):
    def test_a_notification_is_read_as_it_was_stored(self, store: NotificationStore) -> None:
        stored = notification(
            "n2",
            made=1,
            name="Für alle ♥",
            kind=TargetKind.DISCORD,
            enabled=False,
            disabled_reason="answered 410",
            events=("stream.online",),
            streamers=(WatchedStreamer("1", "ann"),),
            tags=("friends",),
            categories=("Pokémon",),
            title_contains=("a\nb",),
            changed=("language",),
            cooldown_minutes=0,
            quiet_hours=QuietHours(time(23), time(7, 30), "Europe/Berlin"),
            template="$streamer",
            secrets=(SigningSecret("whsec_new"), SigningSecret("whsec_old", at(60))),
            active_since=at(2),
        )

        assert store.add(stored, limit=10)

        assert store.get("n2") == stored
        assert store.all() == [notification(), stored]

    def test_an_unknown_notification_is_none(self, store: NotificationStore) -> None:
        assert store.get("n9") is None
        assert store.deliveries("n9", 10) == []
        assert store.pending("n9", 10) == []
        assert store.delivery("n9", "d1") is None
        assert store.state("n9", "x") is None

    def test_an_id_is_stored_once(self, store: NotificationStore) -> None:
        assert not store.add(notification(name="Another"), limit=10)

        assert store.get("n1") == notification()

    def test_concurrent_additions_do_not_exceed_the_limit(self, store: NotificationStore) -> None:
        added = run_concurrently(8, lambda n: store.add(notification(f"m{n}"), limit=4))

        assert sum(added) == 3
        assert len(store.all()) == 4

    def test_the_next_version_replaces_a_notification(self, store: NotificationStore) -> None:
        renamed = notification(name="Renamed", version=2)

        assert store.replace(renamed)
        assert not store.replace(notification(name="Too late", version=2))

        assert store.get("n1") == renamed

    def test_replacing_does_not_restore_removed_records(self, store: NotificationStore) -> None:
        assert store.remove("n1")
        assert not store.remove("n1")
        assert not store.replace(notification(version=2))

        assert store.all() == []

    def test_a_notification_is_removed_with_everything_of_it(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d1"), delivery("d2", lane="2")])
        [claimed] = store.claim("n1", at(0), at(30), 1, 1)
        store.save(delivered(claimed), Attempted(START, True, {"x": {"a": 1}}, at(60)))

        store.remove("n1")
        store.add(notification(), limit=10)

        assert store.deliveries("n1", 10) == []
        assert store.state("n1", "x") is None
        assert store.due(at(HOUR)) == []
        assert store.queues(["n1"]) == {"n1": QueueState()}

    def test_records_stored_by_one_process_are_read_by_another(
        self, open_storage: OpenStorage
    ) -> None:
        storage = open_storage()
        if not storage.shared:
            return
        storage.notifications.add(notification(), limit=10)

        assert open_storage().notifications.all() == [notification()]

    def test_events_are_remembered_by_when_they_were_seen_first(
        self, store: NotificationStore
    ) -> None:
        store.mark_seen(["a"], at(0), forget_before=at(-HOUR))
        store.mark_seen(["a", "b"], at(5), forget_before=at(-HOUR))

        assert store.first_seen(["a", "b", "c"]) == {"a": at(0), "b": at(5)}
        assert store.first_seen([]) == {}

    def test_events_that_were_seen_long_ago_are_forgotten(self, store: NotificationStore) -> None:
        store.mark_seen(["a"], at(0), forget_before=at(-HOUR))
        store.mark_seen(["b"], at(HOUR), forget_before=at(1))

        assert store.first_seen(["a", "b"]) == {"b": at(HOUR)}


class DeliveryContract(_Base):
    def test_a_delivery_is_read_as_it_was_stored(self, store: NotificationStore) -> None:
        stored = delivery(
            "d1",
            due=7.5,
            attempts=3,
            status_code=500,
            error="the receiver answered 500",
            first_attempt_at=at(1),
            body='{"a":"♥"}',
            forced=True,
            did_not_last=True,
        )

        assert store.add_deliveries([stored]) == [None]

        assert store.delivery("n1", "d1") == stored
        assert store.deliveries("n1", 10) == [stored]

    def test_a_delivery_is_stored_once(self, store: NotificationStore) -> None:
        first, again = delivery("d1"), delivery("d1", made=5, due=5)
        store.add_deliveries([first])

        assert store.add_deliveries([again, delivery("d2")]) == [first, None]

        assert store.delivery("n1", "d1") == first

    def test_nothing_is_stored_for_a_notification_that_does_not_exist(
        self, store: NotificationStore
    ) -> None:
        assert store.add_deliveries([delivery("d1", of="n9")]) == [None]

        assert store.deliveries("n9", 10) == []
        assert store.due(at(HOUR)) == []

    def test_no_deliveries_are_no_work(self, store: NotificationStore) -> None:
        assert store.add_deliveries([]) == []

    def test_deliveries_are_listed_newest_first(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery(f"d{n}", made=n) for n in (2, 0, 1, 3)])
        known = store.delivery("n1", "d2")
        assert known is not None
        store.save(delivered(known), NOW)

        assert [d.id for d in store.deliveries("n1", 3)] == ["d3", "d2", "d1"]

    def test_pending_deliveries_are_listed_oldest_first(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery(f"d{n}", made=n) for n in (2, 0, 1, 3)])
        known = store.delivery("n1", "d0")
        assert known is not None
        store.save(delivered(known), NOW)

        assert [d.id for d in store.pending("n1", 2)] == ["d1", "d2"]

    def test_a_delivery_of_an_older_version_is_not_saved(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1")])
        [claimed] = store.claim("n1", at(0), at(30), 4, 4)

        assert not store.save(delivered(delivery("d1")), NOW)
        assert store.save(delivered(claimed), NOW)
        assert not store.save(postponed(claimed, 5), NOW)

        assert store.delivery("n1", "d1") == delivered(claimed)

    def test_a_delivery_that_does_not_exist_is_not_saved(self, store: NotificationStore) -> None:
        assert not store.save(delivered(delivery("d9")), NOW)

        assert store.deliveries("n1", 10) == []

    def test_states_are_merged_by_name(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1"), delivery("d2")])
        saved: dict[str, dict[str, Document]] = {
            "d1": {"a": {"x": 1}, "b": {"♥": None}},
            "d2": {"a": {"x": 2}},
        }
        for delivery_id, states in saved.items():
            known = store.delivery("n1", delivery_id)
            assert known is not None
            store.save(delivered(known), Attempted(START, states=states))

        assert store.state("n1", "a") == {"x": 2}
        assert store.state("n1", "b") == {"♥": None}
        assert store.state("n1", "c") is None

    def test_finished_deliveries_are_trimmed_by_number_and_age(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery(f"d{n}", made=n) for n in range(6)])
        for n in range(5):
            known = store.delivery("n1", f"d{n}")
            assert known is not None
            store.save(delivered(known), NOW)

        store.trim("n1", keep=3, before=at(0))
        assert [d.id for d in store.deliveries("n1", 10)] == ["d5", "d4", "d3", "d2"]

        store.trim("n1", keep=3, before=at(4))
        assert [d.id for d in store.deliveries("n1", 10)] == ["d5", "d4"]
        assert store.delivery("n1", "d3") is None

    def test_a_queue_counts_its_pending_deliveries(self, store: NotificationStore) -> None:
        store.add(notification("n2"), limit=10)
        store.add_deliveries([delivery(f"d{n}", made=n) for n in range(3)])
        known = store.delivery("n1", "d0")
        assert known is not None
        store.save(delivered(known), NOW)

        assert store.queues(["n1", "n2", "n9"]) == {
            "n1": QueueState(2, at(1)),
            "n2": QueueState(),
            "n9": QueueState(),
        }
        assert store.queues([]) == {}

    def test_a_queue_fails_from_the_first_failure_until_a_success(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d1")])
        seen: list[datetime | None] = []
        for seconds, failed in ((1, True), (2, None), (3, True), (4, False), (5, True)):
            [claimed] = store.claim("n1", at(0), at(30), 4, 4)
            store.save(postponed(claimed, 0), Attempted(at(seconds), failed))
            seen.append(store.queues(["n1"])["n1"].failing_since)

        assert seen == [at(1), at(1), at(1), None, at(5)]

    def test_a_failure_long_after_the_one_before_is_the_first(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d1")])
        gap = FAILURE_GAP.total_seconds()
        times = (0, gap, 2 * gap, 3 * gap + 1, 4 * gap)
        seen: list[datetime | None] = []
        for seconds in times:
            [claimed] = store.claim("n1", at(seconds), at(seconds + 30), 4, 4)
            store.save(postponed(claimed, 0), Attempted(at(seconds), failed=True))
            seen.append(store.queues(["n1"])["n1"].failing_since)

        assert seen == [at(0), at(0), at(0), at(times[3]), at(times[3])]

    def test_after_clearing_failures_the_next_one_is_the_first(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d1")])
        [claimed] = store.claim("n1", at(0), at(30), 4, 4)
        paused = Attempted(at(1), failed=True, paused_until=at(60))
        store.save(postponed(claimed, 0), paused)

        store.clear_failures("n1")

        assert store.queues(["n1"]) == {"n1": QueueState(1, at(0))}
        assert store.due(at(59)) == []
        [claimed] = store.claim("n1", at(60), at(90), 4, 4)
        store.save(postponed(claimed, 0), Attempted(at(61), failed=True))
        assert store.queues(["n1"])["n1"].failing_since == at(61)
        store.clear_failures("n9")


class DeliveryQueueContract(_Base):
    def test_a_delivery_is_due_when_its_time_has_come(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1", due=10)])

        assert store.due(at(9)) == []
        assert store.claim("n1", at(9), at(30), 4, 4) == []
        assert store.due(at(10)) == ["n1"]
        assert [d.id for d in store.claim("n1", at(10), at(40), 4, 4)] == ["d1"]

    def test_a_claimed_delivery_is_not_handed_out_again(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1")])

        [claimed] = store.claim("n1", at(0), at(30), 4, 4)

        assert claimed == next_version(delivery("d1"))
        assert store.delivery("n1", "d1") == claimed
        assert store.due(at(29)) == []
        assert store.claim("n1", at(29), at(60), 4, 4) == []

    def test_concurrent_claims_give_each_queue_to_one_claimant(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery(f"d{n}", lane=str(n)) for n in range(6)])

        claimed = run_concurrently(12, lambda _: store.claim("n1", at(0), at(30), 100, 1))

        assert sorted(d.id for found in claimed for d in found) == [f"d{n}" for n in range(6)]

    def test_a_claim_ends_by_itself(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1")])
        [lost] = store.claim("n1", at(0), at(30), 1, 1)

        assert store.due(at(30)) == ["n1"]
        [claimed] = store.claim("n1", at(30), at(60), 1, 1)

        assert claimed.id == "d1"
        assert not store.save(delivered(lost), NOW)
        assert store.claim("n1", at(59), at(90), 1, 1) == []
        assert store.save(delivered(claimed), NOW)

    def test_deliveries_of_a_lane_are_claimed_in_the_order_of_their_events(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d2", event_at=2), delivery("d1", event_at=1)])
        store.add_deliveries([delivery("d3", event_at=3, due=-5)])
        order = []
        for _ in range(3):
            [claimed] = store.claim("n1", at(0), at(30), 4, 4)
            order.append(claimed.id)
            assert store.claim("n1", at(0), at(30), 4, 4) == []
            store.save(delivered(claimed), NOW)

        assert order == ["d1", "d2", "d3"]
        assert store.due(at(HOUR)) == []

    def test_a_waiting_delivery_delays_only_its_lane(self, store: NotificationStore) -> None:
        store.add_deliveries(
            [
                delivery("d1", event_at=1, lane="a"),
                delivery("d2", event_at=2, lane="a"),
                delivery("d3", event_at=3, lane="b"),
            ]
        )
        first, other = store.claim("n1", at(0), at(30), 4, 4)
        assert {first.id, other.id} == {"d1", "d3"}
        waits = first if first.id == "d1" else other
        store.save(postponed(waits, 100), NOW)

        assert [d.id for d in store.claim("n1", at(99), at(130), 4, 4)] == ["d3"]
        assert [d.id for d in store.claim("n1", at(100), at(130), 4, 4)] == ["d1"]

    def test_a_delivery_can_move_to_another_lane(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1", event_at=1), delivery("d2", event_at=2)])
        [claimed] = store.claim("n1", at(0), at(30), 4, 4)

        store.save(postponed(claimed, 100, lane="aside"), NOW)

        assert [d.id for d in store.claim("n1", at(1), at(31), 4, 4)] == ["d2"]
        store.add_deliveries([delivery("d3", event_at=3, due=1000)])
        assert [d.id for d in store.claim("n1", at(100), at(130), 4, 4)] == ["d2", "d1"]

    def test_an_earlier_event_is_delivered_before_waiting_ones(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d2", event_at=2, due=50)])
        store.add_deliveries([delivery("d1", event_at=1, due=10)])

        assert store.due(at(10)) == ["n1"]
        assert [d.id for d in store.claim("n1", at(10), at(40), 4, 4)] == ["d1"]

    def test_no_more_than_so_many_are_claimed_at_once(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery(f"d{n}", lane=str(n), due=n - 10) for n in range(6)])

        first = store.claim("n1", at(0), at(30), 4, 2)
        second = store.claim("n1", at(0), at(30), 4, 4)
        assert [d.id for d in first] == ["d0", "d1"]
        assert [d.id for d in second] == ["d2", "d3"]
        assert store.claim("n1", at(0), at(30), 4, 4) == []

        store.save(delivered(first[0]), NOW)
        assert [d.id for d in store.claim("n1", at(0), at(30), 4, 4)] == ["d4"]

    def test_queues_do_not_share_their_claims(self, store: NotificationStore) -> None:
        store.add(notification("n2"), limit=10)
        store.add_deliveries([delivery("d1"), delivery("d1", of="n2")])
        store.claim("n1", at(0), at(30), 1, 1)

        assert store.due(at(1)) == ["n2"]
        assert [d.notification_id for d in store.claim("n2", at(1), at(31), 1, 1)] == ["n2"]

    def test_the_longest_due_comes_first(self, store: NotificationStore) -> None:
        for notification_id in ("n2", "n3"):
            store.add(notification(notification_id), limit=10)
        store.add_deliveries(
            [delivery("d1", due=3), delivery("d1", of="n2", due=1), delivery("d1", of="n3", due=2)]
        )

        assert store.due(at(2)) == ["n2", "n3"]
        assert store.due(at(3)) == ["n2", "n3", "n1"]

    def test_nothing_is_handed_out_while_a_queue_is_paused(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1"), delivery("d2", lane="2")])
        [claimed] = store.claim("n1", at(0), at(30), 1, 1)
        store.save(delivered(claimed), Attempted(START, paused_until=at(20)))

        assert store.due(at(19)) == []
        assert store.claim("n1", at(19), at(49), 4, 4) == []
        assert store.due(at(20)) == ["n1"]
        assert len(store.claim("n1", at(20), at(50), 4, 4)) == 1

    def test_saving_a_delivery_that_is_not_claimed_frees_no_claim(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d1", event_at=1), delivery("d2", event_at=2)])
        store.claim("n1", at(0), at(30), 4, 4)
        later = store.delivery("n1", "d2")
        assert later is not None

        store.save(postponed(later, 5), NOW)

        assert store.claim("n1", at(10), at(40), 4, 4) == []

    def test_a_claimed_delivery_that_is_finished_by_another_frees_its_lane(
        self, store: NotificationStore
    ) -> None:
        store.add_deliveries([delivery("d1", event_at=1), delivery("d2", event_at=2)])
        [claimed] = store.claim("n1", at(0), at(30), 4, 4)
        store.save(delivered(claimed), NOW)

        assert [d.id for d in store.claim("n1", at(0), at(30), 4, 4)] == ["d2"]

    def test_a_finished_delivery_can_be_attempted_again(self, store: NotificationStore) -> None:
        store.add_deliveries([delivery("d1")])
        [claimed] = store.claim("n1", at(0), at(30), 4, 4)
        done = delivered(claimed)
        store.save(done, NOW)
        again = postponed(done, 60, status=DeliveryStatus.PENDING, delivered_at=None)

        assert store.save(again, NOW)

        assert store.pending("n1", 10) == [again]
        assert store.due(at(59)) == []
        assert [d.id for d in store.claim("n1", at(60), at(90), 4, 4)] == ["d1"]
