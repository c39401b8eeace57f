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
    """All notifications

    The oldest first, each with its last delivery.
    """
    documents = _notifications().documents(_notifications().all())
    return jsonify(notifications=documents, count=len(documents))


@blueprint.post("")
@blueprint.arguments(NewNotificationSchema)
@blueprint.response(201, NewNotificationAnswerSchema)
@blueprint.problems(400, 409, 413, 415, 502, 503)
def add_notification(body: Mapping[str, Any]) -> tuple[Response, int]:
    """Add a notification

    It sends what happens from now on. The secret of a webhook is answered here alone.
    """
    with _faults_by_field():
        made, secret = _notifications().create(body)
    return jsonify(notification=_document(made), secret=secret), 201


@blueprint.get("/<string:notification_id>")
@blueprint.response(200, NotificationAnswerSchema)
@blueprint.problems(404, 503)
def show_notification(notification_id: str) -> Response:
    """Show one notification

    The secret part of its URL is shown as `…`.
    """
    return jsonify(notification=_document(_notifications().get(notification_id)))


@blueprint.patch("/<string:notification_id>")
@blueprint.arguments(NotificationSettingsSchema)
@blueprint.response(200, NotificationAnswerSchema)
@blueprint.problems(400, 404, 409, 413, 415, 502, 503)
def change_notification(body: Mapping[str, Any], notification_id: str) -> Response:
    """Change a notification

    Switched off, its pending deliveries are skipped; switched on again, it begins from then.
    """
    with _faults_by_field():
        changed = _notifications().change(notification_id, body)
    return jsonify(notification=_document(changed))


@blueprint.delete("/<string:notification_id>")
@blueprint.response(200, MessageSchema)
@blueprint.problems(404, 503)
def remove_notification(notification_id: str) -> Response:
    """Remove a notification

    Its deliveries go with it.
    """
    removed = _notifications().remove(notification_id)
    return jsonify(message=f"Removed notification: {removed.name}")


@blueprint.post("/<string:notification_id>/test")
@blueprint.response(200, TestResultSchema)
@blueprint.problems(404, 503)
def send_test(notification_id: str) -> Response:
    """Send a test

    The worker sends a made-up go-live now; answers within 20 seconds what the receiver said.
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
    """The deliveries of a notification

    The newest first: pending ones, and the newest finished ones of the last 30 days.
    """
    found = _notifications().deliveries(notification_id, query["limit"])
    return jsonify(deliveries=[delivery_document(each) for each in found], count=len(found))


@blueprint.post("/<string:notification_id>/deliveries/<string:delivery_id>/retry")
@blueprint.response(202, DeliveryAnswerSchema)
@blueprint.problems(404, 409, 503)
def retry_delivery(notification_id: str, delivery_id: str) -> tuple[Response, int]:
    """Send a delivery again

    Takes any finished delivery and begins its attempts anew; 409 while the notification is off.
    """
    delivery = _notifications().retry(notification_id, delivery_id)
    return jsonify(delivery=delivery_document(delivery)), 202


@blueprint.post("/<string:notification_id>/rotate-secret")
@blueprint.response(200, SecretSchema)
@blueprint.problems(404, 409, 503)
def rotate_secret(notification_id: str) -> Response:
    """A new signing secret for a webhook

    The old one signs too for 24 hours, so that the receiver can change over.
    """
    return jsonify(secret=_notifications().rotate_secret(notification_id))
