"""CPU time and memory of processes, from Linux's /proc."""

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def cpu_seconds(pids: list[int]) -> float:
    """Their CPU time so far, in user and kernel mode."""
    return sum(_ticks(pid) for pid in pids) / _TICK


def resident_megabytes(pid: int) -> float:
    """Its resident memory now."""
    status = (_PROC / str(pid) / "status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]
    return int(kilobytes) / 1024


def _ticks(pid: int) -> int:
    stat = _PROC / str(pid) / "stat"
    if not stat.exists():
        return 0
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
