"""Checks that every pinned package has a wheel for every supported platform and Python:
`python -m tests.platforms`.

Fails where a wheel is missing. Without a network it says so and fails nothing, so that `make check`
works on a train.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import ROOT

PLATFORMS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
)
VERSIONS = ("3.11", "3.12", "3.13", "3.14")

_NO_NETWORK = ("error sending request", "dns error", "failed to connect", "timed out")


def main() -> int:
    """Check requirements-local.txt; the exit status."""
    with ThreadPoolExecutor(4) as pool:
        targets = list(product(PLATFORMS, VERSIONS))
        faults = list(pool.map(lambda target: fault(*target), targets))
    status, text = verdict(faults)
    print(text)  # noqa: T201  a command's answer
    return status


def fault(platform: str, version: str, requirements: Path | None = None) -> str:
    """Why the pinned packages cannot be installed from wheels, or an empty text."""
    file = requirements or ROOT / "requirements-local.txt"
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-platform", platform]
    command += ["--python-version", version, "-r", str(file)]
    with TemporaryDirectory() as target:
        command += ["--target", target]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        except subprocess.TimeoutExpired:
            return "timed out"
    return f"{platform}, Python {version}: {done.stderr.strip()}" if done.returncode else ""


def verdict(faults: list[str]) -> tuple[int, str]:
    """The exit status and the text for the faults, empty ones included."""
    found = [text for text in faults if text]
    if any(reason in text.lower() for text in found for reason in _NO_NETWORK):
        return 0, "PLATFORMS NOT CHECKED: the package index could not be reached."
    if found:
        return 1, "\n".join(found)
    return 0, f"All pinned wheels exist for {len(faults)} platforms and versions of Python."


if __name__ == "__main__":
    sys.exit(main())
