"""External command-line tools. Where one is not installed, the test is skipped with a reason, or
fails if CI is set."""

import fcntl
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
    """The path of a tool of `tests/npm/package.json`. The packages are installed into the
    virtualenv when they are first needed, and when their versions change."""
    npm, folder = tool("npm", debian="npm"), Path(sys.prefix) / "npm"
    folder.mkdir(exist_ok=True)
    lock_file = (NPM_PACKAGES / "package-lock.json").read_text()
    installed = folder / "installed.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.is_file() or installed.read_text() != lock_file:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(NPM_PACKAGES / file, folder)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=folder, check=True, timeout=300)
            installed.write_text(lock_file)
    return str(folder / "node_modules" / ".bin" / name)


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
