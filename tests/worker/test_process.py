"""The worker in a thread of the web process."""

import os
import subprocess
import sys

_START = """
import time
from streamwatch.bootstrap import build
from streamwatch.settings import from_env
from streamwatch.worker.process import start_in_thread
start_in_thread(build(from_env()))
print(time.tzname)
"""


def test_jobs_are_planned_in_utc_where_clocks_are_set_back_in_autumn() -> None:
    """`schedule` plans by the local time: no job would run for an hour."""
    done = subprocess.run(
        [sys.executable, "-c", _START],
        env={"PATH": os.environ["PATH"], "TZ": "Europe/Berlin", "STORAGE_TYPE": "memory"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "('UTC', 'UTC')\n"
