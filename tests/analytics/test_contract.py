"""Every analytics of ours keeps the contract."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pymongo
import pytest

from streamwatch.analytics.embedded import EmbeddedAnalytics
from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.mongo import MongoAnalytics
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


class TestEmbeddedAnalytics(AnalyticsContract):
    @pytest.fixture
    def now(self) -> list[datetime]:
        return [START]

    @pytest.fixture
    def open_analytics(self, tmp_path: Path, now: list[datetime]) -> OpenAnalytics:
        file = tmp_path / "analytics.jsonl"
        return lambda: EmbeddedAnalytics(file, CAP, DAY, lambda: now[-1])

    @pytest.fixture
    def forget(
        self, analytics: EmbeddedAnalytics, now: list[datetime]
    ) -> Callable[[datetime], None]:
        def forget(before: datetime) -> None:
            now.append(before + DAY)
            analytics.project(Observed())

        return forget


class TestMongoAnalytics(AnalyticsContract):
    @pytest.fixture
    def open_analytics(self, mongodb_url: str, mongodb_database: str) -> Iterator[OpenAnalytics]:
        opened: list[MongoAnalytics] = []

        def open_analytics() -> MongoAnalytics:
            opened.append(MongoAnalytics(mongodb_url, mongodb_database, CAP))
            opened[-1].prepare()
            return opened[-1]

        yield open_analytics
        for analytics in opened:
            analytics.close()

    @pytest.fixture
    def forget(self, mongodb_url: str, mongodb_database: str) -> Callable[[datetime], None]:
        """As MongoDB does once a minute, by the index that `prepare` makes."""

        def forget(before: datetime) -> None:
            with pymongo.MongoClient[dict[str, object]](mongodb_url) as client:
                snapshots = client[mongodb_database]["stream_snapshots"]
                snapshots.delete_many({"captured_at": {"$lt": before}})

        return forget
