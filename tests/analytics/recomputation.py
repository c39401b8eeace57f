"""What every repository must do about a damaged session."""

from collections.abc import Callable

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.testing.build import as_input, online, snapshot
from tests.analytics.calls import HOUR


def check_recomputation(
    analytics: AnalyticsStore, start: float, damage: Callable[[], None]
) -> None:
    """Store the stream "new" of the user "bad", which starts at `start`, and let `damage` damage
    its session. The user's next event must compute it again from its samples."""
    analytics.project(as_input(online("new", start, user_id="bad", login="bad")))
    analytics.project(
        as_input(snapshot("new", start + 60, started=start, user_id="bad", login="bad"))
    )
    damage()
    analytics.project(as_input(online("next", start + HOUR, user_id="bad", login="bad")))

    projected = analytics.find("bad"), analytics.sessions("bad", 10)
    session = analytics.session("new")
    assert session is not None
    assert session.ended_at is not None
    assert session.sample_totals.sums.samples == 1
    analytics.recalculate("bad")
    assert (analytics.find("bad"), analytics.sessions("bad", 10)) == projected
