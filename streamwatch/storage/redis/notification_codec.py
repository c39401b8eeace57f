"""Notifications and deliveries as bytes: JSON behind lines that scripts read."""

import orjson

from streamwatch.domain.documents import Document
from streamwatch.domain.notifications.documents import (
    delivery_from,
    notification_from,
    stored_delivery,
    stored_notification,
)
from streamwatch.domain.notifications.models import Delivery, Notification
from streamwatch.storage.redis.codec.reading import reader


def notification_value(notification: Notification) -> bytes:
    document = orjson.dumps(stored_notification(notification))
    return b"%d\n%b" % (notification.version, document)


@reader
def read_notification(value: bytes) -> Notification:
    version, document = value.split(b"\n")
    return notification_from(orjson.loads(document), int(version))


def delivery_value(delivery: Delivery) -> bytes:
    document = orjson.dumps(stored_delivery(delivery))
    return b"%d\n%b\n%b" % (delivery.version, delivery.lane.encode(), document)


@reader
def read_delivery(value: bytes) -> Delivery:
    version, _, document = value.split(b"\n")
    return delivery_from(orjson.loads(document), int(version))


def state_value(state: Document) -> bytes:
    return orjson.dumps(state)


@reader
def read_state(value: bytes) -> Document:
    document: Document = orjson.loads(value)
    return document
