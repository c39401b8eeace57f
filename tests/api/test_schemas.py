"""What `api.documents` builds is what the OpenAPI document promises: every field, no more."""

from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from streamwatch.api.documents import status_document, streamer_document
from streamwatch.domain.models import (
    EventType,
    Source,
    Stream,
    Streamer,
    StreamEvent,
    StreamStatus,
)
from streamwatch.services.documents import event_document
from streamwatch.services.status import StatusSource
from tests.api.world import World

AT = datetime(2026, 6, 1, 12, 0, 0, 123456, UTC)
BARE = Stream("9001", AT)
FULL = Stream("9001", AT, "rerun", 0, "1", "Chess", "Hello", "en", ("a", "b"), "https://x/{width}")


def status(stream: Stream | None, last: EventType | None, source: StatusSource) -> dict[str, Any]:
    known = StreamStatus("1337", "cool_user", "Cool_User", stream, AT, last)
    return status_document(known, source)


def event(event_type: EventType, source: Source) -> dict[str, Any]:
    names = ("1337", "cool_user", "Cool_User")
    return event_document(StreamEvent("id", event_type, *names, AT, {"id": "9001"}, source))


DOCUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("Streamer", streamer_document(Streamer("1337", "cool_user", "Cool_User", AT))),
    ("Streamer", streamer_document(Streamer("1337", "cool_user", "Cool_User", AT, "on", "off"))),
    ("Status", status(None, None, StatusSource.TWITCH_API)),
    ("Status", status(BARE, EventType.ONLINE, StatusSource.STORAGE)),
    ("Status", status(FULL, EventType.OFFLINE, StatusSource.STORAGE)),
    *(("Event", event(event_type, source)) for event_type in EventType for source in Source),
]


@pytest.mark.parametrize(("name", "document"), DOCUMENTS)
def test_a_document_has_every_documented_field_and_no_other(
    world: World, name: str, document: dict[str, Any]
) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": world.openapi["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    validator.validate(document)
    assert not validator.is_valid(document | {"more": 1})
    for field in document:
        assert not validator.is_valid({key: document[key] for key in document if key != field})
