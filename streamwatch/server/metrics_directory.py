"""Where the web processes of one gunicorn keep what they count. Does not import prometheus_client,
which looks for the place when it is imported."""

import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own: https://prometheus.github.io/client_python/multiprocess/"""


@cache
def prepare() -> Path:
    """Make a new, empty directory and tell prometheus_client of it, in this process and those that
    it starts. The same one again when gunicorn reads its configuration anew."""
    directory = Path(mkdtemp(prefix="streamwatch-metrics-"))
    os.environ[VARIABLE] = str(directory)
    return directory


def remove() -> None:
    """Leave nothing behind."""
    shutil.rmtree(prepare(), ignore_errors=True)
