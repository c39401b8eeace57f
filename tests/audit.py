"""Checks the pinned packages for known vulnerabilities: `python -m tests.audit`.

Fails for a vulnerable package. Without a network it says so and fails nothing, so that `make check`
works on a train.
"""

import json
import subprocess
import sys
from pathlib import Path

SECONDS = 60
_NOT_RUN = "NOT AUDITED: the list of vulnerabilities could not be reached"


def main() -> int:
    """Run pip-audit on requirements.txt; returns the exit status."""
    command = [sys.executable, "-m", "pip_audit", "-r", "requirements.txt", "--no-deps"]
    command += ["--disable-pip", "--timeout=5", "--progress-spinner=off", "--format=json"]
    root = Path(__file__).parents[1]
    try:
        output = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False
        ).stdout
    except subprocess.TimeoutExpired:
        output = ""
    status, text = verdict(output)
    print(text)  # noqa: T201  a command's answer
    return status


def verdict(output: str) -> tuple[int, str]:
    """The exit status and the text for the output of pip-audit."""
    try:
        packages = json.loads(output)["dependencies"]
    except ValueError:
        return 0, f"{_NOT_RUN}."
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        return 0, f"{_NOT_RUN}: {packages[0]['skip_reason']}." if packages else f"{_NOT_RUN}."
    vulnerable = [
        f"{package['name']} {package['version']}: {fault['id']},"
        f" fixed in {', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in audited
        for fault in package["vulns"]
    ]
    if vulnerable:
        return 1, "\n".join(vulnerable)
    return 0, f"Audited {len(audited)} of {len(packages)} packages: no known vulnerabilities."


if __name__ == "__main__":
    sys.exit(main())
