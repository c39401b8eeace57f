"""The image without an engine: the Dockerfile's steps in a clean folder, and its command in it as
an unprivileged user who may write to the volume and TMPDIR only."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.processes import ROOT, answers
from tests.servers import free_port
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("image"), pytest.mark.timeout(300)]  # one build for all

AS_NOBODY = [
    *("setpriv", "--reuid=10001", "--regid=10001", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
]
"""Runs a command as the image's user, which only root can do. The user may read what root may,
because Python itself may be in root's home, but write only to its own files."""


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def context() -> set[str]:
    """The files that .dockerignore lets into a build."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    return {line[1:] for line in lines if line.startswith("!")}


@dataclass
class Image:
    """A build in the folder `root` instead of `/`; with uv in place of pip, or as it is written."""

    root: Path
    with_uv: bool
    workdir: Path = Path("/")
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    user: str = ""

    def at(self, path: str) -> Path:
        """The place of a path of the image."""
        return self.root / str(self.workdir / path).lstrip("/")

    @property
    def data(self) -> Path:
        return self.root / "data"

    def do(self, name: str, rest: str) -> None:
        match name:
            case "WORKDIR":
                self.workdir = Path(rest)
                self.at("").mkdir(parents=True, exist_ok=True)
            case "COPY":
                self.copy(rest)
            case "RUN":
                self.run(rest)
            case "ENV":
                self.environment |= dict(item.split("=", 1) for item in shlex.split(rest))
            case "USER":
                self.user = rest
            case "CMD":
                self.command = json.loads(rest)
            case _:
                assert name in ("FROM", "EXPOSE", "STOPSIGNAL", "VOLUME")

    def copy(self, rest: str) -> None:
        if rest.startswith("--from=build "):
            _, source, target = rest.split()
            assert source == target  # both stages are built in one root
            return
        *sources, target = rest.split()
        for source in sources:
            assert source in context()
            to = self.at(target) / source if len(sources) > 1 or target.startswith(".") else None
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, to or self.at(target), ignore=ignored)
            else:
                shutil.copy(ROOT / source, to or self.at(target))

    def run(self, rest: str) -> None:
        if rest.startswith("useradd"):  # and the folder of the volume
            assert "install -d -m 700 -o 10001 -g 10001 /data" in rest
            self.data.mkdir(mode=0o700, exist_ok=True)
            if os.geteuid() == 0:
                os.chown(self.data, 10001, 10001)
            return
        path = f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"
        command = re.sub(r"(?<![\w.])/opt/", f"{self.root}/opt/", rest)
        if self.with_uv:
            command = _with_uv(command)
        subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=self.at(""),
            env=os.environ | {"PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            check=True,
            timeout=280,
        )


def _with_uv(command: str) -> str:
    """A command of venv and pip as one of uv, which takes packages from its cache."""
    uv = f"{sys.executable} -m uv"
    command = command.replace("python -m venv ", f"{uv} venv --quiet --python {sys.executable} ")
    return re.sub(
        r"(\S+)/bin/pip install --no-cache-dir ",
        rf"{uv} pip install --quiet --compile-bytecode --python \1/bin/python ",
        command,
    )


def test_pip_accepts_the_options_and_the_file_of_the_dockerfile() -> None:
    """`make soak` runs these commands as they are written; here everything is installed already."""
    [command] = re.findall(r"/bin/(pip install .* -r \S+)", (ROOT / "Dockerfile").read_text())
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "--dry-run", "--no-index"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=["uv", pytest.param("pip", marks=pytest.mark.soak)])
def image(request: pytest.FixtureRequest) -> Iterator[Image]:
    with TemporaryDirectory(prefix="streamwatch-image-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        built = Image(root, with_uv=request.param == "uv")
        for name, rest in instructions():
            built.do(name, rest)
        yield built


def test_the_image_serves_everything_as_an_unprivileged_user_on_a_read_only_disk(
    image: Image, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert image.user == str(10001)
    before = files(image)
    tmp = image.root / "tmp"
    tmp.mkdir(mode=0o777)
    tmp.chmod(0o777)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    path = image.environment.pop("PATH").replace("/opt/", f"{image.root}/opt/")
    environment = image.environment | {
        "PATH": path.replace("$PATH", "/usr/bin:/bin"),
        "DATA_DIR": str(image.data),
        "PORT": str(port),
        "TMPDIR": str(tmp),
    }
    log = tmp_path_factory.mktemp("image") / "log"
    executable = shutil.which(image.command[0], path=environment["PATH"])
    assert executable is not None
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*(AS_NOBODY if os.geteuid() == 0 else []), executable, *image.command[1:]],
            cwd=image.at(""),
            env=environment,
            stdout=file,
            stderr=file,
        )
    try:
        wait_for(lambda: answers(f"{url}/health/live") or process.poll() is not None, 60)
        assert process.poll() is None, log.read_text()
        for page in ("/health", "/docs", "/openapi.json", "/metrics", "/dashboard/setup"):
            assert answers(url + page), log.read_text()
        wait_for(lambda: "Ctrl-C stops it" in log.read_text())
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert "Traceback" not in log.read_text()
    assert files(image) - before == {tmp}
    assert (image.data / "api-key").read_text() in log.read_text()
    assert (image.data / "appendonlydir").is_dir()


def files(image: Image) -> set[Path]:
    """The files of the image outside of its volume."""
    return {
        path
        for path in image.root.rglob("*")
        if not path.is_symlink() and image.data not in path.parents
    }


def test_the_image_contains_only_what_runs(image: Image) -> None:
    assert {path.name for path in image.root.iterdir()} <= {"build", "data", "opt", "tmp"}
    assert not list(image.root.rglob(".env"))
    assert not list(image.root.rglob("site-packages/tests"))


def test_the_health_check_fails_when_the_service_does_not_answer(image: Image) -> None:
    """The command of docker-compose.yml, on a port that nothing listens on."""
    text = (ROOT / "docker-compose.yml").read_text()
    [code] = re.findall(r'test: \[CMD, python, -c, "(.*)"\]', text)
    python = image.root / "opt/streamwatch/bin/python"
    code = code.replace(":8000", f":{free_port()}")
    done = subprocess.run([python, "-c", code], capture_output=True, timeout=30, check=False)
    assert done.returncode != 0
