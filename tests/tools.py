"""External command-line tools. Where one is not installed, the test is skipped with a reason, or
fails if CI is set."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

NPM_PACKAGES = Path(__file__).parent / "npm"


def tool(name: str, *, debian: str) -> str:
    """The path of a tool, from the virtualenv or PATH; `debian` is the package that has it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = shutil.which(name, path=path)
    if found is None:
        reason = f"NOT TESTED: {name} is not on PATH (Debian package: {debian})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def npm_tool(name: str) -> str:
    """The path of a tool of `tests/npm/package.json`, which `make test` installs."""
    path = Path(sys.prefix, "npm/node_modules/.bin", name)
    if not path.exists():
        reason = f"NOT TESTED: {name} is not installed; with npm on PATH, `make test` installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
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
