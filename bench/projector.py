"""Throughput of the projector on a feed that the webhook has filled."""

import time
from statistics import median

from bench.deployments import Deployed
from bench.load import send_all

RUNS = 3


def entries_per_second(deployed: Deployed, messages: int) -> float:
    """The median rate of RUNS feeds of `messages` entries each."""
    return median(_run(deployed, messages) for _ in range(RUNS))


def _run(deployed: Deployed, messages: int) -> float:
    projector = deployed.services.projector
    while projector.run_once():
        pass
    deployed.services.storage.feed.trim()
    send_all(deployed.target.port, deployed.webhooks.next(messages), 600)
    start = time.perf_counter()
    entries = 0
    while projected := projector.run_once():
        entries += projected
    return entries / (time.perf_counter() - start)
