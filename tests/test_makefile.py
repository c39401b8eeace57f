"""The Makefile on machines with other versions of Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.tools import tool

TARGET = ".venv/bin/python"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    return tmp_path


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Where `make test` runs these tests, its own variables would make this a make within a make,
    # which words its messages otherwise.
    inherited = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    return subprocess.run(
        [tool("make", debian="make"), "--no-print-directory", *arguments],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def old_python(folder: Path) -> Path:
    """A Python that is too old, as far as the Makefile can tell."""
    file = folder / "python3.10"
    file.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.10.12" && exit 0\nexit 1\n')
    file.chmod(0o755)
    return file


def quick_python(folder: Path) -> Path:
    """This Python, which makes virtual environments without pip: that takes seconds less."""
    file = folder / "python"
    file.write_text(
        "#!/bin/sh\n"
        'if [ "$1 $2" = "-m venv" ]; then\n'
        f'  shift 2; exec {sys.executable} -m venv --without-pip "$@"\n'
        "fi\n"
        f'exec {sys.executable} "$@"\n'
    )
    file.chmod(0o755)
    return file


def test_an_old_python_is_refused_with_one_line(clone: Path) -> None:
    done = make(clone, f"PYTHON={old_python(clone)}", TARGET)
    assert done.returncode != 0
    line, *rest = done.stderr.splitlines()
    assert line.startswith("StreamWatch needs Python 3.11 or newer")
    assert "Python 3.10.12" in line
    assert all(text.startswith("make: ***") for text in rest)
    assert not (clone / ".venv").exists()


def test_a_virtual_environment_of_an_old_python_is_replaced(clone: Path) -> None:
    binaries = clone / ".venv/bin"
    binaries.mkdir(parents=True)
    old_python(binaries).rename(binaries / "python")
    (clone / ".venv/.run").touch()
    python = f"PYTHON={quick_python(clone)}"
    done = make(clone, python, TARGET)
    assert done.returncode == 0, done.stderr
    assert not (clone / ".venv/.run").exists()
    assert make(clone, python, TARGET).stdout == f"make: '{TARGET}' is up to date.\n"


def test_help_lists_every_public_target(clone: Path) -> None:
    listed = [line.split()[0] for line in make(clone, "help").stdout.splitlines()]
    [phony] = re.findall(r"^\.PHONY: (.+)$", (clone / "Makefile").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(phony.split())
