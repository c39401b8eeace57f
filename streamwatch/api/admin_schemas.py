"""The responses of the admin resources, as OpenAPI documents them."""

from marshmallow import fields, validate

from streamwatch.api.schemas import BulkAddedSchema, Document, MessageSchema
from streamwatch.services.subscriptions.result import Outcome
from streamwatch.services.subscriptions.transport import Method


def _count(description: str | None = None) -> fields.Integer:
    metadata = {"description": description} if description else {}
    return fields.Integer(validate=validate.Range(min=0), metadata=metadata)


class SubscriptionSchema(Document):
    id = fields.String()
    type = fields.String()
    status = fields.String(metadata={"description": "Twitch's status."})
    condition = fields.Dict()
    created_at = fields.DateTime()
    cost = _count()


class ShardSchema(Document):
    id = fields.String()
    status = fields.String(metadata={"description": "Twitch's status."})


class ConduitSchema(Document):
    id = fields.String()
    shards = fields.List(fields.Nested(ShardSchema))


class CostsSchema(Document):
    total_cost = _count()
    max_total_cost = _count()


class SubscriptionsSchema(Document):
    subscriptions = fields.List(
        fields.Nested(SubscriptionSchema),
        metadata={"description": "Subscriptions for the callback or conduit of this installation."},
    )
    other_subscriptions = fields.List(
        fields.Nested(SubscriptionSchema),
        metadata={"description": "Other subscriptions of the Twitch application."},
    )
    total_subscriptions = _count()
    our_subscriptions_count = _count()
    other_subscriptions_count = _count()
    webhook_url = fields.String(allow_none=True)
    transport = fields.String(validate=validate.OneOf([*Method]))
    conduit = fields.Nested(ConduitSchema, allow_none=True)
    updates_without_room = _count(
        "Streamers without a subscription to `channel.update`, for which the cost limit left no"
        " room at the last reconciliation."
    )
    costs = fields.Nested(CostsSchema)


class CleanupSchema(MessageSchema):
    cleanup_count = _count()


class DeletionSchema(MessageSchema):
    deleted_count = _count()
    warning = fields.String()


class ReconciliationSchema(MessageSchema):
    status = fields.String(validate=validate.OneOf([*Outcome]))
    checked = _count("Number of subscriptions that should exist.")
    healthy = _count("Number of subscriptions that were enabled already.")
    created = _count("Number of subscriptions that were created.")
    deleted = _count(
        "Number of subscriptions that were deleted: failed or duplicate ones, and those for"
        " streamers who are not monitored."
    )
    failed = _count(
        "Number of subscriptions that could not be created or deleted, or that Twitch could not"
        " verify."
    )
    refused = _count("How many of these Twitch refused, as it would again.")


class ReloadedSchema(BulkAddedSchema, MessageSchema):
    """The result of adding DEFAULT_STREAMERS."""


class ReaderSchema(Document):
    name = fields.String()
    lag = _count("Entries that the reader has not read yet.")
    pending = _count("Entries that the reader has read and not acknowledged.")
    set_aside = _count("Entries that the reader could not process (dead letters).")


class SetAsideSchema(Document):
    id = fields.String()
    reader = fields.String()
    error = fields.String()
    at = fields.DateTime()


class FeedSchema(Document):
    length = _count()
    readers = fields.List(fields.Nested(ReaderSchema))
    set_aside = fields.List(
        fields.Nested(SetAsideSchema), metadata={"description": "The newest 20 dead letters."}
    )


class JobSchema(Document):
    name = fields.String()
    started_at = fields.DateTime()
    seconds = fields.Float()
    error = fields.String(allow_none=True)


class WorkerSchema(Document):
    leader = fields.String(allow_none=True, metadata={"description": "The leading worker process."})
    last_heartbeat = fields.DateTime(allow_none=True)
    jobs = fields.List(
        fields.Nested(JobSchema), metadata={"description": "The last run of each job."}
    )


class BudgetSchema(Document):
    limit = _count()
    remaining = _count()
    resets_at = fields.DateTime()


class TwitchSchema(Document):
    error = fields.String(
        allow_none=True, metadata={"description": "Why Twitch did not answer; null if it did."}
    )
    budget = fields.Nested(
        BudgetSchema, allow_none=True, metadata={"description": "Helix's rate limit."}
    )
    subscriptions = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "The number of subscriptions by their status at Twitch."},
    )
    clock_offset_seconds = fields.Float(
        metadata={"description": "How far Twitch's clock is ahead of this machine's."}
    )


class EventSubSchema(Document):
    transport = fields.String(validate=validate.OneOf([*Method]))
    connected = fields.Boolean(
        allow_none=True,
        metadata={
            "description": "Whether the WebSocket is connected; null with the webhook transport."
        },
    )
    reconnects = _count("Number of connections after the first, since the leading worker started.")
    last_message_at = fields.DateTime(
        allow_none=True,
        metadata={"description": "Time of the last WebSocket message, keepalives included."},
    )


class DiagnosticsSchema(Document):
    messages = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={
            "description": "Number of messages from Twitch: `received` in total, and by outcome."
        },
    )
    feed = fields.Nested(FeedSchema)
    worker = fields.Nested(WorkerSchema)
    twitch = fields.Nested(TwitchSchema)
    eventsub = fields.Nested(EventSubSchema)
