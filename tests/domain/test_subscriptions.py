"""Plans of subscriptions: transports are changed without a gap, and updates give way."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.models import EVENT_VERSIONS, EventType, Streamer, Subscription
from streamwatch.domain.subscription_plan import plan
from streamwatch.domain.subscriptions import (
    ConduitTransport,
    Transport,
    WebhookTransport,
    with_subscriptions,
    without_subscription,
)

START = datetime(2026, 6, 1, tzinfo=UTC)
WEBHOOK = WebhookTransport("https://watch.example.com/webhooks/eventsub", "s3cret-that-signs")
CONDUIT = ConduitTransport("conduit-1")
ROOM = 10_000


def streamers(number: int) -> list[Streamer]:
    """Streamers with the ids "0", "1" and so on, added in this order."""
    return [
        Streamer(str(n), f"user_{n}", f"User_{n}", START + timedelta(hours=n))
        for n in range(number)
    ]


def on(
    transport: Transport, event_type: str, user_id: str, status: str = "enabled"
) -> Subscription:
    """An existing subscription; its id tells what it is."""
    name = "webhook" if isinstance(transport, WebhookTransport) else transport.conduit_id
    return Subscription(
        id=f"{name} {event_type} {user_id}",
        type=event_type,
        version=EVENT_VERSIONS[event_type],
        status=status,
        condition={"broadcaster_user_id": user_id},
        callback=transport.callback if isinstance(transport, WebhookTransport) else None,
        created_at=START,
        cost=1,
        conduit_id=transport.conduit_id if isinstance(transport, ConduitTransport) else None,
    )


def all_on(transport: Transport, watched: list[Streamer], *, updates: bool) -> list[Subscription]:
    types = [kind for kind in EVENT_VERSIONS if updates or kind != EventType.UPDATE]
    return [on(transport, kind, streamer.user_id) for streamer in watched for kind in types]


def recorded(watched: list[Streamer], existing: list[Subscription]) -> list[Streamer]:
    """The streamers with the ids of their subscriptions."""
    return [
        with_subscriptions(
            streamer,
            {
                subscription.type: subscription.id
                for subscription in existing
                if subscription.user_id == streamer.user_id
            },
            None,
        )
        for streamer in watched
    ]


def test_required_subscriptions_come_before_updates() -> None:
    changes = plan(streamers(2), [], WEBHOOK, room=ROOM, updates=True)
    assert [(item.wanted.type, item.wanted.user_id) for item in changes.missing] == [
        ("stream.online", "0"),
        ("stream.offline", "0"),
        ("stream.online", "1"),
        ("stream.offline", "1"),
        ("channel.update", "0"),
        ("channel.update", "1"),
    ]
    assert changes.missing[-1].wanted.version == "2"


def test_updates_take_only_the_room_that_is_left() -> None:
    changes = plan(streamers(3), [], WEBHOOK, room=7, updates=True)
    assert [item.wanted.user_id for item in changes.missing if not item.wanted.is_required] == ["0"]
    assert changes.without_room == 2


def test_existing_updates_give_way_to_a_new_streamer() -> None:
    watched = streamers(3)
    existing = all_on(WEBHOOK, watched[:2], updates=True)
    changes = plan(watched, existing, WEBHOOK, room=0, updates=True)
    assert {subscription.id for subscription in changes.unwanted} == {
        "webhook channel.update 0",
        "webhook channel.update 1",
    }
    assert [item.wanted.user_id for item in changes.missing] == ["2", "2"]
    assert changes.without_room == 3


def test_updates_that_are_not_wanted_are_deleted() -> None:
    watched = streamers(1)
    existing = all_on(WEBHOOK, watched, updates=True)
    changes = plan(watched, existing, WEBHOOK, room=ROOM)
    assert [subscription.type for subscription in changes.unwanted] == [EventType.UPDATE]
    assert not changes.missing


def test_another_transport_is_replaced_after_the_new_one_is_created() -> None:
    watched = streamers(1)
    existing = all_on(WEBHOOK, watched, updates=True)
    changes = plan(recorded(watched, existing), existing, CONDUIT, room=ROOM, updates=True)
    assert not changes.unchanged
    assert not changes.unwanted
    for item in changes.missing:
        assert not item.blocking
        assert [old.type for old in item.replaced] == [item.wanted.type]


def test_a_dead_subscription_on_the_same_transport_blocks_its_slot() -> None:
    watched = streamers(1)
    dead = on(CONDUIT, "stream.online", "0", "websocket_disconnected")
    changes = plan(watched, [dead], CONDUIT, room=ROOM)
    assert changes.missing[0].blocking == (dead,)


def test_conduits_and_callbacks_of_others_are_left_alone() -> None:
    watched = streamers(2)
    others = [
        *all_on(ConduitTransport("foreign"), watched, updates=True),
        *all_on(WebhookTransport("https://elsewhere.example.com", "x" * 10), watched, updates=True),
    ]
    changes = plan(watched, others, CONDUIT, room=ROOM, updates=True)
    assert not changes.unwanted
    assert all(not (*item.blocking, *item.replaced) for item in changes.missing)


def test_a_conduit_needs_no_secret() -> None:
    watched = [with_subscriptions(streamers(1)[0], {"stream.online": "x"}, "another secret")]
    existing = all_on(CONDUIT, watched, updates=False)
    changes = plan(watched, existing, CONDUIT, room=ROOM, adopts=False)
    assert len(changes.unchanged) == 2


def test_a_subscription_that_ended_is_removed_from_the_record() -> None:
    streamer = with_subscriptions(
        streamers(1)[0], {"stream.online": "a", "stream.offline": "b", "channel.update": "c"}, "s"
    )
    assert without_subscription(streamer, "c").is_active
    assert not without_subscription(streamer, "b").is_active
    assert without_subscription(streamer, "unknown") == streamer


@given(
    number=st.integers(0, 5),
    present=st.lists(
        st.tuples(st.sampled_from(sorted(EVENT_VERSIONS)), st.integers(0, 5)), unique=True
    ),
    room=st.integers(0, 12),
)
def test_the_plan_never_exceeds_the_limit_for_the_sake_of_updates(
    number: int, present: list[tuple[str, int]], room: int
) -> None:
    watched = streamers(number)
    existing = [on(CONDUIT, kind, str(user)) for kind, user in present]
    changes = plan(watched, existing, CONDUIT, room=room, updates=True)
    created_required = [item for item in changes.missing if item.wanted.is_required]
    created_updates = [item for item in changes.missing if not item.wanted.is_required]
    left = room + len(changes.unwanted) - len(created_required)
    if created_updates:
        assert left >= len(created_updates)
    unchanged_updates = [wanted for wanted in changes.unchanged if not wanted.is_required]
    if left < 0:
        assert not unchanged_updates
    assert {wanted.user_id for wanted in changes.unchanged} <= {
        streamer.user_id for streamer in watched
    }
    updates = len(unchanged_updates) + len(created_updates) + changes.without_room
    assert updates == number
    assert len(set(changes.unchanged)) + len(changes.missing) + changes.without_room == 3 * number
