"""Every curl line of the README, as it stands, against the demo."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from streamwatch.simulator.cast import CAST
from tests.processes import ROOT, free_port
from tests.waiting import wait_for

BLOCKS = re.findall(
    r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
)
CURLS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("curl ")]


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The demo's address, once it has something of everything to show."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "streamwatch.simulator.demo", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    ) as process:
        address = f"localhost:{port}"
        try:
            wait_for(lambda: _has(address, "/streamers") and _monitors_all(address), 60)
            wait_for(lambda: _has(address, "/analytics/streamer/quillandcopper/stats"), 60)
            yield address
        finally:
            process.terminate()
            process.wait(15)


def _monitors_all(address: str) -> bool:
    count: int = requests.get(f"http://{address}/streamers", timeout=5).json()["count"]
    return count == len(CAST)


def _has(address: str, path: str) -> bool:
    try:
        return requests.get(f"http://{address}{path}", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.mark.skipif(
    not shutil.which("curl") and "CI" not in os.environ, reason="NOT TESTED: there is no curl"
)
def test_every_curl_line_of_the_readme_is_answered(demo: str) -> None:
    assert len(CURLS) > 30
    for line in CURLS:
        command = shlex.split(line.replace("localhost:8000", demo))
        command[1:1] = ["--silent", "--show-error", "--fail-with-body", "--max-time", "20"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
