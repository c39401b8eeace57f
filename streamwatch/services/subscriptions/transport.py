"""Chooses how Twitch delivers events: to a webhook, through a conduit, or not at all."""

from enum import StrEnum

from streamwatch.domain.models import Subscription
from streamwatch.domain.subscriptions import ConduitTransport, Transport, WebhookTransport
from streamwatch.services.subscriptions.conduit import OwnConduit


class Method(StrEnum):
    """How events arrive."""

    WEBHOOK = "webhook"
    CONDUIT = "conduit"
    NONE = "none"
    """Streamers are only polled."""


def is_carried(subscription: Subscription, transport: Transport | None) -> bool:
    """Whether `transport`, if there is one, delivers the subscription."""
    return transport is not None and transport.carries(subscription)


class TransportProvider:
    """Provides the transport that subscriptions use."""

    def __init__(
        self, method: Method, webhook: WebhookTransport | None, conduit: OwnConduit
    ) -> None:
        """`webhook` is needed for Method.WEBHOOK."""
        self.method = method
        self.conduit = conduit
        self._webhook = webhook

    @property
    def webhook_url(self) -> str | None:
        """The callback, if subscriptions use one."""
        if self.method is Method.WEBHOOK and self._webhook is not None:
            return self._webhook.callback
        return None

    def current(self) -> Transport | None:
        """The transport in use; None if EventSub is off or there is no conduit yet."""
        match self.method:
            case Method.WEBHOOK:
                return self._webhook
            case Method.CONDUIT:
                conduit_id = self.conduit.id()
                return ConduitTransport(conduit_id) if conduit_id else None
            case Method.NONE:
                return None

    def ensure(self) -> Transport | None:
        """The transport in use, creating the conduit if necessary; None if EventSub is off. Raises
        as `OwnConduit.ensure` does."""
        if self.method is Method.CONDUIT:
            return ConduitTransport(self.conduit.ensure())
        return self.current()
