"""A secret that is made once and kept in a file."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def load_or_create_secret(file: Path) -> str:
    """The secret in `file`, which only its owner can read; it is made if it is not there.

    Processes that ask for the first time at once get the same one. Raises OSError.
    """
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=file.parent) as draft:  # made with mode 600
            draft.write(secrets.token_hex(32))
            draft.flush()
            with suppress(FileExistsError):  # another process was faster
                os.link(draft.name, file)
    return file.read_text()
