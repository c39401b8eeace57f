"""`streamwatch dev`: everything on one machine, with no server, kept across every kind of end."""

import os
import signal
import stat
from pathlib import Path

import requests

from tests import messages
from tests.deploy.conftest import Household
from tests.processes import Process
from tests.waiting import wait_for


def descendants(pid: int) -> set[int]:
    """The processes that came from one, as far as they still run."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return set()
    found = {int(child) for child in children}
    return found.union(*map(descendants, found))


def running(pids: set[int]) -> set[int]:
    """Those that run and are not just waited for."""
    states = {pid: Path(f"/proc/{pid}/stat") for pid in pids}
    return {
        pid
        for pid, file in states.items()
        if file.exists() and file.read_text().rpartition(")")[2].split()[0] != "Z"
    }


def send_online(household: Household, stream_id: str) -> str:
    """Have the webhook acknowledge that a stream began; the message's id."""
    secret = (household.data / "webhook-secret").read_text()
    message = messages.online(stream_id=stream_id, secret=secret)
    answer = requests.post(
        household.webhook_url, data=message.body, headers=message.headers, timeout=5
    )
    assert answer.status_code == 204
    return message.headers["Twitch-Eventsub-Message-Id"]


def event_ids(household: Household) -> list[str]:
    return [event["id"] for event in household.get("/events")["events"]]


def sessions(household: Household) -> int:
    count: int = household.get("/analytics/summary")["total_stream_sessions"]
    return count


def end_of(process: Process, number: signal.Signals) -> set[int]:
    """The processes that are left 10 seconds after a signal, or sooner."""
    everything = {process.pid} | descendants(process.pid)
    assert len(everything) >= 5  # this one, Valkey, the worker, gunicorn and its processes
    process.signal(number)
    assert process.wait(10) == (-number if number == signal.SIGKILL else 0)
    return running(everything)


def test_ctrl_c_ends_everything_and_the_next_start_has_it_all(household: Household) -> None:
    first = household.dev()
    sent = send_online(household, "9001")
    wait_for(lambda: sessions(household) == 1, 20)
    assert end_of(first, signal.SIGINT) == set()
    second = household.dev()
    assert event_ids(household) == [sent]
    assert sessions(household) == 1
    [live] = household.get("/streams/live")["live_streams"]
    assert live["stream_data"]["id"] == "9001"
    assert household.get("/health")["analytics"] == "connected"
    assert end_of(second, signal.SIGTERM) == set()
    assert "Traceback" not in household.logs


def test_kill_9_of_everything_loses_nothing_that_was_acknowledged(household: Household) -> None:
    first = household.dev()
    sent = [send_online(household, str(number)) for number in range(20)]
    for pid in {first.pid} | descendants(first.pid):
        os.kill(pid, signal.SIGKILL)
    first.wait()
    household.dev()
    assert event_ids(household) == sent[::-1]
    wait_for(lambda: sessions(household) == 20, 60)


def test_nothing_outlives_the_process_that_started_it(household: Household) -> None:
    first = household.dev()
    everything = descendants(first.pid)
    first.kill()
    wait_for(lambda: running(everything) == set())
    household.dev()


def test_a_closed_terminal_ends_everything(household: Household) -> None:
    assert end_of(household.dev(), signal.SIGHUP) == set()


def test_when_one_process_ends_all_do(household: Household) -> None:
    process = household.dev()
    everything = descendants(process.pid)
    [worker] = [
        pid
        for pid in everything
        if b"streamwatch.worker.scheduler" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(worker, signal.SIGKILL)
    assert process.wait() == 1
    assert "The worker process has ended" in process.log
    assert running(everything) == set()


def test_a_second_one_in_the_same_folder_is_refused(household: Household) -> None:
    household.dev()
    second = household.begin(PORT="0")
    assert second.wait() == 1
    assert "PORT" in second.log
    third = household.begin()
    assert third.wait() == 1
    assert third.log == "Error: DATA_DIR: data is in use by another StreamWatch\n"


def test_commands_mean_what_runs_here(household: Household) -> None:
    household.dev()
    done = household.run("streamwatch", "streamers", "list")
    assert done.returncode == 0, done.stderr
    household.processes[0].stop()
    done = household.run("streamwatch", "streamers", "list")
    assert done.returncode == 1
    assert "STORAGE_TYPE=memory" in done.stderr


def test_alone_web_and_worker_say_what_to_run(household: Household) -> None:
    for name in ("web", "worker"):
        process = household.start(name, STORAGE_TYPE="embedded")
        assert process.wait() == 1
        [line] = process.log.splitlines()
        assert line.startswith("STORAGE_TYPE: embedded storage is not running; start everything")
        assert "`streamwatch dev`" in line


def test_the_webhook_secret_is_made_once_and_only_for_its_owner(household: Household) -> None:
    household.dev().stop()
    file = household.data / "webhook-secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(household.data.stat().st_mode) == 0o700
    secret = file.read_text()
    household.dev()
    assert file.read_text() == secret
    assert secret not in household.logs


def test_a_folder_that_cannot_be_used_is_told(household: Household) -> None:
    (household.folder / "data").write_text("a file, no folder")
    process = household.begin()
    assert process.wait() == 1
    assert process.log.startswith("Error: DATA_DIR: 'data' cannot be used")


def test_a_path_that_no_socket_can_have_is_told(household: Household) -> None:
    process = household.begin(DATA_DIR="x" * 120)
    assert process.wait() == 1
    assert "is too long for a socket's path" in process.log


def test_with_memory_storage_the_web_process_is_enough(household: Household) -> None:
    process = household.dev(STORAGE_TYPE="memory")
    assert household.get("/health")["worker"] in ("running", "unknown")
    assert not household.data.exists()
    assert process.stop()[0] == 0


def test_elsewhere_than_at_home_it_says_so(household: Household, tmp_path: Path) -> None:
    process = Process(["streamwatch", "dev"], household.environment, tmp_path)
    assert process.wait() == 1
    assert process.log == (
        "Error: There is no config/gunicorn.conf.py here: run this in StreamWatch's folder.\n"
    )
