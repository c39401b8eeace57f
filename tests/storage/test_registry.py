"""Storages are opened by the name in STORAGE_TYPE."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from streamwatch.analytics import ANALYTICS
from streamwatch.registry import Registry, UnknownBackend
from streamwatch.settings import VARIABLES, Settings, SettingsError
from streamwatch.settings.variables import BUILTIN_ANALYTICS, BUILTIN_STORAGES
from streamwatch.storage import STORAGES, open_storage
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.testing.build import store_events


def test_memory_and_redis_are_known() -> None:
    assert {"memory", "redis"} <= set(STORAGES.names())
    assert isinstance(open_storage(Settings(storage_type="memory")), MemoryStorage)
    assert isinstance(open_storage(Settings(storage_type="redis")), RedisStorage)


def test_opening_a_storage_does_not_connect() -> None:
    open_storage(Settings(storage_type="redis", redis_url="redis://nowhere.invalid")).close()


def test_the_settings_reach_the_storage() -> None:
    storage = open_storage(Settings(events_kept=2))

    store_events(storage, "e1", "e2", "e3")

    assert len(storage.events(10)) == 2


def test_an_unknown_name_is_a_settings_error_that_lists_the_known_names() -> None:
    with pytest.raises(UnknownBackend) as caught:
        open_storage(Settings(storage_type="cassandra"))

    [fault] = caught.value.faults
    assert fault.startswith("STORAGE_TYPE: 'cassandra'")
    assert "memory, redis" in fault
    assert isinstance(caught.value, SettingsError)


@pytest.mark.parametrize(
    ("registry", "variable", "names"),
    [
        (STORAGES, "STORAGE_TYPE", BUILTIN_STORAGES),
        (ANALYTICS, "ANALYTICS_TYPE", BUILTIN_ANALYTICS),
    ],
)
def test_the_settings_know_the_names_of_the_backends(
    registry: Registry, variable: str, names: tuple[str, ...]
) -> None:
    assert set(names) == set(registry.builtin)
    for name in registry.names():
        VARIABLES[variable].check(name)


def test_an_installed_package_can_provide_a_storage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry point's name is known, and cannot replace one of StreamWatch's own."""
    metadata = tmp_path / "plugin-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[streamwatch.storage]\nplugged = plugin:Plugged\nredis = plugin:Plugged\n"
    )
    (tmp_path / "plugin.py").write_text(
        "from streamwatch.storage.memory import MemoryStorage\nclass Plugged(MemoryStorage): ...\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    assert "plugged" in STORAGES.names()
    VARIABLES["STORAGE_TYPE"].check("plugged")
    with pytest.raises(ValueError, match=r"known: .*, plugged,"):
        VARIABLES["STORAGE_TYPE"].check("unplugged")
    assert type(open_storage(Settings(storage_type="plugged"))).__name__ == "Plugged"
    assert isinstance(open_storage(Settings(storage_type="redis")), RedisStorage)
    assert EntryPoint("plugged", "plugin:Plugged", "streamwatch.storage").load()
