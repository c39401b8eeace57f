"""The commands in README and docs/: curl lines run against the demo, others exist."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from streamwatch.cli import main
from streamwatch.settings import VARIABLES
from streamwatch.simulator.cast import CAST
from tests.processes import ROOT
from tests.servers import free_port
from tests.waiting import wait_for

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def lines(*pages: Path) -> list[str]:
    """The lines of the shell commands on the pages."""
    blocks = [block for page in pages for block in FENCE.findall(page.read_text())]
    return [line for block in blocks for line in block.splitlines()]


CURLS = [
    line for line in lines(ROOT / "README.md", ROOT / "docs/api.md") if line.startswith("curl ")
]


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
            wait_for(lambda: _monitors_all(address), 60)
            wait_for(lambda: _has(address, "/analytics/streamer/quillandcopper/stats"), 40)
            yield address
        finally:
            process.terminate()
            process.wait(15)


def _monitors_all(address: str) -> bool:
    if not _has(address, "/streamers"):
        return False
    count: int = requests.get(f"http://{address}/streamers", timeout=15).json()["count"]
    return count == len(CAST)


def _has(address: str, path: str) -> bool:
    try:
        return requests.get(f"http://{address}{path}", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):  # not yet, or too busy to answer
        return False


@pytest.mark.skipif(
    not shutil.which("curl") and "CI" not in os.environ, reason="NOT TESTED: there is no curl"
)
def test_every_curl_line_succeeds(demo: str) -> None:
    assert len(CURLS) > 30
    for line in CURLS:
        command = shlex.split(line.replace("localhost:8000", demo))
        command[1:1] = ["--silent", "--show-error", "--fail-with-body", "--max-time", "20"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, (line, done.stdout, done.stderr)


def test_every_streamwatch_command_exists() -> None:
    found = [line for line in lines(*PAGES) if line.startswith("streamwatch ")]
    assert found
    for line in found:
        arguments = shlex.split(line, comments=True)[1:]
        done = CliRunner().invoke(main, [*arguments, "--help"])
        assert done.exit_code == 0, (line, done.output)


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in lines(*PAGES):
        if match := re.fullmatch(r"make ([a-z]+)", line):
            assert re.search(rf"^{match[1]}:", makefile, re.MULTILINE), line


def test_every_compose_file_exists() -> None:
    found = {name for page in PAGES for name in re.findall(r"-f (\S+\.yml)", page.read_text())}
    assert found == {"docker-compose.embedded.yml", "docker-compose.redis.yml"}
    assert all((ROOT / name).is_file() for name in found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_fits_on_three_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


def test_the_settings_table_has_every_variable() -> None:
    table = (ROOT / "docs/configure.md").read_text()
    assert VARIABLES.keys() <= set(re.findall(r"`([A-Z_]+)`", table))
