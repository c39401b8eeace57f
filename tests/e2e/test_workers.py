"""Two workers on a real Redis: one leads, the other follows."""

import signal
from collections.abc import Iterator

import pytest
import redis
import requests

from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.services.locks import LEADER_LEASE
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.simulator import CallFault, MessageFault, MessageType, Simulator
from streamwatch.simulator.subscriptions import ENABLED
from streamwatch.storage.base import JobRun, Lease
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests.e2e.conftest import API_KEY, twitch_settings
from tests.processes import Deployment, Process, deployment
from tests.servers import Server, redis_server
from tests.waiting import wait_for

LOGINS = ("shroud", "quillandcopper", "waldkauzig")

pytestmark = pytest.mark.xdist_group("workers")  # one web deployment for all


@pytest.fixture(scope="module")
def redis_server_of_web() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def storage(redis_server_of_web: Server) -> Iterator[RedisStorage]:
    storage = RedisStorage(Connection.to(redis_server_of_web.url), events_kept=1000)
    yield storage
    storage.close()


@pytest.fixture(scope="module")
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory, twitch: Simulator, redis_server_of_web: Server
) -> Iterator[Deployment]:
    """The web process, and settings for workers."""
    settings = twitch_settings(twitch) | {
        "STORAGE_TYPE": "redis",
        "REDIS_URL": redis_server_of_web.url,
        "ANALYTICS_TYPE": "memory",
        "DEFAULT_STREAMERS": "shroud",
        "REFRESH_SECONDS": "2",
    }
    with deployment(tmp_path_factory.mktemp("workers") / "service", **settings) as deployed:
        deployed.environment["WEBHOOK_URL"] = deployed.webhook_url
        deployed.start("web")
        deployed.wait_until_up()
        yield deployed


@pytest.fixture
def service(
    web: Deployment, twitch: Simulator, redis_server_of_web: Server
) -> Iterator[Deployment]:
    """The deployment without workers. After the test its workers, its data, and its streams and
    subscriptions at Twitch are removed."""
    yield web
    while len(web.processes) > 1:
        web.processes.pop().kill()
    for login in LOGINS:
        if twitch.world.stream(login):
            twitch.world.go_offline(login)
    twitch.wait_until_delivered()
    for subscription in twitch.subscriptions.all():
        twitch.subscriptions.delete(subscription.id)
    with redis.Redis.from_url(redis_server_of_web.url) as client:
        client.flushall()


def leader_of(storage: RedisStorage) -> Lease:
    wait_for(lambda: storage.coordination.lease(LEADER_LEASE) is not None, 20)
    lease = storage.coordination.lease(LEADER_LEASE)
    assert lease is not None
    return lease


def process_of(service: Deployment, lease: Lease) -> Process:
    """The process that holds the lease: holders are named by their pid."""
    pid = int(lease.holder.split(":")[1])
    return next(process for process in service.processes if process.pid == pid)


def last_refresh(storage: RedisStorage) -> JobRun | None:
    return storage.coordination.job_runs().get(REFRESH)


def wait_for_refresh(storage: RedisStorage, seconds: float) -> None:
    """Return once a refresh has begun and ended from now on."""
    before = last_refresh(storage)
    wait_for(lambda: last_refresh(storage) not in (None, before), seconds)


def test_another_worker_refreshes_within_15_seconds_of_a_leaders_death(
    service: Deployment, storage: RedisStorage, twitch: Simulator
) -> None:
    service.start("worker")
    service.start("worker")
    wait_for_refresh(storage, 30)
    leader = leader_of(storage)
    process_of(service, leader).kill()
    wait_for(lambda: storage.coordination.lease(LEADER_LEASE) not in (None, leader), 15)
    wait_for_refresh(storage, 15)
    twitch.faults.on_message(MessageFault.DROPPED)
    twitch.world.go_online("shroud")
    wait_for(lambda: service.get("/streams/live")["count"] == 1, 10)


def test_a_stopping_leader_is_replaced_at_once(service: Deployment, storage: RedisStorage) -> None:
    service.start("worker")
    service.start("worker")
    wait_for_refresh(storage, 30)
    leader = leader_of(storage)
    process_of(service, leader).stop()
    wait_for(lambda: storage.coordination.lease(LEADER_LEASE) not in (None, leader), 6)


def test_a_requested_job_survives_the_leader_that_was_killed_while_it_ran(
    service: Deployment, storage: RedisStorage, twitch: Simulator
) -> None:
    service.start("worker")
    service.start("worker")
    wait_for(lambda: len(twitch.subscriptions.all()) == 2, 30)
    wait_for(lambda: RECONCILE in storage.coordination.job_runs())
    twitch.faults.on_call("/helix/eventsub/subscriptions", CallFault(delay=30))
    added = requests.post(
        f"{service.url}/streamers",
        json={"usernames": ["quillandcopper", "waldkauzig"]},
        headers={"Authorization": f"Bearer {API_KEY}"},
        timeout=10,
    )
    assert added.status_code == 200, added.text
    wait_for(lambda: RECONCILE in storage.coordination.job_requests())
    wait_for(lambda: storage.coordination.lease(RECONCILE) is not None)
    process_of(service, leader_of(storage)).kill()
    wait_for(lambda: len(twitch.subscriptions.all()) == 6, 60)
    wait_for(lambda: RECONCILE not in storage.coordination.job_requests())


def test_a_frozen_leader_does_not_overwrite_its_successor(
    service: Deployment, storage: RedisStorage, twitch: Simulator
) -> None:
    twitch.world.go_online("shroud", viewers=111)
    service.start("worker")
    wait_for_refresh(storage, 30)
    service.start("worker")
    leader = leader_of(storage)
    paused = process_of(service, leader)
    paused.signal(signal.SIGSTOP)
    wait_for(lambda: storage.coordination.lease(LEADER_LEASE) not in (None, leader), 15)
    twitch.world.set_viewers("shroud", 222)
    wait_for(
        lambda: (
            service.get("/streams/live")["live_streams"][0]["stream_data"]["viewer_count"] == 222
        ),
        15,
    )
    successor = leader_of(storage)
    paused.signal(signal.SIGCONT)
    wait_for(lambda: "has passed to another process" in paused.log, 15)
    wait_for_refresh(storage, 15)
    assert leader_of(storage) == successor
    live = service.get("/streams/live")["live_streams"]
    assert live[0]["stream_data"]["viewer_count"] == 222


def test_two_workers_repair_the_faults_of_twitch(
    service: Deployment, storage: RedisStorage, twitch: Simulator
) -> None:
    for path in ("/helix/users", "/helix/streams", "/helix/eventsub/subscriptions"):
        twitch.faults.on_call(path, CallFault(429, reset_in=1))
        twitch.faults.on_call(path, CallFault(401))
        twitch.faults.on_call(path, CallFault(delay=1))
    twitch.faults.on_call("/helix/eventsub/subscriptions", CallFault(500), after=2)
    twitch.faults.on_call("/helix/eventsub/subscriptions", CallFault(503), after=2)
    twitch.faults.on_message(MessageFault.FORGED, kind=MessageType.VERIFICATION)
    settings = {"DEFAULT_STREAMERS": ",".join(LOGINS), "VERIFY_SECONDS": "2"}
    service.start("worker", **settings)
    service.start("worker", **settings)

    def are_subscribed() -> bool:
        active = [
            (item.type, item.user_id) for item in twitch.subscriptions.all() if item.is_active
        ]
        healthy = all(item.status == ENABLED for item in twitch.subscriptions.all())
        return healthy and len(active) == len(set(active)) == 2 * len(LOGINS)

    wait_for(are_subscribed, 60)
    twitch.faults.on_call("/helix/eventsub/subscriptions", CallFault(half=True), times=2)
    twitch.oauth.expire_all()
    for fault in (MessageFault.DROPPED, MessageFault.DOUBLED, MessageFault.ECHOED):
        twitch.faults.on_message(fault)
    for login in LOGINS:
        twitch.world.go_online(login)
    wait_for(lambda: service.get("/streams/live")["count"] == len(LOGINS))
    wait_for(are_subscribed, 60)
    for login in LOGINS:
        events = service.get(f"/events/streamer/{login}")["events"]
        assert [event["event_type"] for event in events] == ["stream.online"], events
    # Twitch has the subscriptions before the turn that created them has saved their ids.
    wait_for(lambda: all(streamer.is_active for streamer in storage.streamers()))
