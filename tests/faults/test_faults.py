"""Faults under load: every acknowledged event is stored once, and the service recovers by
itself."""

from pathlib import Path

import pytest

from tests.faults import fault_injection
from tests.faults.conftest import KeepRow
from tests.faults.run import Fault, run_fault
from tests.faults.secrecy import REDIS_PASSWORD, check_secrecy, logs, readable
from tests.faults.stack import Stack, stack
from tests.waiting import wait_for

FROZEN_SECONDS = 30.0

FAULTS: dict[str, Fault] = {
    "kill -9 a web worker": fault_injection.web_worker_killed,
    "kill -9 the web master": fault_injection.web_killed,
    "kill -9 the leading worker": fault_injection.leader_killed,
    "kill -9 Redis": fault_injection.redis_killed,
    "kill -9 MongoDB": fault_injection.mongo_killed,
    "kill -9 all of these at once": fault_injection.everything_killed,
    **{
        f"freeze {name} for 30 s": fault_injection.freezing(name, FROZEN_SECONDS)
        for name in fault_injection.FREEZABLE
    },
    "restart Redis, its scripts forgotten 20 times": fault_injection.redis_restarted,
    "fill Redis, then give it room": fault_injection.redis_filled,
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
        keep_row(run_fault(stacked, name, fault_injection.feed_filled, 2000, before=1700))


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_slow_disk_loses_nothing(tmp_path: Path, keep_row: KeepRow) -> None:
    with stack(tmp_path, rate=60, streamers=400, redis_options=SLOW_DISK) as stacked:
        fault_injection.slow_down_disk(stacked, milliseconds=20)
        name = "kill -9 Redis on a disk that takes 20 ms a write"
        keep_row(run_fault(stacked, name, fault_injection.redis_killed, 2500))


def test_killing_everything_at_once_loses_nothing_and_reveals_no_secret(
    tmp_path: Path, keep_row: KeepRow
) -> None:
    def kill_redis_and_then_everything(stacked: Stack) -> None:
        fault_injection.redis_killed(stacked)
        wait_for(stacked.is_healthy, 60)
        fault_injection.everything_killed(stacked)

    with stack(tmp_path, rate=20, streamers=40, redis_password=REDIS_PASSWORD) as stacked:
        for process in (stacked.web, *stacked.workers):
            assert process.is_running
        texts = {f"before: {name}": text for name, text in readable(stacked)}
        row = run_fault(stacked, "everything", kill_redis_and_then_everything, 200, before=50)
        keep_row(row)
        texts |= dict(readable(stacked)) | logs(tmp_path)
        check_secrecy(texts, stacked)
