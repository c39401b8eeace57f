"""Events over a conduit's WebSocket survive its faults."""

from pathlib import Path

import pytest

from tests.faults.conduit import (
    FAULTS,
    ConduitFault,
    cut,
    leader_killed,
    reconnect,
    run_conduit_fault,
)
from tests.faults.conftest import KeepRow
from tests.faults.stack import Stack, stack


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", FAULTS)
def test_events_over_the_websocket_survive(name: str, tmp_path: Path, keep_row: KeepRow) -> None:
    with stack(tmp_path, rate=40, streamers=150, transport="conduit") as stacked:
        keep_row(run_conduit_fault(stacked, name, FAULTS[name], 2000))


def test_a_websocket_that_is_cut_and_reconnected_loses_nothing(
    tmp_path: Path, keep_row: KeepRow
) -> None:
    def cut_and_reconnect(stacked: Stack) -> None:
        cut(stacked)
        reconnect(stacked)

    with stack(tmp_path, rate=15, streamers=40, transport="conduit") as stacked:
        fault = ConduitFault(cut_and_reconnect)
        keep_row(run_conduit_fault(stacked, "cut and reconnect", fault, 300, before=50))


def test_another_worker_takes_the_websocket_of_a_killed_leader(
    tmp_path: Path, keep_row: KeepRow
) -> None:
    with stack(tmp_path, rate=15, streamers=40, transport="conduit") as stacked:
        fault = ConduitFault(leader_killed, keeps_messages=False)
        keep_row(run_conduit_fault(stacked, "kill -9 the leader", fault, 200, before=50))
