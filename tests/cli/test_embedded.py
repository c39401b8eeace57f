"""Commands beside a running `streamwatch dev`, which find its storage in DATA_DIR."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from streamwatch.embedded_socket import socket_path, socket_url
from tests.cli.conftest import Shell
from tests.servers import redis_server


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder with the socket of a server; its path is short enough for a socket."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        with redis_server("--unixsocket", str(socket_path(path))):
            yield path


@pytest.mark.parametrize("web_concurrency", [None, "2"])
def test_a_command_uses_the_storage_that_runs_on_data_dir(
    shell: Shell, data_dir: Path, web_concurrency: str | None
) -> None:
    shell.environment |= {
        "STORAGE_TYPE": None,
        "ANALYTICS_TYPE": None,
        "DATA_DIR": str(data_dir),
        "WEB_CONCURRENCY": web_concurrency,
    }
    assert shell.does("streamers", "add", "shroud")
    with redis.Redis.from_url(socket_url(data_dir)) as client:
        assert client.hlen("{streamwatch}:streamers") == 1
    assert "shroud" in shell.does("streamers", "list")


def test_without_a_running_storage_a_command_says_that_memory_is_in_the_web_process(
    shell: Shell, tmp_path: Path
) -> None:
    result = shell.run("streamers", "list", STORAGE_TYPE=None, DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "STORAGE_TYPE=memory is in the web process's memory" in result.output
    assert "If you use `streamwatch dev`, run this command while it runs" in result.output
