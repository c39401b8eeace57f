"""The example of a plug-in: found by its entry point, and proven by the contract it ships with."""

from collections.abc import Iterator
from pathlib import Path
from tomllib import loads

import pytest

from streamwatch.settings import Settings
from streamwatch.storage import open_storage
from streamwatch.storage.base import Storage
from streamwatch.storage.redis.codec import read_event
from streamwatch.storage.testing import ChangesContract, OpenStorage, StorageContract
from streamwatch.storage.testing.build import change, event, status, store

EXAMPLE = Path(__file__).parents[2] / "examples" / "streamwatch-archive"


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `pip install ./examples/streamwatch-archive` leaves it, without asking an index."""
    project = loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    installed = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}")
    lines = [
        f"[{group}]\n" + "\n".join(f"{name} = {target}" for name, target in points.items())
        for group, points in project["entry-points"].items()
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.setenv("STREAMWATCH_ARCHIVE", str(tmp_path / "events.jsonl"))


@pytest.fixture
def open_archive(redis_url: str, _installed: None) -> Iterator[OpenStorage]:
    opened: list[Storage] = []

    def open_one(events_kept: int = 1000) -> Storage:
        settings = Settings(storage_type="archive", redis_url=redis_url, events_kept=events_kept)
        opened.append(open_storage(settings))
        return opened[-1]

    yield open_one
    for storage in opened:
        storage.close()


class TestArchiveStorage(StorageContract, ChangesContract):
    @pytest.fixture
    def open_storage(self, open_archive: OpenStorage) -> OpenStorage:
        return open_archive


def test_the_archive_keeps_each_event_once_and_for_ever(
    open_archive: OpenStorage, tmp_path: Path
) -> None:
    storage = open_archive(events_kept=1)
    events = [event("first", 0), event("second", 1)]
    for version, told in enumerate(events, start=1):
        stored = change(status(version=version), told, message_id=told.id)
        store(storage, stored)
        storage.commit([stored])
    assert [kept.id for kept in storage.events(10)] == ["second"]
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert [read_event(line) for line in lines] == events
