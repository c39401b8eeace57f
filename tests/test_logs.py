"""One stream of lines in one form, from every process and library."""

import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
import redis
import requests

from streamwatch.domain.times import format_time, parse_time
from streamwatch.logs import JsonLines, log_uncaught
from streamwatch.simulator import Simulator
from tests import messages
from tests.e2e.conftest import API_KEY, SECRET, twitch_settings
from tests.processes import Deployment, Process, deployment
from tests.servers import mongo_server, redis_server
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("logs")  # one deployment for all of them

PASSWORD = "a-password-of-redis"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Web and worker on Redis with LOG_LEVEL=DEBUG, watching the simulated Twitch."""
    with (
        Simulator() as twitch,
        redis_server() as server,
        mongo_server() as mongo,
        deployment(tmp_path_factory.mktemp("logs"), **twitch_settings(twitch)) as deployed,
    ):
        with redis.Redis.from_url(server.url) as client:
            client.config_set("requirepass", PASSWORD)
        deployed.environment |= {
            "STORAGE_TYPE": "redis",
            "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{server.port}",
            "MONGODB_URL": mongo.url,
            "WEBHOOK_URL": deployed.webhook_url,
            "DEFAULT_STREAMERS": "shroud",
            "REFRESH_SECONDS": "1",
            "LOG_LEVEL": "DEBUG",
            "REQUIRE_API_KEY": "true",
        }
        deployed.start("web")
        deployed.wait_until_up()
        deployed.start("worker")
        wait_for(lambda: "Refreshed 1 streamers" in deployed.processes[1].log, 20)
        yield deployed


def lines(process: Process) -> list[dict[str, Any]]:
    """Every line that a process has written to its end, each a JSON object."""
    return [json.loads(line) for line in process.log.rpartition("\n")[0].splitlines()]


def ask(service: Deployment, path: str, request_id: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    if request_id is not None:
        headers["X-Request-ID"] = request_id
    return requests.get(service.url + path, headers=headers, timeout=5)


def forge(service: Deployment, request_id: str) -> requests.Response:
    """A message with a wrong signature, which is an event of note."""
    message = messages.online(secret="somebody-elses-secret")
    headers = message.headers | {"X-Request-ID": request_id}
    return requests.post(service.webhook_url, data=message.body, headers=headers, timeout=5)


@pytest.fixture
def broken_streamer(service: Deployment) -> Iterator[None]:
    """Something in the storage that nobody can read."""
    with redis.Redis.from_url(service.environment["REDIS_URL"]) as client:
        client.hset("{streamwatch}:streamers", "13", b"broken\nnot JSON")
        yield
        client.hdel("{streamwatch}:streamers", "13")


@pytest.mark.parametrize("place", [0, 1], ids=["web", "worker"])
def test_every_process_logs_in_the_same_format(service: Deployment, place: int) -> None:
    found = lines(service.processes[place])
    assert found
    for line in found:
        assert {"time", "level", "logger", "message"} <= line.keys()
        assert format_time(parse_time(line["time"])) == line["time"]


def test_gunicorn_logs_in_the_same_format(service: Deployment) -> None:
    logged = {line["message"] for line in lines(service.processes[0])}
    assert any(text.startswith("Starting gunicorn") for text in logged)
    assert any(text.startswith("Booting worker") for text in logged)


def test_the_lines_of_a_job_have_its_name(service: Deployment) -> None:
    jobs = {line.get("job") for line in lines(service.processes[1])}
    assert {"refresh", "reconcile", "default-streamers"} <= jobs


def test_the_lines_of_a_request_have_its_request_id(service: Deployment) -> None:
    answer = forge(service, "from-a-proxy.1")
    assert answer.headers["X-Request-ID"] == "from-a-proxy.1"
    [line] = [
        line
        for line in lines(service.processes[0])
        if line.get("request_id") == "from-a-proxy.1" and line["level"] == "WARNING"
    ]
    assert line["message"].startswith("Webhook message refused:forged")


@pytest.mark.parametrize("given", ["two words", "x" * 65, '"quoted"', "<b>", "é"])
def test_an_unsafe_request_id_is_replaced(service: Deployment, given: str) -> None:
    answer = forge(service, given.encode().decode("latin-1"))
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert any(
        line.get("request_id") == answer.headers["X-Request-ID"]
        for line in lines(service.processes[0])
    )


@pytest.mark.usefixtures("broken_streamer")
def test_a_traceback_is_in_one_log_line_and_in_no_answer(service: Deployment) -> None:
    answer = ask(service, "/streamers", "broken-1")
    assert answer.status_code == 500
    assert "UnreadableRecord" not in answer.text
    [line] = [
        line
        for line in lines(service.processes[0])
        if line.get("request_id") == "broken-1" and "exc_info" in line
    ]
    assert line["level"] == "ERROR"
    assert "Traceback" in line["exc_info"]
    assert "UnreadableRecord" in line["exc_info"]
    worker = service.processes[1]
    wait_for(lambda: any("exc_info" in line for line in lines(worker)))
    failed = next(line for line in lines(worker) if "exc_info" in line)
    assert failed["job"] == "refresh"
    assert "UnreadableRecord" in failed["exc_info"]


def test_no_secret_is_logged_at_level_debug(service: Deployment) -> None:
    assert ask(service, "/streamers/waldkauzig/status").status_code == 200
    assert ask(service, "/admin/subscriptions").status_code == 200
    logs = service.logs
    assert '"level":"DEBUG"' in logs.replace(" ", "")
    environment = service.environment
    secrets = {SECRET, API_KEY, PASSWORD, environment["TWITCH_CLIENT_SECRET"]}
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        token = json.loads(client.get("{streamwatch}:app-token") or b"{}")["value"]
    assert token
    for secret in secrets | {token}:
        assert secret not in logs


def test_uncaught_errors_are_one_line_each() -> None:
    code = """
import logging.config, sys, threading, warnings
from streamwatch.logs import log_uncaught, logging_config
from streamwatch.settings import Settings
logging.config.dictConfig(logging_config(Settings(log_format="json")))
log_uncaught()
warnings.warn("old")
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start()
thread.join()
raise SystemError("the end")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 1
    warning, thread, process = map(json.loads, done.stdout.splitlines())
    assert warning["logger"] == "py.warnings"
    assert (thread["level"], thread["message"]) == (
        "CRITICAL",
        "An uncaught error ended the thread worker",
    )
    assert "ZeroDivisionError" in thread["exc_info"]
    assert "SystemError: the end" in process["exc_info"]


def test_a_line_that_cannot_be_written_is_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((sys, "excepthook"), (threading, "excepthook")):
        monkeypatch.setattr(module, name, None)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    stdout = Mock(write=Mock(side_effect=BrokenPipeError))
    try:
        log_uncaught()
        record = logging.LogRecord("x", logging.INFO, "x", 1, "text", None, None)
        logging.StreamHandler(stdout).emit(record)
    finally:
        logging.captureWarnings(capture=False)
    stdout.write.assert_called_once()
    assert capsys.readouterr().err == ""


def test_any_text_is_one_valid_line() -> None:
    form = JsonLines()
    for text in ("line\nfeed", "half of a pair \ud800", "\x00", "\u2028", "é…"):
        record = logging.LogRecord("x", logging.INFO, "x", 1, text, None, None)
        line = form.format(record)
        assert "\n" not in line
        assert line.encode()
        assert json.loads(line)["message"] == text
