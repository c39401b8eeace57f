"""gunicorn for the yardstick: StreamWatch's, but for the hook that asks for its services."""

import runpy
from pathlib import Path

_theirs = runpy.run_path(str(Path(__file__).parents[1] / "config" / "gunicorn.conf.py"))
_theirs.pop("post_worker_init")
globals().update(_theirs)
