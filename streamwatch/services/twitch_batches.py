"""Calls to Twitch for many users, in batches of which one may fail."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from streamwatch.domain.batches import batched
from streamwatch.twitch.base import (
    MAX_IDS_PER_CALL,
    TwitchDenied,
    TwitchError,
    TwitchRefused,
    TwitchUnavailable,
)

log = logging.getLogger(__name__)

MAX_FAILURES = 3
"""After this many batches in a row without an answer, retries included, Twitch counts as down. Each
may take half a minute, for which the worker's other jobs wait."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchedCalls:
    """The sum of what the calls returned, and the number of items in batches that failed."""

    total: int
    failed: int


def call_in_batches(
    what: str, items: Collection[T], call: Callable[[list[T]], int]
) -> BatchedCalls:
    """Call `call` for each batch of `items`. A batch that Twitch does not answer, or refuses, is
    logged, and stops no other. `what` names the work in the log.

    Raises TwitchError if all batches fail, after MAX_FAILURES in a row that Twitch does not answer,
    and at once if the credentials are refused.
    """
    total = failed = failures = 0
    error: TwitchError | None = None
    for batch in batched(items, MAX_IDS_PER_CALL):
        try:
            total += call(batch)
            failures = 0
        except TwitchDenied:
            raise
        except (TwitchUnavailable, TwitchRefused) as problem:
            error = problem
            failed += len(batch)
            log.warning("%s of %d streamers failed: %s", what, len(batch), problem)
            failures += isinstance(problem, TwitchUnavailable)
            if failures >= MAX_FAILURES:
                raise
    if error is not None and failed == len(items):
        raise error
    return BatchedCalls(total, failed)
