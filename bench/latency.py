"""Latency of the webhook at half its saturating rate: messages are due at fixed intervals, whether
or not earlier ones have been answered."""

from dataclasses import dataclass

from bench.deployments import Deployed
from bench.load import hold, saturate

RUNS = 5
SECONDS = 4


@dataclass(frozen=True, slots=True)
class Latency:
    """`rate` in messages a second; `median` and `p99` in seconds."""

    rate: float
    median: float
    p99: float


def webhook_latency(deployed: Deployed) -> Latency:
    """The median run of RUNS, by the ratio of its 99th percentile to its median."""
    runs = sorted((_run(deployed) for _ in range(RUNS)), key=lambda run: run.p99 / run.median)
    return runs[RUNS // 2]


def _run(deployed: Deployed) -> Latency:
    port, webhooks = deployed.target.port, deployed.webhooks
    rate = saturate(port, webhooks.next(20_000), 2, once=True).rate / 2
    result = hold(port, webhooks.next(int(rate * SECONDS)), rate, SECONDS)
    return Latency(rate, result.percentile(50), result.percentile(99))
