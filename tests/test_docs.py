"""The documentation builds as a site, without a network and without broken links."""

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT


def test_the_site_builds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "deploy/index.html").read_text()
    assert "fonts.googleapis.com" not in page
    assert "blob/main/config/redis.conf" in page
