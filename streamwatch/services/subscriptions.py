"""The EventSub subscriptions: what is wanted against what Twitch has, and the way from one to the
other."""

from collections.abc import Iterable

from streamwatch.domain.models import Streamer

RECONCILE = "reconcile"
"""The job that makes what Twitch has what is wanted."""


class Subscriptions:
    def cover(self, streamers: Iterable[Streamer]) -> None:
        """Create what these lack."""

    def release(self, streamer: Streamer) -> None:
        """Delete those of a streamer who is no longer monitored."""
