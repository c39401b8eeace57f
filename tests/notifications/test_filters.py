from typing import Any

import pytest

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.filters import details_match, needs_details, wants
from streamwatch.domain.notifications.identity import delivery_id, event_key, stream_of
from streamwatch.domain.notifications.models import (
    ONLINE,
    StreamDetails,
    WatchedStreamer,
)
from tests.notifications.build import at, notification, offline, online, update


def is_wanted(event: StreamEvent, tags: tuple[str, ...] = (), **fields: Any) -> bool:
    return wants(notification(**fields), event, tags)


@pytest.mark.parametrize("event", [online(), offline(), update()])
def test_without_filters_every_event_is_wanted(event: StreamEvent) -> None:
    assert is_wanted(event)
    assert not is_wanted(event, enabled=False)


def test_nothing_from_before_a_notification_is_wanted() -> None:
    assert not is_wanted(online(-1))
    assert not is_wanted(online(59), active_since=at(60))
    assert is_wanted(online(60), active_since=at(60))


def test_only_the_chosen_types_are_wanted() -> None:
    assert is_wanted(online(), events=(ONLINE,))
    assert not is_wanted(offline(), events=(ONLINE,))


def test_streamers_are_matched_by_user_id() -> None:
    assert is_wanted(online(), streamers=(WatchedStreamer("1", "renamed"),))
    assert not is_wanted(online(), streamers=(WatchedStreamer("2", "ann"),))


def test_tags_are_matched_without_regard_to_case() -> None:
    assert is_wanted(online(), tags=())
    assert wants(notification(tags=("Friends", "team")), online(), ("x", "friends"))
    assert not wants(notification(tags=("team",)), online(), ("friends",))
    assert not wants(notification(tags=("team",)), online(), ())


def test_updates_are_filtered_by_the_changed_field() -> None:
    assert is_wanted(update(0, "language", "title"))
    assert not is_wanted(update(0, "language"))
    assert is_wanted(update(0, "language"), changed=("language",))
    assert is_wanted(online(), changed=("language",))


@pytest.mark.parametrize(
    ("fields", "details", "matches"),
    [
        ({}, StreamDetails(), True),
        ({"categories": ("CHESS",)}, StreamDetails(category="Chess"), True),
        ({"categories": ("Chess",)}, StreamDetails(category="Chess960"), False),
        ({"categories": ("Chess",)}, StreamDetails(title="Chess"), None),
        ({"title_contains": ("drops",)}, StreamDetails(title="DROPS on!"), True),
        ({"title_contains": ("drops", "!")}, StreamDetails(title="on!"), True),
        ({"title_contains": ("drops",)}, StreamDetails(title=""), False),
        ({"title_contains": ("drops",)}, StreamDetails(category="x"), None),
        (
            {"categories": ("Chess",), "title_contains": ("drops",)},
            StreamDetails(title="none", category=None),
            False,
        ),
    ],
)
def test_title_and_category_match_or_are_not_known_yet(
    fields: dict[str, Any], details: StreamDetails, matches: bool | None
) -> None:
    assert details_match(notification(**fields), details) is matches
    assert needs_details(notification(**fields)) is bool(fields)


def test_an_offline_that_names_no_stream_ends_the_stream_that_started_last() -> None:
    history = [offline(50, "s2"), online(40, "s2"), online(0, "s1")]

    assert stream_of(offline(20, None), history) == "s1"
    assert stream_of(offline(60, None), history) == "s2"
    assert stream_of(offline(-1, None), history) is None
    assert stream_of(offline(60, "s9"), history) == "s9"


def test_an_update_belongs_to_the_stream_that_is_on() -> None:
    history = [offline(50, None), online(40, "s2")]

    assert stream_of(update(45), history) == "s2"
    assert stream_of(update(60), history) is None
    assert stream_of(update(10), history) is None


def test_the_start_of_a_stream_has_one_key_whether_pushed_or_polled() -> None:
    polled, pushed = online(0, id="poll:1"), online(1, id="message-1")

    assert event_key(polled, "s1") == event_key(pushed, "s1")
    assert event_key(pushed, "s1") != event_key(offline(5), "s1")
    assert event_key(online(0, "s2"), "s2") != event_key(pushed, "s1")
    assert event_key(update(1), "s1") != event_key(update(2), "s1")


def test_a_delivery_id_depends_on_the_notification_and_the_key() -> None:
    ids = {delivery_id(n, key) for n in ("n1", "n2") for key in ("a", "b")}

    assert len(ids) == 4
    assert delivery_id("n1", "a") in ids


def test_an_empty_list_of_changes_matches_every_update() -> None:
    assert is_wanted(update(0, "language"), changed=())
    assert is_wanted(update(0, "title"), changed=())
