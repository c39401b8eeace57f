import os
import re
from pathlib import Path

import pytest

from streamwatch.cli.processes import child_environment
from streamwatch.settings import (
    VARIABLES,
    EventSubTransport,
    KeyRequirement,
    Origin,
    Settings,
    SettingsError,
    from_env,
)
from streamwatch.settings.credentials import TwitchCredentials, store_credentials
from streamwatch.settings.variables import COMPOSE_VARIABLES, FIELDS
from tests.processes import ROOT

EXAMPLE = ROOT / "config" / "env.example"
SECRET = "0123456789abcdef0123456789abcdef"
ENVIRONMENT_READERS = {
    "streamwatch/settings/loading.py",
    # These pass an environment on to child processes, or set variables of other libraries.
    "streamwatch/cli/processes.py",
    "streamwatch/server/metrics_directory.py",
    "streamwatch/api/prometheus/requests.py",
    "streamwatch/simulator/demo.py",
    "streamwatch/worker/process.py",
}


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


def test_default_storage_is_memory_with_one_web_process() -> None:
    settings = from_env()
    assert settings.storage_type == settings.analytics_type == "memory"
    assert (settings.web_concurrency, settings.web_threads, settings.port) == (1, 8, 8000)
    assert settings.host == "0.0.0.0"  # noqa: S104  the documented default
    assert settings.twitch_client_id is None
    assert settings.webhook_url is None


def test_defaults_in_the_table_match_the_dataclass() -> None:
    settings = from_env()
    assert settings.require_api_key is KeyRequirement.NONE
    assert settings.watch_updates
    assert settings.backfill_on_add
    assert not settings.public_badges
    assert not settings.notifications_allow_private
    assert settings.image_origins == ("https://static-cdn.jtvnw.net",)
    assert settings.cors_origins == settings.embed_origins == settings.api_read_keys == ()
    assert settings.twitch_eventsub_url == "wss://eventsub.wss.twitch.tv/ws"


def test_memory_storage_generates_a_webhook_secret_at_each_start() -> None:
    [first], [second] = from_env().webhook_secrets, from_env().webhook_secrets
    assert first != second
    assert 10 <= len(first) <= 100
    assert from_env().webhook_secret_is_new


def test_redis_storage_defaults_to_two_processes_and_mongodb(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "redis")
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    settings = from_env()
    assert (settings.analytics_type, settings.web_concurrency) == ("mongodb", 2)
    assert settings.webhook_secrets == (SECRET,)
    assert settings.snapshot_retention_days == 0


def test_embedded_storage_retains_snapshots_for_400_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "embedded")
    assert from_env().snapshot_retention_days == 400
    monkeypatch.setenv("SNAPSHOT_RETENTION_DAYS", "0")
    assert from_env().snapshot_retention_days == 0


def test_a_changed_file_is_read_again() -> None:
    for port in (9000, 9001):
        Path(".env").write_text(f"PORT={port}\nNOT_OURS=1\n")
        assert from_env().port == port
    Path(".env").unlink()
    assert from_env().port == 8000
    assert "NOT_OURS" not in os.environ


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_STREAMERS", " Shroud, pokimane,,shroud ,")
    monkeypatch.setenv("API_KEY", "first-key, second-key")
    monkeypatch.setenv("API_READ_KEY", "reading-key")
    monkeypatch.setenv("WEBHOOK_SECRET", f"{SECRET},{SECRET[::-1]}")
    monkeypatch.setenv("CORS_ORIGINS", "https://Example.com,http://localhost:3000")
    settings = from_env()
    assert settings.default_streamers == ("shroud", "pokimane")
    assert settings.api_keys == ("first-key", "second-key")
    assert settings.api_read_keys == ("reading-key",)
    assert settings.webhook_secrets == (SECRET, SECRET[::-1])
    assert settings.cors_origins == ("https://example.com", "http://localhost:3000")


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, " ")
    assert from_env().port == 8000
    assert from_env().cors_origins == ()


def test_empty_image_origins_mean_no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_ORIGINS", "")
    assert from_env().image_origins == ()


@pytest.mark.parametrize(
    ("storage", "analytics", "count"),
    [("redis", "memory", 1), ("redis", "redis", 0), ("memory", "memory", 0)],
)
def test_analytics_that_only_the_worker_sees_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, storage: str, analytics: str, count: int
) -> None:
    monkeypatch.setenv("STORAGE_TYPE", storage)
    monkeypatch.setenv("ANALYTICS_TYPE", analytics)
    monkeypatch.setenv("WEBHOOK_SECRET", "5b2f9c1d7e8a4f60")
    warnings = from_env().warnings
    assert len(warnings) == count
    assert all(each.startswith("ANALYTICS_TYPE=memory: ") for each in warnings)


def test_a_folder_in_place_of_the_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()  # as `docker run -v` makes for a file that does not exist
    with pytest.raises(SettingsError) as caught:
        from_env(tmp_path / "folder")
    assert caught.value.faults == [f"{tmp_path / 'folder'}: this is a folder, not a file"]


def test_the_environment_takes_precedence_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9000\nREFRESH_SECONDS=60\n")
    monkeypatch.setenv("PORT", "9001")
    settings = from_env()
    assert (settings.port, settings.refresh_seconds) == (9001, 60)


def test_each_variable_has_its_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9000\nREFRESH_SECONDS=60\n")
    monkeypatch.setenv("PORT", "9001")
    settings = from_env(dev=True)
    origins = {name: settings.origin(name) for name in ("PORT", "REFRESH_SECONDS", "HOST")}
    assert origins == {
        "PORT": Origin.ENVIRONMENT,
        "REFRESH_SECONDS": Origin.DOTENV,
        "HOST": Origin.DEFAULT,
    }
    assert settings.origin("API_KEY") is settings.origin("WEBHOOK_SECRET") is Origin.STORED
    assert from_env().origin("WEBHOOK_SECRET") is Origin.GENERATED


def test_child_processes_know_the_origins_of_what_dev_chose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOST", "localhost")
    settings = from_env(dev=True)
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    child = from_env()
    names = ("API_KEY", "STORAGE_TYPE", "HOST", "PORT")
    assert [child.origin(name) for name in names] == [settings.origin(name) for name in names]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("false", KeyRequirement.NONE),
        ("no", KeyRequirement.NONE),
        ("0", KeyRequirement.NONE),
        ("write", KeyRequirement.WRITE),
        ("true", KeyRequirement.ALL),
        ("True", KeyRequirement.ALL),
        ("1", KeyRequirement.ALL),
    ],
)
def test_require_api_key_has_three_values(
    text: str, expected: KeyRequirement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_API_KEY", text)
    monkeypatch.setenv("API_KEY", "some-api-key")
    assert from_env().require_api_key is expected


WEBHOOK = {"WEBHOOK_URL": "https://example.com/webhooks/eventsub"}
CREDENTIALS = {"TWITCH_CLIENT_ID": "id", "TWITCH_CLIENT_SECRET": "secret"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, EventSubTransport.NONE),
        (WEBHOOK, EventSubTransport.WEBHOOK),
        (WEBHOOK | CREDENTIALS, EventSubTransport.WEBHOOK),
        (CREDENTIALS, EventSubTransport.CONDUIT),
        (WEBHOOK | {"EVENTSUB_TRANSPORT": "none"}, EventSubTransport.NONE),
        (WEBHOOK | {"EVENTSUB_TRANSPORT": "conduit"}, EventSubTransport.CONDUIT),
    ],
)
def test_transport_follows_from_what_is_configured(
    variables: dict[str, str], expected: EventSubTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert from_env().transport is expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("HOST", "not an address"),
        ("HOST", "127.0.0.1:8000"),
        ("REFRESH_SECONDS", "0"),
        ("REFRESH_SECONDS", "1.5"),
        ("EVENTS_KEPT", "-1"),
        ("SNAPSHOT_RETENTION_DAYS", "-1"),
        ("REQUIRE_API_KEY", "perhaps"),
        ("WATCH_UPDATES", "perhaps"),
        ("EVENTSUB_TRANSPORT", "websocket"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("DEFAULT_STREAMERS", "shroud,@pokimane"),
        ("STORAGE_TYPE", "../etc"),
        ("STORAGE_TYPE", "nope"),
        ("ANALYTICS_TYPE", "nope"),
        ("TWITCH_CLIENT_ID", '"abc"'),  # docker run --env-file retains quotes
        ("TWITCH_CLIENT_SECRET", "'abc'"),
        ("DATA_DIR", "~/streamwatch"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://localhost:port"),
        ("REDIS_URL", "redis://:hunter/2@localhost:6379"),
        ("REDIS_URL", "redis://:hunter#2@localhost:6379"),
        ("REDIS_URL", "redis://:hunter?2@localhost:6379"),
        ("REDIS_URL", "redis://:6379"),
        ("MONGODB_URL", "localhost:27017"),
        ("MONGODB_URL", "mongodb://user:hunter/2@localhost"),
        ("MONGODB_URL", "mongodb://user:hunter@2@localhost"),
        ("MONGODB_URL", "mongodb://user:hunter:2@localhost"),
        ("MONGODB_URL", "mongodb://localhost:99999"),
        ("MONGODB_DATABASE", "a.b"),
        ("TWITCH_API_URL", "ftp://api.twitch.tv"),
        ("TWITCH_EVENTSUB_URL", "https://eventsub.wss.twitch.tv/ws"),
        ("CORS_ORIGINS", "https://example.com/page"),
        ("CORS_ORIGINS", "example.com"),
        ("EMBED_ORIGINS", "https://example.com; script-src *"),
        ("IMAGE_ORIGINS", "*"),
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
        ("API_KEY", "seven-7"),
        ("API_KEY", "your-api-key"),
        ("API_KEY", "changeme"),
        ("API_KEY", "$(openssl rand -hex 16)"),
        ("API_READ_KEY", "<read-key>"),
    ],
)
def test_a_wrong_value_is_reported_with_its_variable_and_what_is_allowed(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pair in ("TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET"):
        monkeypatch.setenv(pair, "abcdefgh")  # one needs the other
    monkeypatch.setenv(name, value)
    [fault] = faults()
    assert fault.startswith(f"{name}: ")
    assert "allowed: " in fault
    assert "\n" not in fault
    if VARIABLES[name].secret:
        assert value not in fault
        assert "hunter" not in fault
    else:
        assert repr(value) in fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://localhost"),
        ("REDIS_URL", "rediss://user:pa%2Fss@[::1]:6380/2?ssl_cert_reqs=none"),
        ("REDIS_URL", "redis+sentinel://:password@one:26379,two:26379/master"),
        ("REDIS_URL", "redis+cluster://one:7000,two:7001"),
        (
            "MONGODB_URL",
            "mongodb://user:p%40ss@one:27017,two:27017/?replicaSet=rs&authSource=admin",
        ),
        ("MONGODB_URL", "mongodb+srv://user:pass@cluster.example.net/"),
        ("MONGODB_URL", "mongodb://%2Ftmp%2Fmongodb-27017.sock"),
        ("HOST", "::1"),
        ("HOST", "localhost"),
        ("EMBED_ORIGINS", "'self',https://*.example.com"),
        ("CORS_ORIGINS", "*"),
        ("WEBHOOK_URL", "https://example.com/webhooks/eventsub"),
        ("WEBHOOK_URL", "http://127.0.0.1:8000/webhooks/eventsub"),
    ],
)
def test_every_documented_form_of_a_value_is_accepted(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    found = getattr(from_env(), name.lower())
    assert found == (tuple(value.split(",")) if name.endswith("ORIGINS") else value)


def test_a_file_that_is_not_utf_8_is_one_fault() -> None:
    Path(".env").write_bytes("API_KEY=clé-of-eight".encode("latin-1"))
    assert faults() == [".env: the file cannot be read (not UTF-8); save it as UTF-8"]


def test_all_faults_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "redis")
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("REQUIRE_API_KEY", "true")
    monkeypatch.setenv("TWITCH_CLIENT_ID", "id")
    monkeypatch.setenv("EVENTSUB_TRANSPORT", "webhook")
    assert [fault.split(":")[0] for fault in faults()] == [
        "PORT",
        "WEBHOOK_SECRET",
        "API_KEY",
        "WEBHOOK_URL",
        "TWITCH_CLIENT_SECRET",
    ]


def test_writing_with_a_key_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_API_KEY", "write")
    [fault] = faults()
    assert fault == "API_KEY: missing; REQUIRE_API_KEY=write needs at least one key"


def test_dev_listens_on_loopback_with_a_stored_key() -> None:
    first, second = from_env(dev=True), from_env(dev=True)
    assert (first.host, first.storage_type) == ("127.0.0.1", "embedded")
    assert first.require_api_key is KeyRequirement.NONE
    assert (first.api_key_is_new, second.api_key_is_new) == (True, False)
    assert first.api_keys == second.api_keys == (Path("data/api-key").read_text(),)


def test_dev_on_another_address_requires_a_key_for_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104
    assert from_env(dev=True).require_api_key is KeyRequirement.WRITE
    monkeypatch.setenv("REQUIRE_API_KEY", "false")
    assert from_env(dev=True).require_api_key is KeyRequirement.NONE


def test_dev_behind_a_proxy_requires_a_key_for_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    assert from_env(dev=True).require_api_key is KeyRequirement.WRITE


def test_dev_uses_the_configured_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "my-own-long-key")
    settings = from_env(dev=True)
    assert settings.api_keys == ("my-own-long-key",)
    assert not settings.api_key_is_new
    assert not Path("data/api-key").exists()


def test_credentials_of_the_browser_are_used_unless_the_environment_has_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "embedded")
    store_credentials(Path("data"), TwitchCredentials("stored-id", "stored-secret"))
    assert Path("data/twitch-credentials.json").stat().st_mode & 0o777 == 0o600
    settings = from_env()
    assert (settings.twitch_client_id, settings.twitch_client_secret) == (
        "stored-id",
        "stored-secret",
    )
    assert settings.twitch_credentials_stored
    assert settings.origin("TWITCH_CLIENT_ID") is Origin.STORED
    assert settings.transport is EventSubTransport.CONDUIT
    monkeypatch.setenv("TWITCH_CLIENT_ID", "id")
    monkeypatch.setenv("TWITCH_CLIENT_SECRET", "secret")
    settings = from_env()
    assert (settings.twitch_client_id, settings.twitch_client_secret) == ("id", "secret")
    assert not settings.twitch_credentials_stored
    assert settings.origin("TWITCH_CLIENT_ID") is Origin.ENVIRONMENT


def test_a_damaged_credentials_file_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "embedded")
    Path("data").mkdir(mode=0o700)
    Path("data/twitch-credentials.json").write_text("[]")
    [fault] = faults()
    assert "data/twitch-credentials.json cannot be read; delete it" in fault


def test_unknown_backends_are_reported_with_all_other_faults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "nope")
    monkeypatch.setenv("ANALYTICS_TYPE", "nope")
    monkeypatch.setenv("LOG_LEVEL", "foo")
    monkeypatch.setenv("REQUIRE_API_KEY", "true")
    assert sorted(fault.split(":")[0] for fault in faults()) == [
        "ANALYTICS_TYPE",
        "API_KEY",
        "LOG_LEVEL",
        "STORAGE_TYPE",
    ]


def test_memory_storage_allows_one_web_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    [fault] = faults()
    assert fault.startswith("WEB_CONCURRENCY: ")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TWICH_CLIENT_SECRET", "TWITCH_CLIENT_SECRET"),
        ("WEBHOOK_SECERT", "WEBHOOK_SECRET"),
        ("API_KEYS", "API_KEY"),
        ("redis_url", "REDIS_URL"),
    ],
)
def test_a_misspelled_variable_is_warned_of(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = (f"{name} is not a setting of StreamWatch. Did you mean {meant}?",)
    monkeypatch.setenv(name, "something")
    assert from_env().warnings == expected
    monkeypatch.delenv(name)
    Path(".env").write_text(f"{name}=something\n")
    assert from_env().warnings == expected


def test_foreign_variables_are_not_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOSTNAME", "XDG_DATA_DIRS", "GHOST", "REDIS_PORT", "REDIS_PASSWORD", "LOGNAME"):
        monkeypatch.setenv(name, "something")
    assert from_env().warnings == ()


@pytest.mark.parametrize("text", ["", "short", "your_webhook_secret"])
def test_a_damaged_secret_file_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "embedded")
    Path("data").mkdir(mode=0o700)
    Path("data/webhook-secret").write_text(text)
    [fault] = faults()
    assert fault.startswith("WEBHOOK_SECRET: the file data/webhook-secret cannot be used")
    assert "delete it" in fault


def test_no_secret_is_in_the_repr() -> None:
    settings = Settings(
        twitch_client_secret="the-client-secret",
        webhook_secrets=("the-webhook-secret",),
        api_keys=("the-api-key",),
        api_read_keys=("the-read-key",),
        redis_url="redis://:the-password@localhost",
        mongodb_url="mongodb://user:the-password@localhost",
    )
    assert "the-" not in repr(settings)


def test_the_example_lists_every_variable_with_its_default() -> None:
    lines = re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    listed = dict(lines)
    assert len(lines) == len(listed)
    assert set(listed) == set(VARIABLES) | COMPOSE_VARIABLES
    defaults = Settings()
    for name in VARIABLES.keys() - {"WEB_CONCURRENCY", "DEFAULT_STREAMERS", "WEBHOOK_URL"}:
        default = getattr(defaults, FIELDS.get(name, name.lower()))
        if default is None or (VARIABLES[name].secret and name.endswith(("SECRET", "KEY"))):
            continue
        shown = ",".join(default) if isinstance(default, tuple) else default
        shown = str(shown).lower() if isinstance(shown, bool) else str(shown)
        assert listed[name] == shown, name


def test_each_variable_of_the_example_is_explained() -> None:
    text = EXAMPLE.read_text()
    for block in text.split("\n\n"):
        if re.search(r"^#?[A-Z_]+=", block, re.MULTILINE):
            assert block.startswith("# "), block


def test_the_example_is_a_valid_file() -> None:
    Path(".env").write_text(EXAMPLE.read_text())
    settings = from_env()
    assert settings.port == 8000
    assert settings.warnings == ()


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "streamwatch").rglob("*.py")
        if re.search(r"os\.(environ|getenv)|import environ", file.read_text())
    }
    assert readers <= ENVIRONMENT_READERS


def store_key(key: str) -> None:
    file = Path("data/api-key")
    file.parent.mkdir(mode=0o700)
    file.write_text(key)
    file.chmod(0o600)


@pytest.mark.parametrize("key", ["8letters", "k" + "0123456789" * 19])
def test_a_stored_key_may_be_as_short_or_long_as_a_configured_one(key: str) -> None:
    store_key(key)
    assert from_env(dev=True).api_keys == (key,)


@pytest.mark.parametrize("key", ["", "7signs!", "a key with spaces", "changeme-now"])
def test_a_stored_key_that_could_not_be_configured_is_a_fault(key: str) -> None:
    store_key(key)
    with pytest.raises(SettingsError, match="API_KEY: the file data/api-key cannot be used"):
        from_env(dev=True)
