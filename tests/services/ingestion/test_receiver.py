from datetime import timedelta

import pytest

from streamwatch.domain.eventsub import ForgedMessage
from streamwatch.domain.models import Streamer
from streamwatch.services.ingestion.receiver import MessageOutcome, Received
from streamwatch.services.subscriptions.reconcile import RECONCILE
from tests import messages
from tests.clocks import START
from tests.messages import COOL_USER, Message
from tests.services.conftest import World


def receive(world: World, message: Message) -> Received:
    return world.services.receiver.receive(message.headers, message.body)


def test_each_message_has_an_outcome(world: World) -> None:
    going_on = messages.online(at=START)
    assert receive(world, going_on).outcome is MessageOutcome.ACCEPTED
    assert receive(world, going_on).outcome is MessageOutcome.DUPLICATE
    assert receive(world, messages.online(at=START)).outcome is MessageOutcome.DUPLICATE
    earlier = START - timedelta(minutes=5)
    assert (
        receive(world, messages.offline(stream_id="8999", at=earlier)).outcome
        is MessageOutcome.LATE
    )
    end = messages.offline(at=START + timedelta(seconds=1))
    assert receive(world, end).outcome is MessageOutcome.ACCEPTED
    strange = messages.notification("channel.raid", {}, at=START)
    assert receive(world, strange).outcome is MessageOutcome.UNKNOWN
    assert receive(world, messages.verification("pogchamp", at=START)) == Received(
        MessageOutcome.VERIFIED, "pogchamp"
    )
    assert world.events() == [
        "stream.offline eventsub",
        "stream.online eventsub",
        "stream.offline eventsub",
    ]


def test_a_forged_message_does_not_block_the_real_one(world: World) -> None:
    with pytest.raises(ForgedMessage):
        receive(world, messages.online(message_id="m", at=START, secret="somebody-elses"))
    assert (
        receive(world, messages.online(message_id="m", at=START)).outcome is MessageOutcome.ACCEPTED
    )


def test_a_revoked_subscription_makes_its_streamer_inactive_and_is_replaced(world: World) -> None:
    streamer = Streamer("1337", "cool_user", "Cool_User", START, "sub-on", "sub-off")
    world.storage.add_streamers([streamer])
    revoked = messages.revocation(COOL_USER, subscription_id="sub-on", at=START)
    assert receive(world, revoked).outcome is MessageOutcome.REVOKED
    [after] = world.storage.streamers()
    assert (after.is_active, after.offline_subscription_id) == (False, "sub-off")
    assert RECONCILE in world.storage.coordination.job_requests()


def test_the_revocation_of_a_strangers_subscription_changes_nothing(world: World) -> None:
    assert receive(world, messages.revocation(at=START)).outcome is MessageOutcome.REVOKED
    assert world.storage.streamers() == []


def test_a_late_message_does_not_make_a_removed_streamer_live(
    world: World,
) -> None:
    world.storage.add_streamers([Streamer("1337", "cool_user", "Cool_User", START)])
    world.storage.remove_streamer("1337")
    assert receive(world, messages.online(at=START)).outcome is MessageOutcome.ACCEPTED
    assert world.live() == []
    assert world.events() == ["stream.online eventsub"]
