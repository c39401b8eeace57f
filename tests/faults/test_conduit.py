"""Events over a conduit's WebSocket survive its faults."""

from pathlib import Path

import pytest

from tests.faults.conduit import (
    FAULTS,
    ConduitFault,
    check_promises,
    cut,
    delivered,
    history,
    inject_under_load,
    leader_killed,
    reconnect,
    run_conduit_fault,
)
from tests.faults.conftest import KeepRow
from tests.faults.stack import Stack, stack
from tests.waiting import wait_for


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", FAULTS)
def test_events_over_the_websocket_survive(name: str, tmp_path: Path, keep_row: KeepRow) -> None:
    with stack(tmp_path, rate=40, streamers=150, transport="conduit") as stacked:
        keep_row(run_conduit_fault(stacked, name, FAULTS[name], 2000))


def test_a_cut_and_reconnected_websocket_loses_nothing_and_another_worker_takes_it_over(
    tmp_path: Path, keep_row: KeepRow
) -> None:
    def cut_and_reconnect(stacked: Stack) -> None:
        cut(stacked, times=3)
        reconnect(stacked)

    with stack(tmp_path, rate=15, streamers=40, transport="conduit") as stacked:
        inject_under_load(stacked, ConduitFault(cut_and_reconnect), 150, before=50)
        must_have = delivered(stacked)
        wait_for(lambda: must_have <= history(stacked).keys())
        # A leader that dies takes along what it has not read, but nothing from before.
        recovery = inject_under_load(stacked, ConduitFault(leader_killed), 100, before=50)
        keep_row(check_promises(stacked, "cut, reconnect, kill -9 the leader", must_have, recovery))
