"""The leader's WebSocket: events are stored, losses are followed by a poll, leaders take turns."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from streamwatch.bootstrap import build
from streamwatch.services.subscriptions.eventsub_state import eventsub_state
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.simulator import MessageFault, Simulator
from streamwatch.storage.base import StorageUnavailable
from streamwatch.twitch.base import EventSubSocket
from streamwatch.worker import eventsub_listener, shard_check
from tests.waiting import wait_for
from tests.worker.listening import Worker, is_attached, is_live, settings_for, watching


@pytest.fixture
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        simulator.sockets.keepalive = 0.2
        yield simulator


@pytest.fixture
def worker(twitch: Simulator) -> Iterator[Worker]:
    with watching(twitch, "shroud", "waldkauzig") as worker:
        yield worker


def history(worker: Worker) -> list[str]:
    return [str(event.event_type) for event in reversed(worker.services.storage.events(100))]


def test_an_event_is_stored_without_a_public_address(twitch: Simulator, worker: Worker) -> None:
    twitch.world.go_online("shroud")
    wait_for(lambda: is_live(worker.services, "shroud"), 10)
    twitch.world.go_offline("shroud")
    wait_for(lambda: not is_live(worker.services, "shroud"), 10)
    assert history(worker) == ["stream.online", "stream.offline"]
    assert worker.outcomes == ["accepted", "accepted"]


def test_duplicates_are_stored_once(twitch: Simulator, worker: Worker) -> None:
    twitch.faults.on_message(MessageFault.DOUBLED)
    twitch.faults.on_message(MessageFault.ECHOED)
    twitch.world.go_online("shroud")
    twitch.world.go_online("waldkauzig")
    wait_for(lambda: len(worker.outcomes) == 4, 10)
    assert history(worker) == ["stream.online", "stream.online"]


def test_a_revocation_is_recorded_and_requests_a_reconciliation(
    twitch: Simulator, worker: Worker
) -> None:
    coordination = worker.services.storage.coordination
    before = coordination.job_requests().get(RECONCILE)
    twitch.eventsub.revoke(twitch.subscriptions.all()[0])
    wait_for(lambda: worker.outcomes == ["revoked"], 10)
    assert coordination.job_requests()[RECONCILE] != before
    assert not all(streamer.is_active for streamer in worker.services.storage.streamers())


def loss(twitch: Simulator, how: str) -> None:
    if how == "cut":
        twitch.sockets.cut()
    elif how == "closed":
        twitch.sockets.close(4000)
    else:
        twitch.sockets.keep_silent(3600)


@pytest.mark.parametrize("how", ["cut", "closed", "silent"])
def test_a_start_that_was_missed_is_found_by_a_poll_after_the_loss(
    twitch: Simulator, worker: Worker, how: str
) -> None:
    polls, connections = worker.polls, twitch.sockets.connections
    twitch.conduits.disconnect(twitch.sockets.session_ids()[0])  # what happens now is lost
    twitch.world.go_online("shroud")
    loss(twitch, how)
    wait_for(lambda: twitch.sockets.connections > connections, 20)
    wait_for(lambda: worker.polls > polls, 10)
    assert is_live(worker.services, "shroud")
    assert [event.source for event in worker.services.storage.events(10)] == ["poll"]


def test_a_reconnect_loses_nothing_and_polls_no_streamer(twitch: Simulator, worker: Worker) -> None:
    polls, connections = worker.polls, twitch.sockets.connections
    twitch.world.go_online("shroud")
    twitch.sockets.reconnect()
    wait_for(lambda: twitch.sockets.connections == connections + 1, 10)
    twitch.world.go_online("waldkauzig")
    wait_for(lambda: len(worker.outcomes) == 2, 10)
    wait_for(lambda: len(twitch.sockets.session_ids()) == 1, 10)
    assert worker.outcomes == ["accepted", "accepted"]
    assert worker.polls == polls


def test_a_short_outage_of_the_storage_loses_no_message(
    twitch: Simulator, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, is_down = worker.services.storage, threading.Event()
    commit = storage.commit

    def failing_commit(*arguments: object) -> object:
        if is_down.is_set():
            raise StorageUnavailable("The storage is down.")
        return commit(*arguments)  # type: ignore[arg-type]  # passed on as received

    monkeypatch.setattr(storage, "commit", failing_commit)
    is_down.set()
    twitch.world.go_online("shroud")
    twitch.world.go_online("waldkauzig")
    wait_for(lambda: len(twitch.sockets.deliveries) == 2, 10)
    is_down.clear()
    wait_for(lambda: len(worker.outcomes) == 2, 10)
    assert history(worker) == ["stream.online", "stream.online"]


def test_a_deleted_conduit_is_created_again(twitch: Simulator, worker: Worker) -> None:
    [old] = twitch.conduits.all()
    twitch.conduits.delete(old.id)
    twitch.sockets.cut()
    wait_for(lambda: is_attached(twitch), 20)
    [new] = twitch.conduits.all()
    assert new.id != old.id
    assert RECONCILE in worker.services.storage.coordination.job_requests()
    worker.services.subscriptions.reconcile()
    twitch.world.go_online("shroud")
    wait_for(lambda: is_live(worker.services, "shroud"), 10)


def test_a_conduit_that_disappears_under_the_connection_is_noticed(
    twitch: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_check, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(eventsub_listener, "_PUBLISH_SECONDS", 0.1)
    with watching(twitch, "shroud"):
        twitch.conduits.delete(twitch.conduits.all()[0].id)
        wait_for(lambda: is_attached(twitch), 20)


def test_a_shard_that_is_refused_inside_a_202_is_tried_again(twitch: Simulator) -> None:
    twitch.conduits.attach_errors.append("internal_error")
    with watching(twitch, "shroud"):
        assert is_attached(twitch)


def test_a_standby_does_not_connect_and_takes_over_when_it_leads(
    twitch: Simulator, worker: Worker
) -> None:
    standby = Worker(worker.services, is_shared=False)
    try:
        connections = twitch.sockets.connections
        worker.lease = None
        wait_for(lambda: not twitch.sockets.session_ids(), 10)
        assert twitch.sockets.connections == connections
        standby.lead(2)
        wait_for(lambda: is_attached(twitch), 10)
        wait_for(lambda: standby.polls == 1, 10)
        assert len(twitch.conduits.all()) == 1
    finally:
        standby.stop()


def test_a_leader_that_stops_keeps_its_connection_until_its_successor_is_attached(
    twitch: Simulator,
) -> None:
    with watching(twitch, "shroud", is_shared=True) as worker:
        [session] = twitch.sockets.session_ids()
        successor = Worker(worker.services, is_shared=False)
        try:
            worker.listener.request_stop()
            worker.lease = None
            assert twitch.sockets.session_ids() == [session]
            twitch.world.go_online("shroud")
            wait_for(lambda: is_live(worker.services, "shroud"), 10)
            successor.lead(2)
            wait_for(lambda: session not in twitch.sockets.session_ids(), 10)
            assert is_attached(twitch)
        finally:
            successor.stop()


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_leader_that_is_replaced_while_it_connects_leaves_the_shard_to_its_successor(
    twitch: Simulator, monkeypatch: pytest.MonkeyPatch, *, is_stopped: bool
) -> None:
    services = build(settings_for(twitch))
    is_connected, may_continue = threading.Event(), threading.Event()
    attached: list[str] = []

    def connect(url: str | None) -> EventSubSocket:
        opened = services.connect_eventsub(url)
        is_connected.set()
        assert may_continue.wait(10)
        return opened

    monkeypatch.setattr(services.conduit, "attach", lambda _, session: attached.append(session))
    worker = Worker(replace(services, connect_eventsub=connect))
    try:
        worker.lead(1)
        assert is_connected.wait(10)
        if is_stopped:
            worker.listener.request_stop()
        else:
            worker.lease = None
        may_continue.set()
        wait_for(lambda: not twitch.sockets.session_ids(), 10)
        assert attached == []
    finally:
        may_continue.set()
        worker.stop()
        services.close()


def test_a_process_that_no_other_can_replace_deletes_its_conduit_at_the_end(
    twitch: Simulator,
) -> None:
    services = build(settings_for(twitch))
    worker = Worker(services, is_shared=False)
    worker.lead()
    wait_for(lambda: is_attached(twitch), 10)
    worker.stop()
    assert twitch.conduits.all() == []
    services.close()


def test_the_state_is_published(twitch: Simulator, worker: Worker) -> None:
    coordination = worker.services.storage.coordination
    assert eventsub_state(coordination).is_connected
    twitch.sockets.is_refusing = True
    twitch.sockets.cut()
    wait_for(lambda: not eventsub_state(coordination).is_connected, 10)
    twitch.sockets.is_refusing = False
    wait_for(lambda: eventsub_state(coordination).is_connected, 20)
    wait_for(lambda: eventsub_state(coordination).reconnects > 0, 20)
