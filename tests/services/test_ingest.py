from datetime import timedelta

import pytest

from streamwatch.domain.eventsub import ForgedMessage
from streamwatch.domain.models import Streamer
from streamwatch.services.ingest import Outcome, Received
from streamwatch.services.subscriptions import RECONCILE
from tests import messages
from tests.messages import COOL_USER, Message
from tests.services.conftest import START, House


def receive(house: House, message: Message) -> Received:
    return house.services.ingest.receive(message.headers, message.body)


def test_each_message_has_an_outcome(house: House) -> None:
    going_on = messages.online(at=START)
    assert receive(house, going_on).outcome is Outcome.ACCEPTED
    assert receive(house, going_on).outcome is Outcome.DUPLICATE
    assert receive(house, messages.online(at=START)).outcome is Outcome.DUPLICATE
    earlier = START - timedelta(minutes=5)
    assert receive(house, messages.offline(stream_id="8999", at=earlier)).outcome is Outcome.LATE
    end = messages.offline(at=START + timedelta(seconds=1))
    assert receive(house, end).outcome is Outcome.ACCEPTED
    strange = messages.notification("channel.raid", {}, at=START)
    assert receive(house, strange).outcome is Outcome.UNKNOWN
    assert receive(house, messages.verification("pogchamp", at=START)) == Received(
        Outcome.VERIFIED, "pogchamp"
    )
    assert house.history() == [
        "stream.offline eventsub",
        "stream.online eventsub",
        "stream.offline eventsub",
    ]


def test_a_forged_message_leaves_no_trace_so_that_the_real_one_counts(house: House) -> None:
    with pytest.raises(ForgedMessage):
        receive(house, messages.online(message_id="m", at=START, secret="somebody-elses"))
    assert receive(house, messages.online(message_id="m", at=START)).outcome is Outcome.ACCEPTED


def test_a_revoked_subscription_makes_its_streamer_inactive_and_is_mended(house: House) -> None:
    streamer = Streamer("1337", "cool_user", "Cool_User", START, "sub-on", "sub-off")
    house.storage.add_streamers([streamer])
    revoked = messages.revocation(COOL_USER, subscription_id="sub-on", at=START)
    assert receive(house, revoked).outcome is Outcome.REVOKED
    [after] = house.storage.streamers()
    assert (after.is_active, after.offline_subscription_id) == (False, "sub-off")
    assert RECONCILE in house.storage.coordination.take_requested_jobs()


def test_the_revocation_of_a_strangers_subscription_changes_nothing(house: House) -> None:
    assert receive(house, messages.revocation(at=START)).outcome is Outcome.REVOKED
    assert house.storage.streamers() == []


def test_a_streamer_who_was_removed_is_not_live_again_by_a_message_under_way(house: House) -> None:
    house.storage.add_streamers([Streamer("1337", "cool_user", "Cool_User", START)])
    house.storage.remove_streamer("1337")
    assert receive(house, messages.online(at=START)).outcome is Outcome.ACCEPTED
    assert house.live() == []
    assert house.history() == ["stream.online eventsub"]
