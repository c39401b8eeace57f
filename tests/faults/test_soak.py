"""The messages of an hour at ten times the expected peak, sent within a few minutes.

One Twitch application can subscribe to 5,000 streamers (cost 10,000, two subscriptions each). If
each goes online and offline twice a day, and a quarter of that falls into one hour, 1.4 messages
arrive a second; ten times that for an hour is 50,000."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest

from tests.faults.conftest import KeepText
from tests.faults.stack import Stack, stack
from tests.waiting import wait_for

MESSAGES = 50_000
RATE = 120.0
STREAMERS = 500
GROWTH_MEGABYTES = 15
REDIS_MEGABYTES = 100
_SAMPLE_SECONDS = 2.0


@dataclass
class Samples:
    """Memory of each process in megabytes, and the feed's lag, in the order of time."""

    memory: dict[str, list[float]] = field(default_factory=dict)
    redis: list[float] = field(default_factory=list)
    lag: list[int] = field(default_factory=list)

    def take(self, stacked: Stack) -> None:
        processes = {f"web {n}": pid for n, pid in enumerate(stacked.web_workers, 1)}
        processes["web master"] = stacked.web.pid
        processes |= {f"worker {n}": worker.pid for n, worker in enumerate(stacked.workers, 1)}
        for name, pid in processes.items():
            self.memory.setdefault(name, []).append(resident(pid))
        self.redis.append(stacked.redis_client().info("memory")["used_memory"] / 2**20)
        self.lag.append(stacked.unprocessed())


def resident(pid: int) -> float:
    """Megabytes of memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@contextmanager
def sampling(stacked: Stack) -> Iterator[Samples]:
    samples, stopped = Samples(), threading.Event()

    def sample() -> None:
        while not stopped.wait(_SAMPLE_SECONDS):
            samples.take(stacked)

    thread = threading.Thread(target=sample, name="sampling")
    thread.start()
    try:
        yield samples
    finally:
        stopped.set()
        thread.join()


def thirds(values: list[float]) -> tuple[float, float]:
    """The medians of the second and of the last third."""
    third = len(values) // 3
    return median(values[third : 2 * third]), median(values[2 * third :])


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_hour_at_ten_times_the_peak_leaves_no_lag_and_no_growing_memory(
    tmp_path: Path, keep_text: KeepText
) -> None:
    with stack(tmp_path, rate=RATE, streamers=STREAMERS, events_kept=1000) as stacked:
        with sampling(stacked) as samples, stacked.load.running():
            wait_for(lambda: len(stacked.load.happened) >= MESSAGES, 1200)
        stacked.twitch.wait_until_delivered(120)
        wait_for(lambda: stacked.unprocessed() == 0, 30)
        refused = [
            delivery for delivery in stacked.twitch.deliveries if not delivery.is_acknowledged
        ]
    rows = [(name, *thirds(values)) for name, values in samples.memory.items()]
    keep_text("soak", report(rows, samples, len(stacked.twitch.deliveries), len(refused)))
    assert not refused
    assert all(last - before < GROWTH_MEGABYTES for _, before, last in rows), rows
    assert max(samples.redis) < REDIS_MEGABYTES
    assert max(samples.lag[len(samples.lag) // 2 :]) < 60 * RATE, samples.lag


def report(rows: list[tuple[str, float, float]], samples: Samples, sent: int, refused: int) -> str:
    summary = (
        f"{sent:,} messages sent, {refused} refused; Redis at most {max(samples.redis):.0f} MB; at"
        f" most {max(samples.lag):,} entries of the feed not processed, {samples.lag[-1]:,} at the"
        " end."
    )
    lines = [
        summary,
        "",
        "| process | MB in the second third | MB in the last third |",
        "|---|---:|---:|",
    ]
    lines += [f"| {name} | {before:.0f} | {last:.0f} |" for name, before, last in rows]
    return "\n".join(lines)
