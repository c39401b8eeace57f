"""The directory in which the processes of one gunicorn share their counters.

Does not import prometheus_client, which reads the environment variable when it is imported.
"""

import fcntl
import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import gettempdir, mkdtemp

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own: https://prometheus.github.io/client_python/multiprocess/"""

MEMORY = Path("/dev/shm")  # noqa: S108  its files are made safely
"""Where Linux keeps files in memory."""

_PREFIX = "streamwatch-metrics-"


def is_memory_writable() -> bool:
    """Whether files can be written to MEMORY."""
    return os.access(MEMORY, os.W_OK)


@cache
def prepare() -> Path:
    """Create an empty directory, and name it to prometheus_client in this process and its children.

    It is in memory, unless TMPDIR names another place: prometheus_client maps its files into
    memory, and the kernel ends a process (SIGBUS) that writes to such a file on a full disk.

    The directory is locked for as long as one of these processes runs. Directories without a lock,
    which a killed gunicorn left behind, are removed. A later call returns the same directory.
    """
    parent = MEMORY if is_memory_writable() and "TMPDIR" not in os.environ else Path(gettempdir())
    _remove_stale(parent)
    while True:
        directory = Path(mkdtemp(prefix=_PREFIX, dir=parent))
        # The descriptor stays open until the process ends, and so does the lock.
        if _lock(directory) is not None and directory.is_dir():
            break  # else another start has just removed it, because it had no lock yet
    os.environ[VARIABLE] = str(directory)
    return directory


def remove() -> None:
    """Remove the directory."""
    shutil.rmtree(prepare(), ignore_errors=True)


def _remove_stale(parent: Path) -> None:
    for directory in parent.glob(f"{_PREFIX}*"):
        descriptor = _lock(directory)
        if descriptor is not None:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(descriptor)


def _lock(directory: Path) -> int | None:
    """Lock a directory; the descriptor that holds the lock, or None where it cannot be locked."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # removed meanwhile, or somebody else's
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
