"""The documents of export and import, as OpenAPI documents them."""

from typing import Any

from marshmallow import fields, validate

from streamwatch.api.arguments import LOGIN_SCHEMA, TagField
from streamwatch.api.notifications_schemas import NotificationSchema
from streamwatch.api.schemas import BulkAddedSchema, Document
from streamwatch.domain.exports import VERSION


class ExportedStreamerSchema(Document):
    user_id = fields.String()
    username = fields.String(metadata=LOGIN_SCHEMA)
    display_name = fields.String()
    profile_image_url = fields.String(allow_none=True)
    tags = fields.List(TagField())
    added_at = fields.DateTime()


class FilteredStreamerSchema(Document):
    """A streamer in the filter of a notification."""

    user_id = fields.String()
    username = fields.String()


class PreviousSecretSchema(Document):
    """The secret before a rotation, which signs too until it expires."""

    secret = fields.String()
    expires_at = fields.DateTime()


class ExportedNotificationSchema(NotificationSchema):
    """All settings of a notification. Without secrets, `url` and `secret` are null."""

    class Meta:
        exclude = ("last_delivery",)

    url = fields.String(allow_none=True)
    streamers = fields.List(fields.Nested(FilteredStreamerSchema))
    secret = fields.String(allow_none=True)
    previous_secret = fields.Nested(PreviousSecretSchema, allow_none=True)
    disabled_reason = fields.String(allow_none=True)


class ExportSchema(Document):
    version = fields.Integer(validate=validate.Equal(VERSION))
    streamers = fields.List(fields.Nested(ExportedStreamerSchema))
    notifications = fields.List(fields.Nested(ExportedNotificationSchema))


class ImportedSchema(BulkAddedSchema):
    notifications = fields.List(
        fields.String(), metadata={"description": "Ids of the notifications that were added."}
    )


_LOGIN: dict[str, Any] = {"type": "string", "description": "A login, or the URL of a channel."}

IMPORT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "version": {"type": "integer", "enum": [VERSION]},
        "streamers": {
            "type": "array",
            "items": {
                "anyOf": [
                    _LOGIN,
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["username"],
                        "properties": {"username": _LOGIN},
                    },
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["user_id", "username"],
                        "properties": {
                            "user_id": {"type": "string"},
                            "username": _LOGIN,
                            "display_name": {"type": "string"},
                            "profile_image_url": {"type": ["string", "null"]},
                            "tags": {"type": "array", "items": {"type": "string"}},
                            "added_at": {"type": "string", "format": "date-time"},
                        },
                    },
                ]
            },
        },
        "notifications": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/ExportedNotification"},
        },
    },
}
"""The body of an import: an export, or a part of one. It is validated by `domain.exports`."""
