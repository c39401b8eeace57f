"""The example plug-in is found by its entry point and passes the contract tests."""

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
    """Install the example as `pip install ./examples/streamwatch-archive` would, offline."""
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

    def open_archive_storage(events_kept: int = 1000) -> Storage:
        settings = Settings(storage_type="archive", redis_url=redis_url, events_kept=events_kept)
        opened.append(open_storage(settings))
        return opened[-1]

    yield open_archive_storage
    for storage in opened:
        storage.close()


class TestArchiveStorage(StorageContract, ChangesContract):
    @pytest.fixture
    def open_storage(self, open_archive: OpenStorage) -> OpenStorage:
        return open_archive


def test_the_archive_stores_each_event_once_and_permanently(
    open_archive: OpenStorage, tmp_path: Path
) -> None:
    storage = open_archive(events_kept=1)
    events = [event("first", 0), event("second", 1)]
    for version, committed in enumerate(events, start=1):
        message = change(status(version=version), committed, message_id=committed.id)
        store(storage, message)
        storage.commit([message])
    assert [found.id for found in storage.events(10)] == ["second"]
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert [read_event(line) for line in lines] == events
