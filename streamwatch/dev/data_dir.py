"""The lock on DATA_DIR: one StreamWatch at a time uses a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamwatch.dev.errors import StartError
from streamwatch.secret_file import private_directory


@contextmanager
def locked_data_dir(path: Path) -> Iterator[None]:
    """Create the folder with mode 0700, and lock it for the length of the context.

    The kernel releases the lock when the process ends, however it ends. Raises StartError.
    """
    try:
        private_directory(path)
        lock = (path / "lock").open("a+")
    except OSError as error:
        raise StartError(f"DATA_DIR: {str(path)!r} cannot be used ({error.strerror})") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read(20).strip() or "unknown"
            raise StartError(
                f"DATA_DIR: {path} is in use by another StreamWatch (process {holder})"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
