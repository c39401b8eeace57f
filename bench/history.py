"""Past sessions in the analytics, written with the projector's own call in large batches."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.batches import batched
from streamwatch.domain.models import StreamSnapshot, User
from streamwatch.domain.session_events import ProjectionInput, projection_input

SAMPLES_PER_SESSION = 100
_SAMPLE_INTERVAL = timedelta(minutes=5)
_SESSION_INTERVAL = timedelta(hours=12)
_BATCH_SIZE = 40


def write(analytics: AnalyticsStore, users: list[User], snapshots: int) -> None:
    """Write about `snapshots` samples, in as many sessions of each user, in the order of time."""
    analytics.prepare()
    turns = snapshots // (SAMPLES_PER_SESSION * len(users))
    for batch in batched(_sessions(users, turns), _BATCH_SIZE):
        samples = [sample for session in batch for sample in session]
        observations = [projection_input((), sample) for sample in samples]
        analytics.project(ProjectionInput.merge(observations))


def _sessions(users: list[User], turns: int) -> Iterator[list[StreamSnapshot]]:
    now = datetime.now(UTC)
    for turn in range(turns, 0, -1):
        for user in users:
            yield _session(user, f"6{turn:05}{user.user_id}", now - turn * _SESSION_INTERVAL)


def _session(user: User, stream_id: str, started_at: datetime) -> list[StreamSnapshot]:
    return [
        StreamSnapshot(
            stream_id=stream_id,
            broadcaster_id=user.user_id,
            broadcaster_login=user.login,
            broadcaster_name=user.display_name,
            captured_at=started_at + number * _SAMPLE_INTERVAL,
            started_at=started_at,
            viewer_count=1_000 + 37 * number % 500,
            category_id="509658",
            category_name="Just Chatting",
            title="A title of ordinary length: what we play tonight, and with whom",
            language="en",
            tags=("English", "Cosy", "Chill", "FirstPlaythrough"),
        )
        for number in range(SAMPLES_PER_SESSION)
    ]
