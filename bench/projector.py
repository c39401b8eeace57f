"""The projector on a feed that the webhook has filled: entries a second, and CPU of an entry."""

import time
from dataclasses import dataclass
from statistics import median

from bench.deployments import Deployed
from bench.load import send_all
from bench.processes import cpu_seconds
from tests.servers import Server

RUNS = 3


@dataclass(frozen=True)
class Projected:
    """What a run measured. `own_us` and `server_us` are the CPU time for an entry, in µs, of the
    projecting process and of MongoDB."""

    entries_per_second: float
    own_us: float
    server_us: float


def measure(deployed: Deployed, mongo: Server, messages: int) -> Projected:
    """The medians of RUNS feeds of `messages` entries each."""
    runs = [_run(deployed, mongo, messages) for _ in range(RUNS)]
    return Projected(
        median(run.entries_per_second for run in runs),
        median(run.own_us for run in runs),
        median(run.server_us for run in runs),
    )


def _run(deployed: Deployed, mongo: Server, messages: int) -> Projected:
    projector = deployed.services.projector
    while projector.run_once():
        pass
    deployed.services.storage.feed.trim()
    send_all(deployed.target.port, deployed.webhooks.next(messages), 600)
    start, own, server = time.perf_counter(), time.process_time(), cpu_seconds([mongo.pid])
    entries = 0
    while projected := projector.run_once():
        entries += projected
    return Projected(
        entries / (time.perf_counter() - start),
        (time.process_time() - own) / entries * 1e6,
        (cpu_seconds([mongo.pid]) - server) / entries * 1e6,
    )
