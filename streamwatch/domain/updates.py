"""Title, category and language of a channel, as they change: each value at its own time.

A value is pushed (`channel.update`), or an estimate: a poll found it instead of a message. Values
that follow each other unchanged are one event, under whatever message ids they come and in whatever
order they arrive. Twitch's message takes the place of an estimate.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from streamwatch.domain.models import (
    ChannelEntry,
    ChannelInfo,
    EventReference,
    EventType,
    StreamEvent,
)

POLLS_LAG = timedelta(minutes=5)
"""For how long after a message polls may still show the values before it."""

UPDATES_SPAN = timedelta(hours=1)
"""The age up to which a late update is inserted at its own time."""

MAX_UPDATES = 40
"""The number of stored entries of a channel."""


@dataclass(frozen=True, slots=True)
class UpdateInsertion:
    """The entries with a new one, the events to add to the history, and those that they replace."""

    entries: tuple[ChannelEntry, ...]
    events: tuple[StreamEvent, ...]
    replaced_events: tuple[EventReference, ...]


def insert_update(known: Sequence[ChannelEntry], entry: ChannelEntry) -> UpdateInsertion | None:
    """Insert `entry` at its own time. None if it is among `known` already."""
    if entry.message_id in [other.message_id for other in known]:
        return None
    entries = list(known)
    insort(entries, entry, key=_order)
    updated: list[ChannelEntry] = []
    events: list[StreamEvent] = []
    replaced: list[EventReference] = []
    previous: ChannelInfo | None = None
    for _, group in groupby(entries, key=lambda item: item.info.key):
        run = list(group)
        event, estimate = _event_of(run, previous)
        if event is not None:
            events.append(event)
        if estimate is not None:
            replaced.append(EventReference(estimate.message_id, EventType.UPDATE, estimate.at))
        updated += _updated(run, event)
        previous = run[-1].info
    return UpdateInsertion(_trimmed(updated), tuple(events), tuple(replaced))


def is_contradicted(known: Sequence[ChannelEntry], info: ChannelInfo, at: datetime) -> bool:
    """Whether values that a poll shows at `at` are new: not those that are known, and not older
    values that Helix still shows."""
    if not known:
        return True
    last = known[-1]
    if last.info.key == info.key or at <= last.at:
        return False
    return last.is_estimate or at - last.at >= POLLS_LAG


def _event_of(
    run: Sequence[ChannelEntry], previous: ChannelInfo | None
) -> tuple[StreamEvent | None, ChannelEntry | None]:
    """The event of a run, if the history does not have it yet, and the estimate that it replaces.

    The first values of all are no event if a poll found them.
    """
    messages = [entry for entry in run if not entry.is_estimate]
    reported = [entry for entry in run if entry.is_reported]
    if any(not entry.is_estimate for entry in reported) or (reported and not messages):
        return None, None
    if previous is None and run[0].is_estimate and not reported:
        return None, None
    first = messages[0] if messages else run[0]
    if first.suppressed_event is None:
        return None, None
    event = _with_changes(first.suppressed_event, first.info, previous)
    if not reported:
        return event, None
    return replace(event, replaces=reported[0].message_id), reported[0]


def _with_changes(
    event: StreamEvent, info: ChannelInfo, previous: ChannelInfo | None
) -> StreamEvent:
    """The event with what has changed."""
    changed = [
        name
        for name, value, before in (
            ("title", info.title, previous and previous.title),
            ("category", info.category_id, previous and previous.category_id),
            ("language", info.language, previous and previous.language),
        )
        if previous is None or value != before
    ]
    data = {**event.data, "changed": changed, "previous": previous and previous._asdict()}
    return replace(event, data=data)


def _updated(run: Sequence[ChannelEntry], event: StreamEvent | None) -> Iterator[ChannelEntry]:
    """The entries of a run after its event was reported, without the estimates it replaces."""
    for entry in run:
        if event is not None and entry.message_id == event.id:
            yield entry._replace(is_reported=True, suppressed_event=None)
        elif event is None or event.replaces is None or not entry.is_estimate:
            yield entry


def _trimmed(entries: Sequence[ChannelEntry]) -> tuple[ChannelEntry, ...]:
    """The recent entries, and the last one before them as what was known by then."""
    oldest = entries[-1].at - UPDATES_SPAN
    first = max(len(entries) - MAX_UPDATES, 0)
    first = next(index for index in range(first, len(entries)) if entries[index].at >= oldest)
    if first == 0:
        return tuple(entries)
    base = entries[first - 1]._replace(
        is_estimate=False, is_reported=True, suppressed_event=None
    )  # too old for a message to take its place
    return (base, *entries[first:])


def _order(entry: ChannelEntry) -> tuple[datetime, str]:
    return entry.at, entry.message_id
