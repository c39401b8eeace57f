"""The order of lists that several backends sort in Python."""

from collections.abc import Iterable

from streamwatch.domain.models import Streamer


def newest_first(streamers: Iterable[Streamer]) -> list[Streamer]:
    """Streamers by the time they were added, the newest first; equal times by user id."""
    return sorted(streamers, key=lambda streamer: streamer.position, reverse=True)
