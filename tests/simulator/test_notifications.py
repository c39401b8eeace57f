"""Messages to a callback, and what follows when it does not answer with 2xx."""

from collections import Counter
from collections.abc import Iterator
from threading import Event

import pytest

from streamwatch.domain.eventsub import Message, Notification, Revocation
from streamwatch.domain.models import EventType
from streamwatch.domain.observations import WentOffline, WentOnline
from streamwatch.simulator import MessageFault, Simulator
from tests.simulator.conftest import Client
from tests.simulator.receiver import Receiver
from tests.waiting import wait_for


@pytest.fixture
def release() -> Iterator[Event]:
    """Ends the silence of a receiver; set after the test at the latest."""
    release = Event()
    yield release
    release.set()


def _notifications(messages: list[Message]) -> list[Notification]:
    return [message for message in messages if isinstance(message, Notification)]


def _event_types(receiver: Receiver) -> Counter[str]:
    """How many notifications of each type came."""
    return Counter(
        message.observation.event.event_type for message in _notifications(receiver.messages)
    )


def test_starts_and_ends_are_sent_with_a_valid_signature(
    watched: Simulator, receiver: Receiver, shroud: str
) -> None:
    stream = watched.world.go_online("shroud")
    watched.wait_until_delivered()
    watched.world.go_offline("shroud")
    watched.wait_until_delivered()
    online, offline = (message.observation for message in _notifications(receiver.messages))
    assert isinstance(online, WentOnline)
    assert isinstance(offline, WentOffline)
    assert (online.stream.id, online.stream.started_at) == (stream.id, stream.started_at)
    assert (online.event.broadcaster_id, online.event.broadcaster_login) == (shroud, "shroud")
    assert offline.event.stream_id == stream.id
    assert [delivery.status for delivery in watched.deliveries[-2:]] == [204, 204]


def test_an_offline_may_omit_the_stream_id(watched: Simulator, receiver: Receiver) -> None:
    watched.faults.nameless_offline = True
    watched.world.go_online("shroud")
    watched.wait_until_delivered()
    watched.world.go_offline("shroud")
    watched.wait_until_delivered()
    assert _notifications(receiver.messages)[-1].observation.event.stream_id is None


def test_a_flap_is_an_offline_and_an_online_with_the_same_stream_id(
    watched: Simulator, receiver: Receiver
) -> None:
    stream = watched.world.go_online("shroud")
    watched.world.flap("shroud")
    watched.wait_until_delivered()
    ids = {message.observation.event.stream_id for message in _notifications(receiver.messages)}
    assert (ids, _event_types(receiver)) == (
        {stream.id},
        {EventType.ONLINE: 2, EventType.OFFLINE: 1},
    )


def test_only_subscribed_streamers_are_notified_about(
    watched: Simulator, receiver: Receiver
) -> None:
    watched.world.go_online("waldkauzig")
    watched.wait_until_delivered()
    assert receiver.messages == []


@pytest.mark.parametrize("bad", [503, 302, None])
def test_an_unacknowledged_message_is_retried_with_the_same_id(
    watched: Simulator, receiver: Receiver, release: Event, bad: int | None
) -> None:
    if bad is None:  # silence
        watched.eventsub.webhook_sender.timeout = 1.0
    receiver.bad.extend([bad or release] * 2)
    watched.world.go_online("shroud")
    watched.wait_until_delivered()
    message_id = watched.deliveries[-1].message.id
    assert receiver.retries == [(message_id, 0), (message_id, 1), (message_id, 2)]
    assert [delivery.is_acknowledged for delivery in watched.deliveries[-3:]] == [
        False,
        False,
        True,
    ]


def test_a_message_is_given_up_after_its_retries(watched: Simulator, receiver: Receiver) -> None:
    receiver.bad.extend([500] * 3)
    watched.world.go_online("shroud")
    watched.wait_until_delivered()
    assert [delivery.status for delivery in watched.deliveries[-3:]] == [500] * 3
    assert [subscription.status for subscription in watched.subscriptions.all()] == ["enabled"] * 2


def test_too_many_given_up_messages_revoke_the_subscription(
    watched: Simulator, receiver: Receiver
) -> None:
    watched.eventsub.failures_allowed = 1
    watched.eventsub.webhook_sender.retry_delays = ()
    for _ in range(2):
        receiver.bad.append(500)
        watched.world.go_online("shroud")
        watched.wait_until_delivered()
        watched.world.go_offline("shroud")
        watched.wait_until_delivered()
    assert [subscription.status for subscription in watched.subscriptions.all()] == [
        "notification_failures_exceeded",
        "enabled",
    ]
    revocations = [message for message in receiver.messages if isinstance(message, Revocation)]
    assert [message.subscription.status for message in revocations] == [
        "notification_failures_exceeded"
    ]


def test_an_acknowledged_message_resets_the_failure_count(
    watched: Simulator, receiver: Receiver
) -> None:
    watched.eventsub.failures_allowed = 1
    watched.eventsub.webhook_sender.retry_delays = ()
    for bad in ([500], [], [500], []):
        receiver.bad.extend(bad)
        watched.world.go_online("shroud")
        watched.wait_until_delivered()
        watched.world.go_offline("shroud")
        watched.wait_until_delivered()
    assert [subscription.status for subscription in watched.subscriptions.all()] == ["enabled"] * 2


def test_nothing_is_sent_after_a_revocation(watched: Simulator, receiver: Receiver) -> None:
    online = watched.subscriptions.all()[0]
    watched.eventsub.revoke(online, "user_removed")
    watched.wait_until_delivered()
    watched.world.go_online("shroud")
    watched.wait_until_delivered()
    (revocation,) = receiver.messages
    assert isinstance(revocation, Revocation)
    assert (revocation.subscription.id, revocation.subscription.status) == (
        online.id,
        "user_removed",
    )
    assert revocation.subscription.cost == 0


def test_a_deleted_subscription_gets_no_retries(
    watched: Simulator, client: Client, receiver: Receiver
) -> None:
    watched.eventsub.webhook_sender.retry_delays = (0.5,)
    receiver.bad.append(500)
    watched.world.go_online("shroud")
    client.delete(watched.subscriptions.all()[0].id)
    watched.wait_until_delivered()
    assert len(_notifications(receiver.messages)) == 1


def test_a_slow_receiver_does_not_delay_the_others(
    watched: Simulator, client: Client, receiver: Receiver, release: Event, shroud: str
) -> None:
    watched.eventsub.webhook_sender.timeout = 60
    slow = watched.world.user("waldkauzig").user_id
    client.subscribe(slow, receiver.callback)
    watched.wait_until_delivered()
    before = len(watched.deliveries)
    receiver.bad.append(release)
    watched.world.go_online("waldkauzig")
    wait_for(lambda: not receiver.bad)
    watched.world.go_online("shroud")
    wait_for(lambda: len(watched.deliveries) > before)
    release.set()
    watched.wait_until_delivered()
    users = [delivery.message.subscription.user_id for delivery in watched.deliveries[before:]]
    assert users == [shroud, slow]
    assert watched.deliveries[-1].is_acknowledged


def test_a_dropped_message_is_never_sent(watched: Simulator, receiver: Receiver) -> None:
    watched.faults.on_message(MessageFault.DROPPED)
    watched.world.go_online("shroud")
    watched.world.go_offline("shroud")
    watched.wait_until_delivered()
    assert _event_types(receiver) == {EventType.OFFLINE: 1}


def test_a_doubled_message_is_sent_twice_with_one_id(
    watched: Simulator, receiver: Receiver
) -> None:
    watched.faults.on_message(MessageFault.DOUBLED)
    watched.world.go_online("shroud")
    watched.wait_until_delivered()
    ids = [message.message_id for message in _notifications(receiver.messages)]
    assert (len(ids), len(set(ids))) == (2, 1)


def test_an_echoed_message_is_sent_twice_with_two_ids(
    watched: Simulator, receiver: Receiver
) -> None:
    watched.faults.on_message(MessageFault.ECHOED)
    watched.world.go_online("shroud")
    watched.wait_until_delivered()
    first, second = _notifications(receiver.messages)
    assert first.message_id != second.message_id
    assert first.observation.event.data == second.observation.event.data


def test_a_late_message_arrives_after_newer_ones_with_its_own_timestamp(
    watched: Simulator, receiver: Receiver
) -> None:
    watched.faults.late_by = 2
    watched.faults.on_message(MessageFault.LATE)
    watched.world.go_online("shroud")
    watched.world.go_offline("shroud")
    watched.wait_until_delivered()
    offline, online = (message.observation for message in _notifications(receiver.messages))
    assert isinstance(offline, WentOffline)
    assert isinstance(online, WentOnline)
    assert online.event.timestamp < offline.event.timestamp


def test_a_forged_notification_is_never_acknowledged(
    watched: Simulator, receiver: Receiver
) -> None:
    watched.faults.on_message(MessageFault.FORGED)
    watched.world.go_online("shroud")
    watched.wait_until_delivered()
    assert receiver.messages == []
    assert {delivery.status for delivery in watched.deliveries[-3:]} == {403}


def test_waiting_for_messages_has_a_limit(watched: Simulator) -> None:
    watched.faults.late_by = 60
    watched.faults.on_message(MessageFault.LATE)
    watched.world.go_online("shroud")
    with pytest.raises(TimeoutError, match="1 messages"):
        watched.wait_until_delivered(timeout=0.05)
