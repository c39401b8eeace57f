from pathlib import Path

import pytest

from tests.platforms import fault, verdict


def test_a_missing_wheel_fails_with_its_platform(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("atheris==3.0.0\n")  # has wheels for Linux only
    text = fault("aarch64-apple-darwin", "3.11", requirements)
    status, shown = verdict([text])
    if "NOT CHECKED" not in shown:
        assert status == 1
        assert "aarch64-apple-darwin, Python 3.11" in shown
        assert "atheris" in shown


def test_wheels_for_everything_pass() -> None:
    assert verdict(["", ""]) == (
        0,
        "All pinned wheels exist for 2 platforms and versions of Python.",
    )


@pytest.mark.parametrize("text", ["error sending request for url", "dns error: no such host"])
def test_without_a_network_nothing_fails(text: str) -> None:
    status, shown = verdict([text, ""])
    assert status == 0
    assert shown.startswith("PLATFORMS NOT CHECKED")
