"""How long a webhook takes at half the rate that saturates: an even stream of messages, whether the
last one is answered or not."""

from dataclasses import dataclass

from bench.load import hold, saturate
from bench.worlds import World

RUNS = 5
SECONDS = 4


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds; `rate` is messages a second."""

    rate: float
    median: float
    p99: float


def of_webhook(world: World) -> Latency:
    """The run in the middle, by how far the slow ones are from the median."""
    runs = sorted((_once(world) for _ in range(RUNS)), key=lambda run: run.p99 / run.median)
    return runs[RUNS // 2]


def _once(world: World) -> Latency:
    saturating = saturate(world.target.port, world.webhooks.next(20_000), 2, once=True).rate
    rate = saturating / 2
    requests = world.webhooks.next(int(rate * SECONDS))
    result = hold(world.target.port, requests, rate, SECONDS)
    return Latency(rate, result.percentile(50), result.percentile(99))
