"""Secrets that are generated once and stored in a file that only its owner can read."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

_OWNER_ONLY = 0o600
_OTHERS = 0o077

API_KEY_FILE, WEBHOOK_SECRET_FILE, VALKEY_LOG_FILE = "api-key", "webhook-secret", "valkey.log"
"""Names of files in DATA_DIR."""

_OUR_FILES = {API_KEY_FILE, WEBHOOK_SECRET_FILE, VALKEY_LOG_FILE, "appendonlydir", "lost+found"}


def private_directory(path: Path) -> Path:
    """Create a directory that only its owner can enter.

    The mode of an existing directory becomes 0700 if the directory is empty or ours. Raises
    OSError, also for a directory that others can enter and that has foreign files, such as /tmp.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & _OTHERS:
        names = {entry.name for entry in path.iterdir()}
        if names and not names & _OUR_FILES:
            raise PermissionError(errno.EPERM, "other users can enter it; run chmod 700 on it")
        path.chmod(0o700)
    return path


def load_or_create_secret(file: Path) -> str:
    """The secret in `file`. A random one is generated and stored if the file does not exist.

    Processes that call this at the same time get the same secret. It is on the disk before it is
    returned. Raises OSError.
    """
    if not file.exists():
        write_secret(file, secrets.token_hex(32), replace=False)
    if file.stat().st_mode & _OTHERS:
        file.chmod(_OWNER_ONLY)
    return file.read_text().strip()


def write_secret(file: Path, text: str, *, replace: bool = True) -> None:
    """Store `text` in `file`, all or nothing. Raises OSError.

    Without `replace` a file that exists stays as it is.
    """
    directory = private_directory(file.parent)
    with NamedTemporaryFile("w", dir=directory) as draft:
        os.fchmod(draft.fileno(), _OWNER_ONLY)  # whatever the umask
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
        if replace:
            second = f"{draft.name}.new"
            os.link(draft.name, second)
            Path(second).replace(file)
        else:
            with suppress(FileExistsError):  # another process was faster
                os.link(draft.name, file)
    _sync_directory(directory)


def _sync_directory(directory: Path) -> None:
    """Flush the directory, so that the new name of the file is on the disk too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
