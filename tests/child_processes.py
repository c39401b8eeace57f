"""The child processes of a process, from Linux's /proc."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """The ids of the processes that `pid` started; none once it has ended."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def descendants(pid: int) -> set[int]:
    """The running processes that a process started, directly or not."""
    try:
        found = set(children(pid))
    except FileNotFoundError:
        return set()
    return found.union(*map(descendants, found))


def running(pids: set[int]) -> set[int]:
    """Those of the processes that run and are no zombies."""
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def _state(pid: int) -> str:
    """The letter of the state of a process; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
