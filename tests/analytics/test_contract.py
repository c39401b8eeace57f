"""Every analytics of ours keeps the contract."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.testing import CAP, AnalyticsContract, OpenAnalytics
from streamwatch.analytics.testing.build import START
from streamwatch.domain.sessions import Observed

DAY = timedelta(days=1)


class TestMemoryAnalytics(AnalyticsContract):
    @pytest.fixture
    def now(self) -> list[datetime]:
        return [START]

    @pytest.fixture
    def memory(self, now: list[datetime]) -> MemoryAnalytics:
        return MemoryAnalytics(CAP, DAY, lambda: now[-1])

    @pytest.fixture
    def open_analytics(self, memory: MemoryAnalytics) -> OpenAnalytics:
        return lambda: memory

    @pytest.fixture
    def forget(self, memory: MemoryAnalytics, now: list[datetime]) -> Callable[[datetime], None]:
        def forget(before: datetime) -> None:
            now.append(before + DAY)
            memory.project(Observed())

        return forget
