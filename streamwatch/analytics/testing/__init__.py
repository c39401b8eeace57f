"""The contract of the analytics, as tests (for pytest, with hypothesis) that a backend has to pass.

A plug-in proves itself by subclassing `AnalyticsContract` in its own tests:

    class TestMyAnalytics(AnalyticsContract):
        @pytest.fixture
        def open_analytics(self) -> OpenAnalytics:
            server.empty()
            return lambda: MyAnalytics(server.url, sample_cap=CAP)

        @pytest.fixture
        def forget(self) -> Callable[[datetime], None]:
            return server.drop_samples_before

Every call of what `open_analytics` gives opens the analytics as another process would: on the same
data, which is empty when the test begins. `forget` drops the samples from before a time, as the
backend's retention does.
"""

from streamwatch.analytics.testing.build import CAP, OpenAnalytics
from streamwatch.analytics.testing.paging import PagingContract
from streamwatch.analytics.testing.projecting import ProjectingContract
from streamwatch.analytics.testing.reading import ReadingContract
from streamwatch.analytics.testing.retaining import RetainingContract

__all__ = ["CAP", "AnalyticsContract", "OpenAnalytics"]


class AnalyticsContract(ProjectingContract, ReadingContract, PagingContract, RetainingContract):
    """Everything that `streamwatch.analytics.base` promises."""
