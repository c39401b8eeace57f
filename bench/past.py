"""Sessions of the past, in the analytics: written by the projector's own verb, in large pieces."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.batches import batched
from streamwatch.domain.models import StreamSnapshot, User
from streamwatch.domain.sessions import Observed, observed

SAMPLES_A_SESSION = 100
_SAMPLED_EVERY = timedelta(minutes=5)
_SESSIONS_EVERY = timedelta(hours=12)
_SESSIONS_AT_ONCE = 40


def fill(analytics: AnalyticsStore, users: list[User], snapshots: int) -> None:
    """So many samples, of sessions of all `users` in turns, the newest first."""
    analytics.prepare()
    sessions = islice(_sessions(users), snapshots // SAMPLES_A_SESSION)
    for some in batched(sessions, _SESSIONS_AT_ONCE):
        taken = [sample for session in some for sample in session]
        several = [observed((), sample) for sample in taken]
        analytics.project(
            Observed(
                tuple(fact for one in several for fact in one.facts),
                tuple(sample for one in several for sample in one.samples),
            )
        )


def _sessions(users: list[User]) -> Iterator[list[StreamSnapshot]]:
    now = datetime.now(UTC)
    for turn in count(1):
        for user in users:
            yield _session(user, f"6{turn:05}{user.user_id}", now - turn * _SESSIONS_EVERY)


def _session(user: User, stream_id: str, started_at: datetime) -> list[StreamSnapshot]:
    return [
        StreamSnapshot(
            stream_id=stream_id,
            broadcaster_id=user.user_id,
            broadcaster_login=user.login,
            broadcaster_name=user.display_name,
            captured_at=started_at + number * _SAMPLED_EVERY,
            started_at=started_at,
            viewer_count=1_000 + 37 * number % 500,
            category_id="509658",
            category_name="Just Chatting",
            title="A title of ordinary length: what we play tonight, and with whom",
            language="en",
            tags=("English", "Cosy", "Chill", "FirstPlaythrough"),
        )
        for number in range(SAMPLES_A_SESSION)
    ]
