"""The compose files, read by Compose itself."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from streamwatch.settings import VARIABLES
from tests.processes import ROOT
from tests.tools import run, tool

SECRET = {"WEBHOOK_SECRET": "the-webhook-secret"}
PASSWORDS = {
    "REDIS_PASSWORD": "password-of-redis",
    "MONGO_INITDB_ROOT_USERNAME": "root",
    "MONGO_INITDB_ROOT_PASSWORD": "password-of-mongodb",
}
SETTINGS = {"API_KEY": "the-api-key", "PORT": "8123", **SECRET}


def compose(tmp_path: Path, *arguments: str, **dotenv: str) -> subprocess.CompletedProcess[str]:
    """Run `docker compose` with this .env, and with none of our variables in the environment."""
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in dotenv.items()))
    ours = VARIABLES.keys() | PASSWORDS.keys()
    bare = {name: value for name, value in os.environ.items() if name not in ours}
    command = [tool("docker-compose", debian="docker-compose-v2"), "--env-file", str(file)]
    return run([*command, *arguments], cwd=ROOT, environment=bare)


def services(tmp_path: Path, **dotenv: str) -> dict[str, Any]:
    """The services that `docker compose up` would start, by name."""
    return configured(tmp_path, "docker-compose.yml", **dotenv)


def configured(tmp_path: Path, file: str, **dotenv: str) -> dict[str, Any]:
    """The services of a compose file that `docker compose up` would start, by name."""
    done = compose(tmp_path, "-f", file, "config", "--format", "json", **dotenv)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@pytest.fixture
def full(tmp_path: Path) -> dict[str, Any]:
    return services(tmp_path, **PASSWORDS, **SETTINGS)


def test_without_secrets_it_refuses_to_start_and_names_them(tmp_path: Path) -> None:
    done = compose(tmp_path, "config", "-q")
    assert done.returncode != 0
    for name in PASSWORDS | SECRET:
        assert f"set {name} in .env" in done.stderr


@pytest.mark.parametrize("absent", PASSWORDS | SECRET)
def test_no_required_secret_may_be_missing(tmp_path: Path, absent: str) -> None:
    done = compose(tmp_path, "config", "-q", **(PASSWORDS | SECRET | {absent: ""}))
    assert done.returncode != 0
    assert f"set {absent} in .env" in done.stderr


def test_with_memory_storage_it_needs_no_database(tmp_path: Path) -> None:
    found = services(tmp_path, STORAGE_TYPE="memory")
    assert found.keys() == {"web", "worker"}
    assert found["web"]["environment"]["STORAGE_TYPE"] == "memory"


def test_by_default_it_starts_both_databases(full: dict[str, Any]) -> None:
    assert full.keys() == {"web", "worker", "redis", "mongodb"}
    assert full["web"]["environment"]["STORAGE_TYPE"] == "redis"
    for name in ("web", "worker"):
        waits_for = full[name]["depends_on"]
        assert waits_for["redis"]["condition"] == "service_healthy"
        assert waits_for["mongodb"]["condition"] == "service_healthy"


def test_the_databases_are_on_an_internal_network(tmp_path: Path, full: dict[str, Any]) -> None:
    for name in ("redis", "mongodb"):
        assert "ports" not in full[name]
        assert full[name]["networks"].keys() == {"databases"}
    done = compose(tmp_path, "config", "--format", "json", **PASSWORDS, **SECRET)
    assert json.loads(done.stdout)["networks"]["databases"]["internal"] is True


def test_both_databases_have_a_password_and_a_volume(full: dict[str, Any]) -> None:
    command = full["redis"]["command"][2]
    assert 'printf \'requirepass "%s"\\n\' "$$REDIS_PASSWORD"' in command
    assert command.endswith("exec redis-server /tmp/redis.conf")  # no password among the arguments
    assert full["redis"]["environment"] == {"REDIS_PASSWORD": PASSWORDS["REDIS_PASSWORD"]}
    mounted = {volume["target"]: volume for volume in full["redis"]["volumes"]}
    configuration = Path(mounted["/etc/redis.conf"]["source"]).read_text()
    assert "appendonly yes" in configuration.splitlines()
    assert mounted["/data"]["type"] == "volume"
    assert full["mongodb"]["environment"].keys() == PASSWORDS.keys() - {"REDIS_PASSWORD"}
    assert [volume["target"] for volume in full["mongodb"]["volumes"]] == ["/data/db"]


def test_a_setting_reaches_only_the_services_that_need_it(full: dict[str, Any]) -> None:
    text = {name: json.dumps(service) for name, service in full.items()}
    who = {
        "the-api-key": {"web"},
        "the-webhook-secret": {"web", "worker"},
        PASSWORDS["REDIS_PASSWORD"]: {"web", "worker", "redis"},
        PASSWORDS["MONGO_INITDB_ROOT_PASSWORD"]: {"web", "worker", "mongodb"},
    }
    for secret, expected in who.items():
        assert {name for name, service in text.items() if secret in service} == expected


def test_every_setting_reaches_the_web_process(full: dict[str, Any]) -> None:
    """Except DATA_DIR, which Redis does not need, and HOST, which the image sets."""
    assert VARIABLES.keys() - full["web"]["environment"].keys() == {"DATA_DIR", "HOST"}


def test_the_service_listens_on_the_configured_port(full: dict[str, Any]) -> None:
    [port] = full["web"]["ports"]
    assert (port["published"], port["target"]) == ("8123", 8000)
    assert full["web"]["environment"]["PORT"] == "8000"


def test_redis_alone_needs_its_password_and_the_webhook_secret(tmp_path: Path) -> None:
    done = compose(tmp_path, "-f", "docker-compose.redis.yml", "config", "-q")
    assert done.returncode != 0
    required = {"REDIS_PASSWORD": PASSWORDS["REDIS_PASSWORD"], **SECRET}
    for name in required:
        assert f"set {name} in .env" in done.stderr
    found = configured(tmp_path, "docker-compose.redis.yml", **required)
    assert found.keys() == {"web", "worker", "redis"}
    for name in ("web", "worker"):
        assert found[name]["environment"]["STORAGE_TYPE"] == "redis"
        assert found[name]["environment"]["ANALYTICS_TYPE"] == "redis"
        assert found[name]["environment"]["WEBHOOK_SECRET"] == SECRET["WEBHOOK_SECRET"]
    assert found["redis"]["networks"].keys() == {"databases"}


def test_one_container_needs_no_setting_and_stores_everything_in_a_volume(tmp_path: Path) -> None:
    [service] = configured(tmp_path, "docker-compose.embedded.yml").values()
    assert service["environment"]["STORAGE_TYPE"] == "embedded"
    assert service["environment"]["DATA_DIR"] == "/data"
    [volume] = service["volumes"]
    assert (volume["type"], volume["target"]) == ("volume", "/data")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    not_of_one_container = {
        "REDIS_URL",
        "MONGODB_URL",
        "MONGODB_DATABASE",
        "ANALYTICS_TYPE",
        "HOST",
    }
    assert VARIABLES.keys() - service["environment"].keys() == not_of_one_container


def test_web_and_worker_run_with_few_rights(full: dict[str, Any]) -> None:
    for name in ("web", "worker"):
        assert full[name]["read_only"] is True
        assert full[name]["cap_drop"] == ["ALL"]
        assert full[name]["security_opt"] == ["no-new-privileges:true"]
        assert full[name]["tmpfs"] == ["/tmp"]  # noqa: S108  inside the container


def test_every_server_has_a_health_check(full: dict[str, Any]) -> None:
    assert all("healthcheck" in full[name] for name in ("web", "redis", "mongodb"))
