"""`streamwatch dev` runs everything on one machine, and its data survives every kind of end."""

import os
import signal
import socket
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from streamwatch.simulator import Simulator
from tests import messages
from tests.child_processes import descendants, running
from tests.deploy.conftest import LocalDeployment, local_deployment
from tests.processes import Process
from tests.waiting import wait_for


def send_online(local: LocalDeployment, stream_id: str) -> str:
    """Send the webhook a stream.online; the message's id once it is acknowledged."""
    return _send(local, messages.online(stream_id=stream_id, secret=_secret(local)))


def send_offline(local: LocalDeployment, stream_id: str) -> str:
    """Send the webhook a stream.offline; the message's id once it is acknowledged."""
    return _send(local, messages.offline(stream_id=stream_id, secret=_secret(local)))


def _secret(local: LocalDeployment) -> str:
    return (local.data / "webhook-secret").read_text()


def _send(local: LocalDeployment, message: messages.Message) -> str:
    answer = requests.post(local.webhook_url, data=message.body, headers=message.headers, timeout=5)
    assert answer.status_code == 204
    return message.headers["Twitch-Eventsub-Message-Id"]


def event_ids(local: LocalDeployment) -> list[str]:
    return [event["id"] for event in local.get("/events?limit=100")["events"]]


def sessions(local: LocalDeployment) -> int:
    count: int = local.get("/analytics/summary")["total_stream_sessions"]
    return count


def end_of(process: Process, number: signal.Signals) -> set[int]:
    """Send a signal; the processes that still run once the first has ended."""
    everything = {process.pid} | descendants(process.pid)
    assert len(everything) >= 5  # this one, Valkey, the worker, gunicorn and its processes
    process.signal(number)
    assert process.wait(10) == (-number if number == signal.SIGKILL else 0)
    return running(everything)


class Chain:
    """Starts of one deployment on one folder: each checks what the starts before it have stored.
    It listens on all addresses."""

    def __init__(self, local: LocalDeployment) -> None:
        self.local = local
        self.metrics = local.folder / "tmp"
        self.metrics.mkdir()
        local.environment |= {"HOST": "0.0.0.0", "TMPDIR": str(self.metrics)}  # noqa: S104
        self._acknowledged: list[str] = []
        self._streams = 0

    def running(self) -> Process:
        """The running deployment, started where none runs."""
        processes = self.local.processes
        return processes[-1] if processes and processes[-1].is_running else self.start()

    def start(self) -> Process:
        process = self.local.dev()
        self.check()
        return process

    def check(self) -> None:
        """Every acknowledged event is stored, and becomes part of a session."""
        assert event_ids(self.local) == self._acknowledged[::-1]
        wait_for(lambda: sessions(self.local) == self._streams, 60)

    def go_online(self, stream_id: str) -> None:
        self._acknowledged.append(send_online(self.local, stream_id))
        self._streams += 1

    def go_offline(self, stream_id: str) -> None:
        self._acknowledged.append(send_offline(self.local, stream_id))


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with local_deployment() as deployed:
        yield Chain(deployed)


@pytest.mark.xdist_group("dev-ends")  # one folder for all
def test_ctrl_c_ends_everything_and_the_next_start_has_the_data_the_secret_and_the_key(
    chain: Chain,
) -> None:
    local = chain.local
    first = chain.start()
    file, secret_file = local.data / "api-key", local.data / "webhook-secret"
    key, secret = file.read_text(), secret_file.read_text()
    wait_for(lambda: key in first.log)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(local.data.stat().st_mode) == 0o700
    chain.go_online("9001")
    chain.check()
    assert end_of(first, signal.SIGINT) == set()
    assert first.log.count(key) == 1
    done = local.run("streamwatch", "streamers", "list")
    assert done.returncode == 1
    assert "STORAGE_TYPE=memory" in done.stderr

    second = chain.start()
    wait_for(lambda: "Ctrl-C stops it" in second.log)
    assert key not in second.log
    assert str(file.relative_to(local.folder)) not in second.log
    assert file.read_text() == key
    assert secret_file.read_text() == secret
    assert secret not in local.logs
    [live] = local.get("/streams/live")["live_streams"]
    assert live["stream_data"]["id"] == "9001"
    assert local.get("/health")["analytics"] == "connected"
    chain.go_offline("9001")
    assert "Traceback" not in local.logs


@pytest.mark.xdist_group("dev-ends")  # one folder for all
def test_on_another_address_changes_need_the_key(chain: Chain) -> None:
    local = chain.local
    chain.running()
    assert local.get("/streams/live")["count"] == 0
    path, address = f"{local.url}/admin/subscriptions", f"{local.url}/streamers/shroud"
    refused = requests.get(path, headers={"Authorization": "Bearer wrong-key"}, timeout=5)
    assert refused.status_code == 401
    assert requests.delete(address, timeout=15).status_code == 401
    headers = {"Authorization": f"Bearer {(local.data / 'api-key').read_text()}"}
    assert requests.delete(address, headers=headers, timeout=15).status_code == 404
    allowed = requests.get(path, headers=headers, timeout=5)
    assert allowed.status_code == 503  # no Twitch credentials


@pytest.mark.xdist_group("dev-ends")  # one folder for all
def test_kill_9_of_all_processes_loses_no_event_and_leaves_no_metrics_directory(
    chain: Chain,
) -> None:
    process = chain.running()
    for number in range(20):
        chain.go_online(str(number))
        chain.go_offline(str(number))
    [left] = chain.metrics.glob("streamwatch-metrics-*")
    everything = {process.pid} | descendants(process.pid)
    for pid in sorted(everything):  # parents first, so that none replaces a child
        os.kill(pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: running(everything) == set())
    chain.start()
    [found] = chain.metrics.glob("streamwatch-metrics-*")
    assert found != left


@pytest.mark.xdist_group("dev-ends")  # one folder for all
def test_children_end_with_a_killed_parent(chain: Chain) -> None:
    process = chain.running()
    everything = descendants(process.pid)
    process.kill()
    wait_for(lambda: running(everything) == set())
    chain.start()


@pytest.mark.xdist_group("dev-ends")  # one folder for all
def test_closing_the_terminal_ends_everything(chain: Chain) -> None:
    assert end_of(chain.running(), signal.SIGHUP) == set()


@pytest.mark.xdist_group("dev-ends")  # one folder for all
def test_the_end_of_one_process_ends_all(chain: Chain) -> None:
    process = chain.running()
    everything = descendants(process.pid)
    [worker] = [
        pid
        for pid in everything
        if b"streamwatch.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(worker, signal.SIGKILL)
    assert process.wait() == 1
    assert "The worker process has ended" in process.log
    assert running(everything) == set()


@pytest.mark.xdist_group("dev-ends")  # one folder for all
def test_of_two_starts_at_once_one_is_refused_and_the_other_ends_on_sigterm(chain: Chain) -> None:
    processes = [chain.local.begin() for _ in range(2)]
    chain.local.wait_until_up()
    wait_for(lambda: sum(process.is_running for process in processes) == 1)
    [refused] = [process for process in processes if not process.is_running]
    assert "is in use by another StreamWatch" in refused.log
    [process] = [process for process in processes if process.is_running]
    chain.check()
    assert end_of(process, signal.SIGTERM) == set()
    assert "Traceback" not in process.log


PUBLIC_WEBHOOK = "https://streamwatch.example.com/webhooks/eventsub"


@dataclass
class Ready:
    """The first message that the deployment `local` sent to `socket`, systemd's."""

    local: LocalDeployment
    socket: socket.socket
    message: bytes
    sender: int
    is_up: bool
    """Whether the web process served when the message came."""


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    """A running deployment. Its data folder was open to others."""
    with (
        local_deployment() as deployed,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        path = str(deployed.folder / "notify")
        notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        notify.settimeout(30)
        notify.bind(path)
        deployed.data.mkdir(mode=0o755)
        deployed.begin(WEBHOOK_URL=PUBLIC_WEBHOOK, NOTIFY_SOCKET=path)
        message, ancillary, *_ = notify.recvmsg(100, socket.CMSG_SPACE(12))
        [(_, _, credentials)] = ancillary
        sender, _, _ = struct.unpack("3i", credentials)
        yield Ready(deployed, notify, message, sender, deployed.answers("/health/live"))


@pytest.fixture
def shared(ready: Ready) -> LocalDeployment:
    """A running deployment for tests that do not end it."""
    return ready.local


@pytest.mark.xdist_group("dev")  # one start for all
def test_the_main_process_notifies_systemd_when_everything_is_ready(ready: Ready) -> None:
    """systemd with Type=notify ignores READY=1 of any other process."""
    assert ready.message == b"READY=1"
    assert ready.sender == ready.local.processes[0].pid
    assert ready.is_up
    ready.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        ready.socket.recv(100)


@pytest.mark.xdist_group("dev")  # one start for all
def test_a_second_start_in_the_same_folder_is_refused(shared: LocalDeployment) -> None:
    second = shared.begin()
    assert second.wait() == 1
    holder = shared.processes[0].pid
    assert second.log == (
        f"Error: DATA_DIR: data is in use by another StreamWatch (process {holder})\n"
    )


@pytest.mark.xdist_group("dev")  # one start for all
def test_a_taken_port_is_reported_with_another_to_use(
    shared: LocalDeployment, tmp_path: Path
) -> None:
    other = shared.begin(DATA_DIR=str(tmp_path / "other"))
    assert other.wait() == 1
    assert other.log.startswith(f"Error: PORT: {shared.port} on HOST 127.0.0.1 cannot be used")
    assert f"PORT={shared.port + 1}" in other.log


@pytest.mark.xdist_group("dev")  # one start for all
def test_an_open_data_folder_is_closed_to_other_users(shared: LocalDeployment) -> None:
    assert stat.S_IMODE(shared.data.stat().st_mode) == 0o700


@pytest.mark.xdist_group("dev")  # one start for all
def test_commands_use_the_storage_that_runs_here(shared: LocalDeployment) -> None:
    done = shared.run("streamwatch", "streamers", "list")
    assert done.returncode == 0, done.stderr


@pytest.mark.xdist_group("dev")  # one start for all
def test_the_banner_names_address_dashboard_data_and_what_is_missing(
    shared: LocalDeployment,
) -> None:
    [process, *_] = shared.processes
    wait_for(lambda: "Ctrl-C stops it" in process.log)
    for text in (
        shared.url,
        f"{shared.url}/dashboard",
        str(shared.data),
        "TWITCH_CLIENT_ID",
        "https://dev.twitch.tv/console/apps",
    ):
        assert text in process.log


@pytest.mark.xdist_group("dev")  # one start for all
def test_on_loopback_it_answers_to_loopback_hosts_only(shared: LocalDeployment) -> None:
    def status(host: str, path: str = "/health/live") -> int:
        return requests.get(shared.url + path, headers={"Host": host}, timeout=5).status_code

    for host in ("localhost", "LOCALHOST:80", "127.0.0.1", "[::1]", f"[::1]:{shared.port}"):
        assert status(host) == 200
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", ""):
        assert status(host) in (400, 403)
    # A tunnel passes on the public host; only the webhook answers to it, to POST.
    assert status("streamwatch.example.com") == 403
    assert status("streamwatch.example.com", "/webhooks/eventsub") == 405


def test_web_or_worker_alone_name_the_missing_process(local: LocalDeployment) -> None:
    for name in ("web", "worker"):
        process = local.start(name, STORAGE_TYPE="embedded")
        assert process.wait() == 1
        [line] = process.log.splitlines()
        assert line.startswith("STORAGE_TYPE: embedded storage is not running; start everything")
        assert "`streamwatch dev`" in line


def test_port_0_is_refused(local: LocalDeployment) -> None:
    process = local.begin(PORT="0")
    assert process.wait() == 1
    assert "PORT" in process.log


def test_a_folder_that_cannot_be_used_is_reported(local: LocalDeployment) -> None:
    (local.folder / "data").write_text("a file, no folder")
    process = local.begin()
    assert process.wait() == 1
    assert process.log.startswith("Error: DATA_DIR: 'data' cannot be used")


def test_a_path_too_long_for_a_socket_is_reported(local: LocalDeployment) -> None:
    process = local.begin(DATA_DIR="x" * 120)
    assert process.wait() == 1
    assert "is too long for a socket's path" in process.log


def test_with_memory_storage_the_web_process_is_enough(local: LocalDeployment) -> None:
    process = local.dev(STORAGE_TYPE="memory")
    assert local.get("/health")["worker"] in ("running", "unknown")
    assert not local.data.exists()
    assert process.stop()[0] == 0


def test_credentials_entered_in_the_browser_are_used_without_a_restart(
    local: LocalDeployment,
) -> None:
    with Simulator() as twitch:
        process = local.dev(
            TWITCH_API_URL=twitch.api_url,
            TWITCH_AUTH_URL=twitch.auth_url,
            TWITCH_EVENTSUB_URL=twitch.eventsub_url,
        )
        streamer = f"{local.url}/streamers/shroud"
        assert requests.post(streamer, timeout=5).status_code == 503
        answer = requests.post(
            f"{local.url}/dashboard/setup/credentials",
            data={"client_id": twitch.client_id, "client_secret": twitch.client_secret},
            timeout=20,
        )
        assert answer.status_code == 200  # the set-up page, after a redirect
        wait_for(lambda: requests.post(streamer, timeout=20).status_code in (200, 201), 60)
        assert process.is_running
        assert twitch.client_secret not in local.logs
