"""Scenarios whose cost must not grow with the data: the same requests on few and many records."""

from dataclasses import dataclass
from statistics import median

from bench.deployments import SECRET, Deployed
from bench.payloads import Webhooks
from bench.scenarios import Series, get_series, post_series

PATHS = {
    "live list": "/streams/live",
    "events of a streamer": "/events/streamer/streamer_7?limit=50",
    "stats": "/analytics/streamer/streamer_7/stats",
    "top list": "/analytics/top-streamers/hours",
    "summary": "/analytics/summary",
}


@dataclass
class Growth:
    """A scenario on little and on much data. `limit` bounds the cost on much data, as a multiple of
    the cost on little."""

    name: str
    small: Series
    large: Series
    limit: float = 1.1

    @property
    def pair(self) -> tuple[Series, Series]:
        return self.small, self.large

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.small.rates, self.large.rates, strict=True)
        return [small / large for small, large in pairs]

    @property
    def ratio(self) -> float:
        return median(self.ratios)


def reads(small: Deployed, large: Deployed) -> list[Growth]:
    """`large` has more streamers, events and samples, and as many live streams as `small`."""
    return [
        Growth(name, get_series(small.target, path), get_series(large.target, path))
        for name, path in PATHS.items()
    ]


def webhook(small: Deployed, large: Deployed) -> Growth:
    """Messages of the same streamers to both: their timelines are equally long."""
    few, many = (
        post_series(deployed.target, Webhooks(small.users, SECRET)) for deployed in (small, large)
    )
    return Growth("webhook", few, many)
