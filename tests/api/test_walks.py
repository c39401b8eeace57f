"""Walking the history of events while others arrive, in memory and behind two web processes."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from random import Random

import pytest
from flask.testing import FlaskClient

from streamwatch.bootstrap import assemble
from streamwatch.domain.batches import batched
from streamwatch.domain.models import StreamEvent
from streamwatch.settings import Settings
from streamwatch.storage import open_storage
from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import change, event, status, store
from tests.api.world import FakeAnalytics
from tests.application import application
from tests.fakes import FakeTwitch
from tests.messages import SECRET

EVENTS_AT_ONCE = 500
SIZES = [
    pytest.param((2_000, 200, 100), id="small"),
    pytest.param((100_000, 1_000, 1_000), id="large", marks=pytest.mark.soak),
]
"""How many events are there, how many arrive meanwhile, and the `limit` of a page."""


class Writer:
    """Stores events of random times, many of which are equal."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._random = Random(20)  # noqa: S311  reproducible
        self._numbers = count(1)

    def write(self, number: int) -> set[str]:
        """Store events, and return their ids."""
        new = [self._event() for _ in range(number)]
        for some in batched(new, EVENTS_AT_ONCE):
            known = self._storage.status("1")
            after = status(version=(known.version if known else 0) + 1)
            store(self._storage, change(after, *some))
        return {item.id for item in new}

    def _event(self) -> StreamEvent:
        name = f"{self._random.random()}-{next(self._numbers)}"
        return event(name, self._random.randrange(300))


@pytest.fixture(params=["memory", "redis"])
def clients(request: pytest.FixtureRequest) -> Iterator[tuple[list[FlaskClient], Storage]]:
    """Clients of the web processes of a storage, and the storage."""
    options = (
        {"redis_url": request.getfixturevalue("redis_url")} if request.param == "redis" else {}
    )
    settings = Settings(
        storage_type=request.param,
        webhook_secrets=(SECRET,),
        events_kept=200_000,
        rate_limit=0,
        **options,
    )
    with ExitStack() as stack:
        clients, storage = [], open_storage(settings)
        for _ in range(2 if storage.shared else 1):
            services = assemble(settings, storage, FakeTwitch(), FakeAnalytics())
            stack.callback(services.close)
            clients.append(application(services).test_client())
            storage = open_storage(settings) if storage.shared else storage
        stack.callback(storage.close)
        yield clients, storage


@pytest.mark.parametrize("size", SIZES)
def test_a_walk_while_events_arrive_shows_each_earlier_event_once(
    clients: tuple[list[FlaskClient], Storage], size: tuple[int, int, int]
) -> None:
    web, storage = clients
    existing, arriving, limit = size
    writer = Writer(storage)
    before = writer.write(existing)
    shown: list[str] = []
    path = f"/events?limit={limit}"
    for page_number in count():
        page = web[page_number % len(web)].get(path).get_json()
        shown += [item["id"] for item in page["events"]]
        if page["next"] is None:
            break
        path = f"/events?limit={limit}&after={page['next']}"
        if arriving:
            step = min(arriving, max(1, size[1] * limit // existing))
            writer.write(step)
            arriving -= step
    assert arriving == 0
    assert len(shown) == len(set(shown))
    assert before <= set(shown)
