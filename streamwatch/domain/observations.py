"""The observations of a streamer: what messages, polls and operators report."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.domain.models import ChannelInfo, Source, Stream, StreamEvent

MIN_ABSENCE = timedelta(seconds=45)
"""The least time between two absences that end a stream: Helix can omit a live stream from its
pages for some seconds."""


@dataclass(frozen=True, slots=True)
class WentOnline:
    """A `stream.online` message."""

    event: StreamEvent
    stream: Stream


@dataclass(frozen=True, slots=True)
class WentOffline:
    """A `stream.offline` message. `event.stream_id` is None where it does not name its stream."""

    event: StreamEvent


@dataclass(frozen=True, slots=True)
class Updated:
    """A `channel.update` message. It does not show whether a stream is on."""

    event: StreamEvent
    info: ChannelInfo


@dataclass(frozen=True, slots=True)
class SeenLive:
    """Helix answered with this stream. `at` comes from `time_seen`."""

    user_id: str
    login: str
    display_name: str
    stream: Stream
    at: datetime
    source: Source = Source.POLL


def time_seen(stream: Stream, asked_at: datetime, answered_at: datetime) -> datetime:
    """When a stream in an answer of Helix was seen: at the time of the request, because the answer
    may be older than messages that arrived meanwhile. A stream that started after the request was
    seen at its start, or at the time of the answer if the clocks differ."""
    return min(max(asked_at, stream.started_at), answered_at)


@dataclass(frozen=True, slots=True)
class SeenAbsent:
    """Helix answered a request made at `at` without a stream of this user. One such answer does not
    end the stream; a second one, at least `confirm_after` later, does."""

    user_id: str
    login: str
    display_name: str
    at: datetime
    confirm_after: timedelta = MIN_ABSENCE


@dataclass(frozen=True, slots=True)
class SeenNames:
    """Helix answered a request for this user, made at `at`, with these names."""

    user_id: str
    login: str
    display_name: str
    at: datetime
    profile_image_url: str | None = None
    """None where the answer has none."""


@dataclass(frozen=True, slots=True)
class Removed:
    """An operator ended the monitoring of a streamer at `at`."""

    user_id: str
    login: str
    display_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionRevoked:
    """Twitch ended a subscription of this user."""

    user_id: str
    subscription_id: str


@dataclass(frozen=True, slots=True)
class SubscriptionsReconciled:
    """A reconciliation, or the creation of subscriptions for one streamer, has ended.

    `before` and `active` are ids of subscriptions by type: those of the record when the work began,
    and those that it found or created. Ids in `not_replaced` exist still although they should have
    been replaced: they keep their fingerprint, so that the next reconciliation replaces them.
    `fingerprint` identifies the secret that signs the active ones.
    """

    user_id: str
    before: Mapping[str, str]
    active: Mapping[str, str]
    not_replaced: Collection[str]
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class TagsReplaced:
    """An operator replaced the tags of this streamer. `tags` are normalized."""

    user_id: str
    tags: tuple[str, ...]


Observation = WentOnline | WentOffline | Updated | SeenLive | SeenAbsent | SeenNames | Removed
"""The observations that change a status: see `transitions.decide`."""

StreamerObservation = SeenNames | SubscriptionRevoked | SubscriptionsReconciled | TagsReplaced
"""The observations that change the record of a streamer: see `streamers.decide`."""


def user_id_of(observation: Observation) -> str:
    """The user id of the streamer who was observed."""
    if isinstance(observation, WentOnline | WentOffline | Updated):
        return observation.event.broadcaster_id
    return observation.user_id
