"""Faults under load: every acknowledged event is stored once, and the service recovers by
itself."""

from pathlib import Path

import pytest

from tests.faults import inflict
from tests.faults.conftest import KeepRow
from tests.faults.run import Fault, run_fault
from tests.faults.stack import stack

FROZEN_SECONDS = 30.0

FAULTS: dict[str, Fault] = {
    "kill -9 a web worker": inflict.web_worker_killed,
    "kill -9 the web master": inflict.web_killed,
    "kill -9 the leading worker": inflict.leader_killed,
    "kill -9 Redis": inflict.redis_killed,
    "kill -9 MongoDB": inflict.mongo_killed,
    "kill -9 all of these at once": inflict.everything_killed,
    **{
        f"freeze {name} for 30 s": inflict.freezing(name, FROZEN_SECONDS)
        for name in inflict.FREEZABLE
    },
    "restart Redis, its scripts forgotten 20 times": inflict.redis_restarted,
    "fill Redis, then give it room": inflict.redis_filled,
}

SLOW_DISK = ("--enable-debug-command", "local")


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", FAULTS)
def test_acknowledged_events_survive(name: str, tmp_path: Path, keep_row: KeepRow) -> None:
    with stack(tmp_path, rate=60, streamers=400) as stacked:
        keep_row(run_fault(stacked, name, FAULTS[name], 2500))


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_feed_that_filled_redis_is_processed_and_trimmed(tmp_path: Path, keep_row: KeepRow) -> None:
    with stack(tmp_path, rate=20, streamers=200, events_kept=1000) as stacked:
        name = "fill Redis with the feed while MongoDB is away"
        keep_row(run_fault(stacked, name, inflict.feed_filled, 2000, before=1700))


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_slow_disk_loses_nothing(tmp_path: Path, keep_row: KeepRow) -> None:
    with stack(tmp_path, rate=60, streamers=400, redis_options=SLOW_DISK) as stacked:
        inflict.slow_down_disk(stacked, milliseconds=20)
        name = "kill -9 Redis on a disk that takes 20 ms a write"
        keep_row(run_fault(stacked, name, inflict.redis_killed, 2500))


def test_killing_everything_at_once_loses_nothing(tmp_path: Path, keep_row: KeepRow) -> None:
    with stack(tmp_path, rate=20, streamers=40) as stacked:
        keep_row(run_fault(stacked, "everything", inflict.everything_killed, 200, before=50))
