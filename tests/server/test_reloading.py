"""A web process that starts with a faulty `.env` uses the settings of the server's start."""

import logging
from pathlib import Path

import pytest

from streamwatch.server import reloading
from streamwatch.server.reloading import current_settings, remember
from streamwatch.settings import VARIABLES, Settings, SettingsError

_SECRET = "WEBHOOK_SECRET=0123456789abcdef"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours, an empty folder for `.env`, and nothing remembered."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reloading, "_at_start", [])
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def write_env(*lines: str) -> None:
    Path(".env").write_text("\n".join(lines) + "\n")


def test_changed_settings_apply() -> None:
    remember(Settings())
    write_env("RATE_LIMIT=7")
    assert current_settings().rate_limit == 7


@pytest.mark.parametrize(
    ("lines", "variable"),
    [
        (["RATE_LIMIT=many"], "RATE_LIMIT"),
        (["ANALYTICS_TYPE=mongo"], "ANALYTICS_TYPE"),
        (["STORAGE_TYPE=rediss", _SECRET], "STORAGE_TYPE"),
        (["STORAGE_TYPE=redis", _SECRET, "REDIS_URL=redis://redis?sockettimeout=3"], "REDIS_URL"),
    ],
    ids=["a value", "the analytics", "the storage", "an option of a URL"],
)
def test_faults_are_logged_and_the_settings_of_the_start_apply(
    lines: list[str], variable: str, caplog: pytest.LogCaptureFixture
) -> None:
    at_start = Settings()
    remember(at_start)
    write_env(*lines)
    assert current_settings() is at_start
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert f"{variable}: " in record.getMessage()


def test_faults_are_raised_without_settings_of_the_start() -> None:
    write_env("ANALYTICS_TYPE=mongo")
    with pytest.raises(SettingsError, match="ANALYTICS_TYPE"):
        current_settings()
