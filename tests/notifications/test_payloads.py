"""The JSON payloads of webhook deliveries."""

from dataclasses import replace

from streamwatch.services.notifications.payloads import payload
from streamwatch.storage.testing.build import event


def test_a_payload_has_no_internal_fields_of_the_event() -> None:
    message = replace(event("e1"), replaces="poll:e1")

    document = payload(message, "stream.online", None, None, None)

    assert set(document["data"]["event"]) == {
        "id",
        "event_type",
        "broadcaster_id",
        "broadcaster_login",
        "broadcaster_name",
        "timestamp",
        "data",
        "source",
    }
