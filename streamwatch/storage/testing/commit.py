"""Contract tests of `Storage.commit`: changes are atomic and stored once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from streamwatch.domain.models import (
    Change,
    ChannelEntry,
    ChannelInfo,
    EventReference,
    EventType,
    MonitoringEnd,
    NameChange,
    Stream,
    StreamLastSeen,
    StreamStart,
    StreamStatus,
    Timeline,
    TimelineEntry,
)
from streamwatch.domain.observations import WentOffline, WentOnline
from streamwatch.domain.transitions import decide
from streamwatch.storage.base import Committed, FeedRecord, Storage
from streamwatch.storage.testing.build import (
    START,
    ContractBase,
    at,
    change,
    event,
    event_ids,
    read,
    run_concurrently,
    snapshot,
    status,
    store,
)

COPIES = 64


class CommitContract(ContractBase):
    def test_every_part_of_a_change_is_stored(self, storage: Storage) -> None:
        after, online, sample = status(), event("e1"), snapshot()

        store(storage, change(after, online, snapshot=sample, message_id="m1"))

        assert storage.status("1") == after
        assert storage.find_status("ann") == after
        assert storage.live() == [after]
        assert storage.awaiting_details() == {"1": after.last_updated}
        assert storage.events(10) == [online]
        assert storage.events_of_type(EventType.ONLINE, 10) == [online]
        assert storage.events_of_streamer("ann", 10) == [online]
        assert [entry.record for entry in read(storage)] == [FeedRecord("1", (online,), sample)]

    def test_every_field_of_a_status_is_stored(self, storage: Storage) -> None:
        full = _full_status()

        store(storage, change(full))

        assert storage.status("1") == full

    def test_a_repeated_message_is_reported_as_a_duplicate(self, storage: Storage) -> None:
        store(storage, change(status(), event("e1"), message_id="m1"))

        again = change(status(version=2), event("e2"), message_id="m1")

        assert storage.commit([again]) == [Committed.DUPLICATE]
        self._assert_only_first_change_is_stored(storage)

    def test_a_change_based_on_another_version_is_a_conflict(self, storage: Storage) -> None:
        store(storage, change(status(), event("e1"), message_id="m1"))

        for version in (1, 3, 10, 12):
            stale = change(status(version=version), event("e2"), message_id="m2")
            assert storage.commit([stale]) == [Committed.CONFLICT]
            self._assert_only_first_change_is_stored(storage)

    def test_a_change_of_an_unknown_user_must_be_based_on_no_version(
        self, storage: Storage
    ) -> None:
        assert storage.commit([change(status(version=2))]) == [Committed.CONFLICT]
        assert storage.status("1") is None

    def test_a_change_with_a_lost_lease_is_fenced(self, storage: Storage) -> None:
        store(storage, change(status(), event("e1"), message_id="m1"))
        lease = storage.coordination.acquire_lease("leader", "a", 60)
        assert lease is not None
        storage.coordination.release_lease(lease)
        late = change(status(version=2), event("e2"), message_id="m2")

        assert storage.commit([late], lease) == [Committed.FENCED]
        assert storage.coordination.acquire_lease("leader", "b", 60)
        assert storage.commit([late], lease) == [Committed.FENCED]
        self._assert_only_first_change_is_stored(storage)

    def test_a_change_with_a_valid_lease_is_stored(self, storage: Storage) -> None:
        lease = storage.coordination.acquire_lease("leader", "a", 60)

        assert storage.commit([change(status())], lease) == [Committed.STORED]

    def _assert_only_first_change_is_stored(self, storage: Storage) -> None:
        assert storage.status("1") == status()
        assert [found.id for found in storage.events(10)] == ["e1"]
        assert event_ids(read(storage, after=0)) == ["e1"]

    def test_duplicates_are_checked_before_leases_and_leases_before_versions(
        self, storage: Storage
    ) -> None:
        store(storage, change(status(), message_id="m1"))
        lease = storage.coordination.acquire_lease("leader", "a", 60)
        assert lease is not None
        storage.coordination.release_lease(lease)

        seen_and_stale = change(status(version=7), message_id="m1")
        stale = change(status(version=7), message_id="m2")

        assert storage.commit([seen_and_stale, stale], lease) == [
            Committed.DUPLICATE,
            Committed.FENCED,
        ]

    def test_a_message_that_was_not_stored_can_be_stored_later(self, storage: Storage) -> None:
        assert storage.commit([change(status(version=5), message_id="m1")]) == [Committed.CONFLICT]

        store(storage, change(status(), message_id="m1"))

    def test_changes_without_a_message_are_never_duplicates(self, storage: Storage) -> None:
        store(storage, change(status(version=1)), change(status(version=2)))

        assert storage.status("1") == status(version=2)

    def test_a_change_without_events_or_snapshot_adds_no_feed_entry(self, storage: Storage) -> None:
        store(storage, change(status(), message_id="m1"))

        assert read(storage) == []

    def test_a_change_with_only_a_snapshot_adds_a_feed_entry(self, storage: Storage) -> None:
        store(storage, change(status(), snapshot=snapshot()))

        assert [entry.record for entry in read(storage)] == [FeedRecord("1", (), snapshot())]

    def test_a_replacing_event_takes_the_position_of_the_replaced_event(
        self, storage: Storage
    ) -> None:
        estimate, other = event("poll:e1", 1), event("e2", 2)
        store(storage, change(status(), estimate), change(status(version=2), other))

        message = replace(event("e1", 5), replaces="poll:e1")
        reference = EventReference("poll:e1", EventType.ONLINE, at(1))
        store(storage, change(status(version=3), message, replaced_events=(reference,)))

        assert storage.events(10) == [other, message]
        assert storage.events_of_type(EventType.ONLINE, 10) == [other, message]
        assert storage.events_of_streamer("ann", 10) == [other, message]
        assert read(storage)[-1].record == FeedRecord("1", (message,))

    def test_renames_and_the_end_of_monitoring_add_feed_entries(self, storage: Storage) -> None:
        rename = NameChange(at(1), "1", "ann", "安娜")
        end = MonitoringEnd(at(2), "s1", "1", "ann", "Ann")

        store(
            storage,
            change(status(), name_change=rename),
            change(status(version=2), monitoring_end=end),
        )

        assert [entry.record for entry in read(storage)] == [
            FeedRecord("1", name_change=rename),
            FeedRecord("1", monitoring_end=end),
        ]

    def test_changes_are_independent_of_each_other(self, storage: Storage) -> None:
        outcomes = storage.commit(
            [
                change(status("1", "ann")),
                change(status("2", "bob", version=9)),
                change(status("3", "cat"), message_id="m1"),
                change(status("4", "dan"), message_id="m1"),
                change(status("1", "ann", version=2)),
            ]
        )

        assert outcomes == ["stored", "conflict", "stored", "duplicate", "stored"]
        assert storage.statuses(["1", "2", "3", "4"]) == {
            "1": status("1", "ann", version=2),
            "3": status("3", "cat"),
        }

    def test_a_thousand_changes_are_stored_in_one_call(self, storage: Storage) -> None:
        many = {str(n): status(str(n), f"login{n}", viewers=n) for n in range(1050)}

        store(storage, *(change(after, event(f"e{key}")) for key, after in many.items()))

        assert storage.statuses(list(many)) == many
        assert len(storage.live()) == 1050
        assert storage.feed.length() == 1050

    def test_only_one_of_many_concurrent_copies_is_stored(self, storage: Storage) -> None:
        copy = change(status(), event("e1"), message_id="m1")

        outcomes = run_concurrently(COPIES, lambda _: storage.commit([copy])[0])

        assert sorted(outcomes) == ["duplicate"] * (COPIES - 1) + ["stored"]
        assert [found.id for found in storage.events(10)] == ["e1"]
        assert event_ids(read(storage)) == ["e1"]

    def test_concurrent_copies_that_retry_after_conflicts_are_stored_once(
        self, storage: Storage
    ) -> None:
        went_online = WentOnline(event("m1"), Stream("s1", START))

        outcomes = run_concurrently(
            COPIES,
            lambda _: _ingest(storage, lambda known: decide(known, went_online)),
        )

        assert outcomes.count(Committed.STORED) == 1
        assert storage.feed.length() == len(storage.events(10)) == 1

    def test_concurrent_changes_are_all_stored_after_retries(self, storage: Storage) -> None:
        def observe(n: int) -> Committed | None:
            went = event(f"m{n}", n, event_type=EventType.OFFLINE, id=f"s{n}")
            return _ingest(storage, lambda known: decide(known, WentOffline(went)))

        assert run_concurrently(16, observe) == [Committed.STORED] * 16

        after = storage.status("1")
        assert after is not None
        assert after.version == len(storage.events(100)) == storage.feed.length() == 16

    @pytest.mark.parametrize("value", ["plain", "Zoë 🎮 ", 'tab\tquote"\\', "line\nfeed\r"])
    def test_any_text_is_stored_unchanged(self, storage: Storage, value: str) -> None:
        online = event("e1", title=value, nested={"list": [1, 2.5, None, True, value]})

        store(storage, change(status(), online))

        assert storage.events(1) == storage.events_of_streamer("ann", 1) == [online]
        assert [entry.record for entry in read(storage)] == [FeedRecord("1", (online,))]


def _ingest(
    storage: Storage, decision: Callable[[StreamStatus | None], Change | None]
) -> Committed | None:
    """Read the status, decide a change and commit it; start again after each conflict."""
    while True:
        decided = decision(storage.status("1"))
        if decided is None:
            return None
        [outcome] = storage.commit([decided])
        if outcome is not Committed.CONFLICT:
            return outcome


def _full_status() -> StreamStatus:
    stream = Stream(
        id="s1",
        started_at=at(-0.000001),
        type="rerun",
        viewer_count=7,
        game_id="9",
        game_name="Pokémon",
        title="line\nfeed",
        language="es",
        tags=("a", "b"),
        thumbnail_url="https://example.com/{width}x{height}.jpg",
    )
    entry = TimelineEntry(at(1), EventType.ONLINE, "m1", "s1", at(0), "rerun", event("m1", 1))
    bare = TimelineEntry(at(2), EventType.OFFLINE, "m2", estimated_at=at(1.5))
    return StreamStatus(
        user_id="1",
        login="ann",
        display_name="安娜",
        stream=stream,
        last_updated=at(2),
        last_event_type=EventType.OFFLINE,
        version=1,
        channel=(
            ChannelEntry(at(0.2), ChannelInfo("A title", "1", "Chess", "en"), "update-1"),
            ChannelEntry(
                at(0.4),
                ChannelInfo("Another title", "", "", "de"),
                "update-2",
                is_estimate=True,
                is_reported=True,
                suppressed_event=event("update-2"),
            ),
        ),
        timeline=Timeline(
            StreamStart("s1", at(-1), "rerun"),
            is_on=True,
            last_entries=(bare,),
            entries=(entry, bare),
        ),
        seen_at=at(3),
        absent_at=at(4),
        last_seen=(StreamLastSeen("s0", at(-2)), StreamLastSeen("s9", at(-3))),
        named_at=at(5),
    )
