"""Notifications: rules, targets and deliveries. Always needs a full key."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Response, jsonify

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.errors import Fault, InvalidRequest
from streamwatch.api.notifications_schemas import (
    DeliveriesQuerySchema,
    DeliveriesSchema,
    DeliveryAnswerSchema,
    NewNotificationAnswerSchema,
    NewNotificationSchema,
    NotificationAnswerSchema,
    NotificationSettingsSchema,
    NotificationsSchema,
    SecretSchema,
    TestResultSchema,
)
from streamwatch.api.schemas import MessageSchema
from streamwatch.domain.notifications.documents import delivery_document
from streamwatch.domain.notifications.models import DeliveryStatus, Notification
from streamwatch.domain.notifications.validation import InvalidNotification
from streamwatch.services.documents import Document
from streamwatch.services.notifications.management import Notifications

blueprint = Blueprint(
    "notifications",
    __name__,
    url_prefix="/notifications",
    description="Messages to Discord, to webhooks, and to the services that Apprise knows.",
)


def _notifications() -> Notifications:
    return services().notifications.management


@contextmanager
def _faults_by_field() -> Iterator[None]:
    """Answer 422 with the faults of a notification."""
    try:
        yield
    except InvalidNotification as error:
        faults = [Fault("body", field, detail) for field, detail in error.faults.items()]
        raise InvalidRequest(faults) from None


def _document(notification: Notification) -> Document:
    [document] = _notifications().documents([notification])
    return document


@blueprint.get("")
@blueprint.response(200, NotificationsSchema)
@blueprint.problems(503)
def list_notifications() -> Response:
    """List the notifications

    Lists the oldest first, each with its last delivery.
    """
    documents = _notifications().documents(_notifications().all())
    return jsonify(notifications=documents, count=len(documents))


@blueprint.post("")
@blueprint.arguments(NewNotificationSchema)
@blueprint.response(201, NewNotificationAnswerSchema)
@blueprint.problems(400, 409, 413, 415, 502, 503)
def add_notification(body: Mapping[str, Any]) -> tuple[Response, int]:
    """Add a notification

    The notification sends events that happen after this request. Only this response contains a
    webhook's secret.
    """
    with _faults_by_field():
        made, secret = _notifications().create(body)
    return jsonify(notification=_document(made), secret=secret), 201


@blueprint.get("/<string:notification_id>")
@blueprint.response(200, NotificationAnswerSchema)
@blueprint.problems(404, 503)
def show_notification(notification_id: str) -> Response:
    """Show one notification

    The response shows the secret part of the URL as `…`.
    """
    return jsonify(notification=_document(_notifications().get(notification_id)))


@blueprint.patch("/<string:notification_id>")
@blueprint.arguments(NotificationSettingsSchema)
@blueprint.response(200, NotificationAnswerSchema)
@blueprint.problems(400, 404, 409, 413, 415, 502, 503)
def change_notification(body: Mapping[str, Any], notification_id: str) -> Response:
    """Change a notification

    Changes the given fields. Disabling a notification skips its pending deliveries; enabling it
    sends events that happen afterwards.
    """
    with _faults_by_field():
        changed = _notifications().change(notification_id, body)
    return jsonify(notification=_document(changed))


@blueprint.delete("/<string:notification_id>")
@blueprint.response(200, MessageSchema)
@blueprint.problems(404, 503)
def remove_notification(notification_id: str) -> Response:
    """Remove a notification

    Also removes the notification's deliveries.
    """
    removed = _notifications().remove(notification_id)
    return jsonify(message=f"Removed notification: {removed.name}")


@blueprint.post("/<string:notification_id>/test")
@blueprint.response(200, TestResultSchema)
@blueprint.problems(404, 503)
def send_test(notification_id: str) -> Response:
    """Send a test

    The worker sends an invented `stream.online` event to the target. The response says within 20
    seconds what the target answered.
    """
    tested = _notifications().test(notification_id)
    delivered = tested.status is DeliveryStatus.DELIVERED
    detail = tested.error or "The receiver took the message."
    return jsonify(delivered=delivered, status_code=tested.status_code, detail=detail)


@blueprint.get("/<string:notification_id>/deliveries")
@blueprint.arguments(DeliveriesQuerySchema, location="query")
@blueprint.response(200, DeliveriesSchema)
@blueprint.problems(404, 503)
def list_deliveries(query: Mapping[str, int], notification_id: str) -> Response:
    """List the deliveries of a notification

    Lists the newest first: pending deliveries, and up to 1,000 finished ones of the last 30 days.
    """
    found = _notifications().deliveries(notification_id, query["limit"])
    return jsonify(deliveries=[delivery_document(each) for each in found], count=len(found))


@blueprint.post("/<string:notification_id>/deliveries/<string:delivery_id>/retry")
@blueprint.response(202, DeliveryAnswerSchema)
@blueprint.problems(404, 409, 503)
def retry_delivery(notification_id: str, delivery_id: str) -> tuple[Response, int]:
    """Send a delivery again

    Makes a finished delivery pending and starts its attempts again. Responds with 409 while the
    notification is disabled.
    """
    delivery = _notifications().retry(notification_id, delivery_id)
    return jsonify(delivery=delivery_document(delivery)), 202


@blueprint.post("/<string:notification_id>/rotate-secret")
@blueprint.response(200, SecretSchema)
@blueprint.problems(404, 409, 503)
def rotate_secret(notification_id: str) -> Response:
    """Rotate the signing secret of a webhook

    Creates a new secret. For 24 hours, requests are signed with both the old and the new one, so
    that the receiver can switch over.
    """
    return jsonify(secret=_notifications().rotate_secret(notification_id))
