"""The responses as OpenAPI documents them. `documents.py` builds them; tests compare the two."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from streamwatch.api.arguments import LOGIN_SCHEMA, BoundedList, PastedLoginField, TagField
from streamwatch.domain.logins import MAX_LOGINS_AT_ONCE
from streamwatch.domain.models import EventType, Source
from streamwatch.domain.tags import MAX_TAGS
from streamwatch.services.monitoring import health
from streamwatch.services.monitoring.twitch_state import TwitchState
from streamwatch.services.status import StatusSource


class Document(ma.Schema):
    """A response, or a part of one: every field is always present."""

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:  # noqa: ARG002  marshmallow's signature
        field_obj.required = True


def _one_of(*words: str) -> fields.String:
    return fields.String(validate=validate.OneOf(words))


def _login() -> fields.String:
    return fields.String(metadata=LOGIN_SCHEMA)


def _count() -> fields.Integer:
    return fields.Integer(validate=validate.Range(min=0))


class FaultSchema(Document):
    location = fields.String(data_key="in", validate=validate.OneOf(("path", "query", "body")))
    name = fields.String(
        metadata={"description": "Name of the parameter, or of the field of the body."}
    )
    detail = fields.String()


class ProblemSchema(ma.Schema):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(
        fields.Nested(FaultSchema),
        metadata={"description": "All faults of the request; only with status 422."},
    )


class IndexSchema(Document):
    name = fields.String()
    message = fields.String()
    version = fields.String()
    docs = fields.String(metadata={"description": "Path of the API's documentation."})


class HealthSchema(Document):
    status = _one_of(health.HEALTHY, health.DEGRADED, health.UNHEALTHY)
    storage = _one_of(health.CONNECTED, health.DISCONNECTED)
    analytics = _one_of(health.CONNECTED, health.DISCONNECTED)
    worker = _one_of(health.RUNNING, health.STALE, health.UNKNOWN)
    eventsub = _one_of(health.CONNECTED, health.DISCONNECTED, health.OFF)
    twitch = _one_of(*TwitchState)
    version = fields.String()


class AliveSchema(Document):
    status = _one_of("alive")


class MessageSchema(Document):
    message = fields.String()


class StreamerSchema(Document):
    user_id = fields.String()
    username = _login()
    display_name = fields.String()
    profile_image_url = fields.String(allow_none=True)
    tags = fields.List(
        TagField(), metadata={"description": "Tags that the operator gave the streamer, sorted."}
    )
    is_active = fields.Boolean(
        metadata={"description": "Whether the subscriptions for online and offline are active."}
    )
    online_subscription_id = fields.String(allow_none=True)
    offline_subscription_id = fields.String(allow_none=True)
    added_at = fields.DateTime()


class PageSchema(Document):
    """A page of a list."""

    count = _count()
    next = fields.String(
        allow_none=True,
        metadata={
            "description": "The cursor of the next page, for the parameter `after`; null on the"
            " last page."
        },
    )


class StreamersSchema(PageSchema):
    streamers = fields.List(fields.Nested(StreamerSchema))


class AddedSchema(Document):
    message = fields.String()
    streamer = fields.Nested(StreamerSchema)


class ChangedSchema(Document):
    streamer = fields.Nested(StreamerSchema)


def _tags(**options: Any) -> BoundedList:
    return BoundedList(TagField(), MAX_TAGS, **options)


class UsernamesSchema(ma.Schema):
    """The body of a request that adds many streamers."""

    class Meta:
        unknown = ma.RAISE

    usernames = BoundedList(PastedLoginField(), MAX_LOGINS_AT_ONCE, shortest=1, required=True)
    tags = _tags(
        load_default=(), metadata={"description": "Tags for the streamers that are added."}
    )


class TagsSchema(ma.Schema):
    """The body of a request that changes a streamer."""

    class Meta:
        unknown = ma.RAISE

    tags = _tags(
        required=True, metadata={"description": "The new tags. They replace the existing ones."}
    )


class BulkAddedSchema(Document):
    added = fields.List(_login())
    existing = fields.List(_login())
    not_found = fields.List(_login())
    failed = fields.List(
        _login(),
        metadata={
            "description": "Logins that could not be looked up at Twitch (try them again), and in"
            " an import those that another monitored streamer has."
        },
    )


class StreamSchema(Document):
    """A live stream. A field is null until its value is fetched from Twitch, within seconds."""

    id = fields.String()
    type = fields.String()
    started_at = fields.DateTime()
    viewer_count = fields.Integer(allow_none=True)
    game_id = fields.String(allow_none=True)
    game_name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    tags = fields.List(fields.String(), allow_none=True)
    thumbnail_url = fields.String(allow_none=True)


class StatusSchema(Document):
    user_id = fields.String()
    username = _login()
    display_name = fields.String()
    is_live = fields.Boolean()
    stream_data = fields.Nested(StreamSchema, allow_none=True)
    last_updated = fields.DateTime()
    last_event_type = fields.String(allow_none=True, validate=validate.OneOf((*EventType, None)))
    source = _one_of(*StatusSource)


class LiveStreamsSchema(Document):
    live_streams = fields.List(fields.Nested(StatusSchema))
    count = _count()


class EventSchema(Document):
    id = fields.String(
        metadata={
            "description": "The id of Twitch's message. An event that a poll or look-up found has"
            " an id of StreamWatch's own, until Twitch's message about it replaces it."
        }
    )
    event_type = _one_of(*EventType)
    broadcaster_id = fields.String()
    broadcaster_login = _login()
    broadcaster_name = fields.String()
    timestamp = fields.DateTime(
        metadata={
            "description": "The timestamp of Twitch's message; of a found event, the best estimate"
            " of its time."
        }
    )
    data = fields.Dict(
        metadata={
            "description": "The event as Twitch sent it, or in that form. An update also has"
            " `changed`, the names of the fields that changed, and `previous`, their values before."
        }
    )
    source = _one_of(*Source)


class EventsSchema(PageSchema):
    events = fields.List(fields.Nested(EventSchema))


class EventsOfTypeSchema(EventsSchema):
    event_type = _one_of(*EventType)


class EventsOfStreamerSchema(EventsSchema):
    streamer = _login()
