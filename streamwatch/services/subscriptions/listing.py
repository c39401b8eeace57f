"""The listing of all subscriptions of the Twitch application, for operators."""

from dataclasses import dataclass

from streamwatch.domain.models import Subscription
from streamwatch.services.monitoring.published_metrics import subscription_metrics
from streamwatch.services.subscriptions.transport import Method, TransportProvider, is_carried
from streamwatch.storage.base import Coordination
from streamwatch.twitch.base import Shard, Twitch


@dataclass(frozen=True, slots=True)
class ListedConduit:
    """Our conduit and its shards."""

    id: str
    shards: list[Shard]


@dataclass(frozen=True, slots=True)
class Listed:
    """All subscriptions of the application: `ours` use our callback or conduit.
    `updates_without_room` streamers have no subscription to `channel.update` for lack of room."""

    ours: list[Subscription]
    others: list[Subscription]
    webhook_url: str | None
    transport: Method
    conduit: ListedConduit | None
    total_cost: int
    max_total_cost: int
    updates_without_room: int


def list_subscriptions(
    twitch: Twitch, transports: TransportProvider, coordination: Coordination
) -> Listed:
    """The subscriptions that Twitch has now. Raises TwitchError."""
    listing = twitch.subscriptions()
    transport = transports.current()
    published = subscription_metrics(coordination)
    return Listed(
        ours=[each for each in listing.subscriptions if is_carried(each, transport)],
        others=[each for each in listing.subscriptions if not is_carried(each, transport)],
        webhook_url=transports.webhook_url,
        transport=transports.method,
        conduit=_listed_conduit(transports),
        total_cost=listing.total_cost,
        max_total_cost=listing.max_total_cost,
        updates_without_room=published.updates_without_room if published else 0,
    )


def _listed_conduit(transports: TransportProvider) -> ListedConduit | None:
    if transports.method is not Method.CONDUIT:
        return None
    conduit_id, shards = transports.conduit.id(), transports.conduit.shards()
    return None if conduit_id is None or shards is None else ListedConduit(conduit_id, shards)
