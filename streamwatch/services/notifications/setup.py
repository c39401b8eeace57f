"""Builds the services of notifications."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from streamwatch.domain.notifications.models import TargetKind
from streamwatch.services.monitoring.counters import NOTIFICATIONS, SharedCounters
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.attempt import DeliveryAttempt
from streamwatch.services.notifications.bodies import WebhookBodies
from streamwatch.services.notifications.context import EventContext, FindSession
from streamwatch.services.notifications.dispatcher import Dispatcher
from streamwatch.services.notifications.http import HttpClient
from streamwatch.services.notifications.management import Notifications
from streamwatch.services.notifications.previews import Previews
from streamwatch.services.notifications.reader import NotificationReader
from streamwatch.services.notifications.senders.apprise import AppriseSender
from streamwatch.services.notifications.senders.base import Sender
from streamwatch.services.notifications.senders.discord import DiscordSender
from streamwatch.services.notifications.senders.webhook import WebhookSender
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import Twitch

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class NotificationServices:
    """`management` and `previews` are for users, `reader` and `dispatcher` for the worker."""

    management: Notifications
    previews: Previews
    reader: NotificationReader
    dispatcher: Dispatcher
    counters: SharedCounters


def senders_for(policy: AddressPolicy, clock: Clock) -> dict[TargetKind, Sender]:
    """A sender for each kind of target."""
    client = HttpClient(policy)
    return {
        TargetKind.WEBHOOK: WebhookSender(client, clock),
        TargetKind.DISCORD: DiscordSender(client, clock),
        TargetKind.APPRISE: AppriseSender(policy),
    }


def notification_services(
    storage: Storage,
    twitch: Twitch,
    find_session: FindSession,
    policy: AddressPolicy,
    consumer: str,
    clock: Clock,
) -> NotificationServices:
    """The services on these adapters. `consumer` names this process."""
    context = EventContext(storage, find_session)
    bodies = WebhookBodies(storage, context)
    senders = senders_for(policy, clock)
    counters = SharedCounters(storage.coordination, NOTIFICATIONS)
    attempt = DeliveryAttempt(storage.notifications, context, bodies, senders, clock)
    return NotificationServices(
        management=Notifications(storage, twitch, policy, clock),
        previews=Previews(storage, senders, clock),
        reader=NotificationReader(storage, context, bodies, consumer, counters, clock),
        dispatcher=Dispatcher(storage.notifications, attempt, counters, clock),
        counters=counters,
    )
