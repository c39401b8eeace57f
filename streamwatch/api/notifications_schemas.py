"""Notifications and deliveries, as OpenAPI documents them."""

import marshmallow as ma
from marshmallow import fields, validate

from streamwatch.api.arguments import BoundedList, TagField
from streamwatch.api.schemas import Document
from streamwatch.domain.notifications.models import (
    CHANGES,
    EVENT_TYPES,
    TEST,
    DeliveryStatus,
    TargetKind,
)
from streamwatch.domain.notifications.texts import MAX_TEMPLATE_LENGTH, PLACEHOLDERS
from streamwatch.domain.notifications.validation import (
    CLOCK,
    MAX_COOLDOWN_MINUTES,
    MAX_ENTRY_LENGTH,
    MAX_FILTER_ENTRIES,
    MAX_NAME_LENGTH,
    MAX_URL_LENGTH,
)


def _described(text: str) -> dict[str, str]:
    return {"description": text}


def _entries(text: str) -> BoundedList:
    return BoundedList(
        fields.String(validate=validate.Length(1, MAX_ENTRY_LENGTH)),
        MAX_FILTER_ENTRIES,
        metadata=_described(text),
    )


def _choices(choices: tuple[str, ...], text: str, shortest: int = 0) -> BoundedList:
    return BoundedList(
        fields.String(validate=validate.OneOf(choices)),
        MAX_FILTER_ENTRIES,
        shortest,
        metadata=_described(text),
    )


_IS_CLOCK = validate.Regexp(f"^{CLOCK.pattern}$", error="Not a time like 23:00.")


class QuietHoursSchema(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    start = fields.String(required=True, validate=_IS_CLOCK)
    end = fields.String(required=True, validate=_IS_CLOCK)
    tz = fields.String(
        required=True, validate=validate.Length(1, 64), metadata={"examples": ["Europe/Berlin"]}
    )


class NotificationSettingsSchema(ma.Schema):
    """What can be changed. A missing field keeps its value; in a new notification it has its
    default."""

    class Meta:
        unknown = ma.RAISE

    name = fields.String(
        validate=validate.Length(1, MAX_NAME_LENGTH),
        metadata=_described(
            "A name for people. The default is made of `kind` and the host of `url`."
        ),
    )
    kind = fields.String(validate=validate.OneOf([*TargetKind]))
    url = fields.String(
        validate=validate.Length(1, MAX_URL_LENGTH),
        metadata=_described(
            "Responses show the secret part as `…`; sending that form back leaves the URL"
            " unchanged."
        ),
    )
    enabled = fields.Boolean(truthy={True}, falsy={False})
    events = _choices(EVENT_TYPES, "Types of events to send. The default is all.", shortest=1)
    streamers = _entries(
        "Only events of streamers with one of these logins; empty for all streamers. Logins that"
        " are not monitored are looked up at Twitch."
    )
    tags = BoundedList(
        TagField(),
        MAX_FILTER_ENTRIES,
        metadata=_described(
            "Only events of streamers with one of these tags; empty for all streamers."
        ),
    )
    categories = _entries(
        "Only streams in a category with one of these names, case-insensitive; empty for all."
    )
    title_contains = _entries(
        "Only streams whose title contains one of these texts, case-insensitive; empty for all."
    )
    changed = _choices(
        CHANGES,
        "Only `channel.update` events that change one of these. The default is title and category.",
    )
    cooldown_minutes = fields.Integer(
        strict=True,
        validate=validate.Range(0, MAX_COOLDOWN_MINUTES),
        metadata=_described(
            "Minutes after a message about a start in which no other start of the streamer is sent;"
            " only for `discord` and `apprise`. 0 sends every start and every end."
        ),
    )
    quiet_hours = fields.Nested(
        QuietHoursSchema,
        allow_none=True,
        metadata=_described("When no messages are posted; only for `discord` and `apprise`."),
    )
    template = fields.String(
        allow_none=True,
        validate=validate.Length(1, MAX_TEMPLATE_LENGTH),
        metadata=_described(
            "The text of a message, only for `discord` and `apprise`. Placeholders: "
            f"{', '.join(f'${name}' for name in PLACEHOLDERS)}."
        ),
    )


class NewNotificationSchema(NotificationSettingsSchema):
    kind = fields.String(required=True, validate=validate.OneOf([*TargetKind]))
    url = fields.String(required=True, validate=validate.Length(1, MAX_URL_LENGTH))


class DeliverySchema(Document):
    id = fields.String()
    event_id = fields.String()
    event_type = fields.String(validate=validate.OneOf((*EVENT_TYPES, TEST)))
    broadcaster_login = fields.String()
    status = fields.String(validate=validate.OneOf([*DeliveryStatus]))
    attempts = fields.Integer()
    status_code = fields.Integer(
        allow_none=True, metadata=_described("HTTP status of the target's last response.")
    )
    error = fields.String(
        allow_none=True, metadata=_described("Why the delivery failed or was skipped.")
    )
    created_at = fields.DateTime()
    next_attempt_at = fields.DateTime(allow_none=True)
    delivered_at = fields.DateTime(allow_none=True)


class NotificationSchema(Document):
    id = fields.String()
    name = fields.String()
    kind = fields.String(validate=validate.OneOf([*TargetKind]))
    url = fields.String(metadata=_described("The URL, with its secret part shown as `…`."))
    enabled = fields.Boolean()
    events = fields.List(fields.String())
    streamers = fields.List(fields.String())
    tags = fields.List(fields.String())
    categories = fields.List(fields.String())
    title_contains = fields.List(fields.String())
    changed = fields.List(fields.String())
    cooldown_minutes = fields.Integer()
    quiet_hours = fields.Nested(QuietHoursSchema, allow_none=True)
    template = fields.String(allow_none=True)
    created_at = fields.DateTime()
    last_delivery = fields.Nested(DeliverySchema, allow_none=True)


class NotificationsSchema(Document):
    notifications = fields.List(fields.Nested(NotificationSchema))
    count = fields.Integer()


class NotificationAnswerSchema(Document):
    notification = fields.Nested(NotificationSchema)


class NewNotificationAnswerSchema(NotificationAnswerSchema):
    secret = fields.String(
        allow_none=True,
        metadata=_described("A webhook's signing secret. No other response contains it."),
    )


class SecretSchema(Document):
    secret = fields.String(
        metadata=_described("The new signing secret. No other response contains it.")
    )


class TestResultSchema(Document):
    delivered = fields.Boolean()
    status_code = fields.Integer(allow_none=True)
    detail = fields.String(
        metadata=_described("What the target answered, or why there was no answer.")
    )


class DeliveriesSchema(Document):
    deliveries = fields.List(fields.Nested(DeliverySchema))
    count = fields.Integer()


class DeliveryAnswerSchema(Document):
    delivery = fields.Nested(DeliverySchema)


class DeliveriesQuerySchema(ma.Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 1000))
