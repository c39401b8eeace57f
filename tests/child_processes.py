"""The child processes of a process, from Linux's /proc."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """The ids of the processes that `pid` started; none once it has ended."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []
