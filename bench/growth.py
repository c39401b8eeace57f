"""What must not cost more when there is more: the same work in a small and in a large world."""

from dataclasses import dataclass
from statistics import median

from bench.works import Side, getting, posting
from bench.worlds import World

PATHS = {
    "live list": "/streams/live",
    "events of a streamer": "/events/streamer/streamer_7?limit=50",
    "stats": "/analytics/streamer/streamer_7/stats",
    "top list": "/analytics/top-streamers/hours",
    "summary": "/analytics/summary",
}


@dataclass
class Growth:
    """A work in two worlds; `limit` is how many times the small one's cost the large one's may
    be."""

    name: str
    small: Side
    large: Side
    limit: float = 1.1

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.small, self.large

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.small.rates, self.large.rates, strict=True)
        return [small / large for small, large in pairs]

    @property
    def ratio(self) -> float:
        return median(self.ratios)


def reads(small: World, large: World) -> list[Growth]:
    """`large` has more streamers, events and samples, and as many live as `small`."""
    return [
        Growth(name, getting(small.target, path), getting(large.target, path))
        for name, path in PATHS.items()
    ]


def webhook(small: World, large: World) -> Growth:
    return Growth("webhook", posting(small.target, small), posting(large.target, large))
