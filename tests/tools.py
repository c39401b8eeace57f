"""External command-line tools. Where one is not installed, the test is skipped with a reason, or
fails if CI is set."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

NPM_PACKAGES = Path(__file__).parent / "npm"


def not_tested(reason: str) -> NoReturn:
    """End the test: skipped with this reason, or failed if CI is set."""
    if os.environ.get("CI"):
        pytest.fail(f"NOT TESTED: {reason}")
    pytest.skip(f"NOT TESTED: {reason}")


def tool(name: str, *, debian: str) -> str:
    """The path of a tool, from the virtualenv or PATH; `debian` is the package that has it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = shutil.which(name, path=path)
    if found is None:
        not_tested(f"{name} is not on PATH (Debian package: {debian})")
    return found


def npm_tool(name: str) -> str:
    """The path of a tool of `tests/npm/package.json`, which `make test` installs."""
    path = Path(sys.prefix, "npm/node_modules/.bin", name)
    if not path.exists():
        not_tested(f"{name} is not installed; with npm on PATH, `make test` installs it")
    return str(path)


def run(
    command: list[str],
    *,
    stdin: str | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command,
        input=stdin,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
