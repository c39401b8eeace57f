from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.processes import Deployment, Process


class LocalDeployment(Deployment):
    """StreamWatch on one machine, run by `streamwatch dev`."""

    def dev(self, **settings: str) -> Process:
        """Start everything, and return once it serves."""
        process = self.begin(**settings)
        self.wait_until_up()
        return process

    def close(self) -> None:
        """End each with its children, which would otherwise still write into `data`."""
        for process in self.processes:
            process.stop()

    def begin(self, **settings: str) -> Process:
        process = Process(["streamwatch", "dev"], self.environment | settings, self.folder)
        self.processes.append(process)
        return process

    @property
    def data(self) -> Path:
        return self.folder / "data"


@contextmanager
def local_deployment() -> Iterator[LocalDeployment]:
    """In a folder with a short name: a socket's path has about 100 characters."""
    with TemporaryDirectory(prefix="streamwatch-") as folder:
        deployed = LocalDeployment(Path(folder), LOG_FORMAT="json")
        try:
            yield deployed
        finally:
            deployed.close()


@pytest.fixture
def local() -> Iterator[LocalDeployment]:
    with local_deployment() as deployed:
        yield deployed
