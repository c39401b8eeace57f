"""Statistics of a streamer for pages."""

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.testing.build import CAP, as_input, at, online
from streamwatch.services.analytics.profiles import Neighbours, StreamerProfiles
from streamwatch.services.analytics.queries import AnalyticsQueries
from streamwatch.storage.memory import MemoryStorage


def test_streams_with_the_same_start_lead_to_each_other_in_the_order_of_the_list() -> None:
    analytics = MemoryAnalytics(CAP)
    analytics.project(as_input(*(online(stream_id, 0) for stream_id in ("s1", "s2", "s3"))))
    queries = AnalyticsQueries(analytics, MemoryStorage().coordination, lambda: at(60), CAP)
    profiles = StreamerProfiles(queries, analytics, lambda: at(60))
    newest, middle, oldest = analytics.sessions("1337", 3)
    assert profiles.neighbours(newest) == Neighbours(previous=middle, following=None)
    assert profiles.neighbours(middle) == Neighbours(previous=oldest, following=newest)
    assert profiles.neighbours(oldest) == Neighbours(previous=None, following=middle)
