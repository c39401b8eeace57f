"""Title, category and language of a channel, as they change: each value at its own time.

A value is pushed (`channel.update`), or an estimate: a poll found it instead of a message. Values
that follow each other unchanged are one event, under whatever message ids they come and in whatever
order they arrive. Twitch's message takes the place of an estimate: of the same values, or of those
before it that a lagging poll showed after it, else of one of about the same time.
"""

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
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

HELIX_LAG = timedelta(minutes=5)
"""For how long after an event or an update Helix may still show the state before it."""

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
    outdated = _outdated(entries)
    reported = {key: estimate for key, estimate in outdated.items() if estimate.is_reported}
    insertion = _insertion([item for item in entries if item not in outdated.values()])
    replaced = _estimates_by_event(insertion, reported)
    if len(replaced) < len(reported):  # the estimates that no event replaces remain
        retained = [item for item in reported.values() if item not in replaced.values()]
        dropped = [estimate for estimate in outdated.values() if estimate not in retained]
        insertion = _insertion([item for item in entries if item not in dropped])
    return _with_replaced(insertion, replaced)


def _outdated(entries: Sequence[ChannelEntry]) -> dict[str, ChannelEntry]:
    """The estimates that a message proves wrong, by its id: polls that showed the values before it.
    If several follow one message, only the first is returned."""
    found: dict[str, ChannelEntry] = {}
    message: ChannelEntry | None = None
    for entry in entries:
        if not entry.is_estimate:
            message = entry
        elif message and entry.at - message.at < HELIX_LAG and entry.info.key != message.info.key:
            found.setdefault(message.message_id, entry)
    return found


def _estimates_by_event(
    insertion: UpdateInsertion, estimates: Mapping[str, ChannelEntry]
) -> dict[str, ChannelEntry]:
    """The estimate that each event of `insertion` replaces, by the event's id. An event replaces
    one estimate at most: that which its message proves wrong, else another that shows its
    values after it, or is of about its time. `estimates` are by message id."""
    free = {event.id for event in insertion.events if event.replaces is None}
    assigned = {event_id: estimates[event_id] for event_id in free if event_id in estimates}
    rest = [estimate for message_id, estimate in estimates.items() if message_id not in assigned]
    for entry in insertion.entries:
        found = next((estimate for estimate in rest if _may_be_same_change(entry, estimate)), None)
        if found and entry.message_id in free - assigned.keys():
            assigned[entry.message_id] = found
            rest.remove(found)
    return assigned


def _may_be_same_change(entry: ChannelEntry, estimate: ChannelEntry) -> bool:
    """Whether the estimate shows the values of the entry after it, or is of about its time."""
    is_shown = entry.info.key == estimate.info.key and entry.at <= estimate.at
    return is_shown or abs(entry.at - estimate.at) < HELIX_LAG


def _with_replaced(
    insertion: UpdateInsertion, replaced: Mapping[str, ChannelEntry]
) -> UpdateInsertion:
    """The insertion whose events with these ids take the place of these estimates."""
    events = tuple(
        replace(event, replaces=replaced[event.id].message_id) if event.id in replaced else event
        for event in insertion.events
    )
    references = map(_reference, replaced.values())
    return replace(
        insertion, events=events, replaced_events=(*insertion.replaced_events, *references)
    )


def _insertion(entries: Sequence[ChannelEntry]) -> UpdateInsertion:
    """The events of `entries` that the history does not have yet."""
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
            replaced.append(_reference(estimate))
        updated += _updated(run, event)
        previous = run[-1].info
    return UpdateInsertion(_trimmed(updated), tuple(events), tuple(replaced))


def _reference(estimate: ChannelEntry) -> EventReference:
    return EventReference(estimate.message_id, EventType.UPDATE, estimate.at)


def entry_at(known: Sequence[ChannelEntry], at: datetime) -> ChannelEntry | None:
    """The last entry up to a time."""
    return next((entry for entry in reversed(known) if entry.at <= at), None)


def is_contradicted(known: Sequence[ChannelEntry], info: ChannelInfo, at: datetime) -> bool:
    """Whether values that a poll shows at `at` are new: not those that were known by then, and not
    older values that Helix still shows."""
    last = entry_at(known, at)
    if last is None:
        return True
    if last.info.key == info.key:
        return False
    return last.is_estimate or at - last.at >= HELIX_LAG


def _event_of(
    run: Sequence[ChannelEntry], previous: ChannelInfo | None
) -> tuple[StreamEvent | None, ChannelEntry | None]:
    """The event of a run, if the history does not have it yet, and the estimate that it replaces.

    A first run that begins with an estimate gives no event: either a poll found the channel's first
    values, or the estimate is the base that `_trimmed` left, which is too old for a message to
    replace.
    """
    messages = [entry for entry in run if not entry.is_estimate]
    reported = [entry for entry in run if entry.is_reported]
    if any(not entry.is_estimate for entry in reported) or (reported and not messages):
        return None, None
    if previous is None and run[0].is_estimate:
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
    """The recent entries, after the last older one, which has the values known before them."""
    oldest = entries[-1].at - UPDATES_SPAN
    first = max(len(entries) - MAX_UPDATES, 0)
    first = next(index for index in range(first, len(entries)) if entries[index].at >= oldest)
    if first == 0:
        return tuple(entries)
    base = entries[first - 1]
    # A message counts as reported from now on; an estimate that was no event stays none.
    is_reported = base.is_reported or not base.is_estimate
    return (base._replace(is_reported=is_reported, suppressed_event=None), *entries[first:])


def _order(entry: ChannelEntry) -> tuple[datetime, bool, str]:
    """Messages come before a poll of the same time."""
    return entry.at, entry.is_estimate, entry.message_id
