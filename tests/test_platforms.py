"""What `tests.platforms` makes of wheels in a folder, and of what uv prints without an index."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.platforms import fault, verdict

UNREACHABLE = """\
error: Request failed after 3 retries in 9.6s
  cause: Failed to fetch: https://pypi.org/simple/click/
  cause: error sending request for url (https://pypi.org/simple/click/)
  cause: client error (Connect)
  cause: {}
"""
"""The stderr of uv 0.13."""


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A pinned package that has a wheel for Linux on x86-64 alone."""
    with ZipFile(tmp_path / "linux_only-1.0-py3-none-manylinux_2_17_x86_64.whl", "w") as wheel:
        text = "Metadata-Version: 2.1\nName: linux-only\nVersion: 1.0\n"
        wheel.writestr("linux_only-1.0.dist-info/METADATA", text)
        wheel.writestr("linux_only-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr("linux_only-1.0.dist-info/RECORD", "")
    file = tmp_path / "requirements.txt"
    file.write_text(f"--no-index\n--find-links {tmp_path}\nlinux-only==1.0\n")
    return file


def test_a_missing_wheel_fails_with_its_platform(requirements: Path) -> None:
    text = fault("aarch64-apple-darwin", "3.11", requirements)
    status, shown = verdict(["", text])
    assert status == 1
    assert shown.startswith("aarch64-apple-darwin, Python 3.11: ")
    assert "linux-only" in shown


def test_an_existing_wheel_is_no_fault(requirements: Path) -> None:
    assert not fault("x86_64-unknown-linux-gnu", "3.11", requirements)


def test_wheels_for_everything_pass() -> None:
    assert verdict(["", ""]) == (
        0,
        "All pinned wheels exist for 2 platforms and versions of Python.",
    )


@pytest.mark.parametrize("cause", ["dns error", "tcp connect error", "operation timed out"])
def test_without_a_network_nothing_fails(cause: str) -> None:
    platform = "x86_64-apple-darwin, Python 3.11"
    status, shown = verdict([f"{platform}: {UNREACHABLE.format(cause)}", ""])
    assert status == 0
    assert shown.startswith("PLATFORMS NOT CHECKED")
