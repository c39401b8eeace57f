"""gunicorn for the yardstick: StreamWatch's, but for the hook that asks for its services."""

import runpy
from pathlib import Path
from typing import Any

_theirs = runpy.run_path(str(Path(__file__).parents[1] / "config" / "gunicorn.conf.py"))
_settle = _theirs["settle"]
globals().update(_theirs)


def post_worker_init(_worker: Any) -> None:
    _settle()
