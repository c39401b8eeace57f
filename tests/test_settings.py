import os
import re
from pathlib import Path

import pytest

from streamwatch.settings import VARIABLES, Settings, SettingsError, from_env

EXAMPLE = Path(__file__).parents[1] / "config" / "env.example"
COMPOSE_ONLY = {"REDIS_PASSWORD", "MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD"}
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours, and no .env."""
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def faults() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        from_env()
    return caught.value.faults


def test_without_any_setting_it_runs_in_memory() -> None:
    settings = from_env()
    assert settings.storage_type == settings.analytics_type == "memory"
    assert (settings.web_concurrency, settings.web_threads, settings.port) == (1, 8, 8000)
    assert settings.twitch_client_id is None
    assert settings.webhook_url is None


def test_memory_storage_makes_a_random_webhook_secret() -> None:
    [one], [other] = from_env().webhook_secrets, from_env().webhook_secrets
    assert one != other
    assert 10 <= len(one) <= 100
    assert from_env().webhook_secret_is_new


def test_redis_storage_brings_two_processes_and_mongodb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "redis")
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    settings = from_env()
    assert (settings.analytics_type, settings.web_concurrency) == ("mongodb", 2)
    assert settings.webhook_secrets == (SECRET,)


def test_a_file_that_has_changed_is_read_anew() -> None:
    for port in (9000, 9001):
        Path(".env").write_text(f"PORT={port}\nNOT_OURS=1\n")
        assert from_env().port == port
    Path(".env").unlink()
    assert from_env().port == 8000
    assert "NOT_OURS" not in os.environ


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_STREAMERS", " Shroud, pokimane,,shroud ,")
    monkeypatch.setenv("API_KEY", "one, two")
    monkeypatch.setenv("WEBHOOK_SECRET", f"{SECRET},{SECRET[::-1]}")
    settings = from_env()
    assert settings.default_streamers == ("shroud", "pokimane")
    assert settings.api_keys == ("one", "two")
    assert settings.webhook_secrets == (SECRET, SECRET[::-1])


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, " ")
    assert from_env().port == 8000


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9000\nREFRESH_SECONDS=60\n")
    monkeypatch.setenv("PORT", "9001")
    settings = from_env()
    assert (settings.port, settings.refresh_seconds) == (9001, 60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("REFRESH_SECONDS", "0"),
        ("REFRESH_SECONDS", "1.5"),
        ("EVENTS_KEPT", "-1"),
        ("SNAPSHOT_RETENTION_DAYS", "-1"),
        ("REQUIRE_API_KEY", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("DEFAULT_STREAMERS", "shroud,@pokimane"),
        ("STORAGE_TYPE", "../etc"),
        ("REDIS_URL", "http://localhost"),
        ("MONGODB_URL", "localhost:27017"),
        ("MONGODB_DATABASE", "a.b"),
        ("TWITCH_API_URL", "ftp://api.twitch.tv"),
        ("WEBHOOK_URL", "http://example.com/webhooks/eventsub"),
        ("WEBHOOK_URL", "https://example.com:8443/webhooks/eventsub"),
        ("WEBHOOK_URL", "https://example.com/elsewhere"),
        ("WEBHOOK_SECRET", "too-short"),
        ("WEBHOOK_SECRET", "x" * 101),
        ("WEBHOOK_SECRET", "not-ascii-é-at-all"),
        ("WEBHOOK_SECRET", "your_webhook_secret"),
        ("WEBHOOK_SECRET", "changeme-please"),
        ("WEBHOOK_SECRET", "xxxxxxxxxxxxxxxx"),
        ("WEBHOOK_SECRET", f"{SECRET},short"),
        ("API_KEY", "with space"),
    ],
)
def test_a_wrong_value_is_told_with_its_name_and_what_is_allowed(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    [fault] = faults()
    assert fault.startswith(f"{name}: ")
    assert "allowed: " in fault
    assert "\n" not in fault
    if VARIABLES[name].secret:
        assert value not in fault
    else:
        assert repr(value) in fault


@pytest.mark.parametrize(
    "url",
    ["https://example.com/webhooks/eventsub", "http://127.0.0.1:8000/webhooks/eventsub"],
)
def test_the_webhook_is_https_or_on_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_URL", url)
    assert from_env().webhook_url == url


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "redis")
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("REQUIRE_API_KEY", "true")
    monkeypatch.setenv("TWITCH_CLIENT_ID", "id")
    assert [fault.split(":")[0] for fault in faults()] == [
        "PORT",
        "WEBHOOK_SECRET",
        "API_KEY",
        "TWITCH_CLIENT_SECRET",
    ]


def test_memory_storage_allows_one_web_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    [fault] = faults()
    assert fault.startswith("WEB_CONCURRENCY: ")


def test_no_secret_is_in_the_repr() -> None:
    settings = Settings(
        twitch_client_secret="the-client-secret",
        webhook_secrets=("the-webhook-secret",),
        api_keys=("the-api-key",),
        redis_url="redis://:the-password@localhost",
        mongodb_url="mongodb://user:the-password@localhost",
    )
    assert "the-" not in repr(settings)


def test_the_example_lists_every_variable_with_its_default() -> None:
    lines = re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    listed = dict(lines)
    assert len(lines) == len(listed)
    assert set(listed) == set(VARIABLES) | COMPOSE_ONLY
    defaults = Settings()
    for name in VARIABLES:
        default = getattr(defaults, name.lower(), None)
        if isinstance(default, int) and not isinstance(default, bool) and name != "WEB_CONCURRENCY":
            assert int(listed[name]) == default, name


def test_each_variable_of_the_example_is_explained() -> None:
    text = EXAMPLE.read_text()
    for block in text.split("\n\n"):
        if re.search(r"^#?[A-Z_]+=", block, re.MULTILINE):
            assert block.startswith("# ") or "PORT=" in block, block


def test_the_example_is_a_file_that_runs_as_it_stands() -> None:
    Path(".env").write_text(EXAMPLE.read_text())
    assert from_env().port == 8000
