"""The state of the WebSocket connection, published by the leader for all processes."""

from dataclasses import dataclass

from streamwatch.storage.base import Coordination

_METRICS_NAME = "eventsub"
_SECONDS = 20.0
"""How long a published state is valid: its publisher renews it every few seconds."""


@dataclass(frozen=True, slots=True)
class EventSubState:
    """`fence` is that of the lease under which the connection was opened; `last_message_at` a unix
    time, 0 before the first message; `reconnects` counts the connections after the first."""

    is_connected: bool = False
    fence: int = 0
    last_message_at: float = 0.0
    reconnects: int = 0


def publish_eventsub_state(coordination: Coordination, state: EventSubState) -> None:
    """Publish the state for a short time."""
    values = {
        "connected": float(state.is_connected),
        "fence": float(state.fence),
        "last_message_at": state.last_message_at,
        "reconnects": float(state.reconnects),
    }
    coordination.publish_metrics(_METRICS_NAME, values, _SECONDS)


def eventsub_state(coordination: Coordination) -> EventSubState:
    """The published state; disconnected if none is valid."""
    values = coordination.published_metrics(_METRICS_NAME)
    if not values:
        return EventSubState()
    return EventSubState(
        is_connected=bool(values["connected"]),
        fence=int(values["fence"]),
        last_message_at=values["last_message_at"],
        reconnects=int(values["reconnects"]),
    )
