from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import Visit
from tests.dashboard.showcase import Showcase

Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def full() -> Iterator[str]:
    """The URL of a dashboard with a past, for tests that only look."""
    showcase = Showcase()
    showcase.fill()
    showcase.operate()
    with showcase.served() as url:
        yield url


@pytest.fixture
def showcase() -> Showcase:
    """An empty dashboard, for tests that change something."""
    return Showcase()


@pytest.fixture
def served(showcase: Showcase) -> Iterator[str]:
    with showcase.served() as url:
        yield url


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visiting]:
    """Opens pages. Console errors, script errors and requests to other hosts fail the test."""
    visits: list[Visit] = []

    def begin(url: str, **options: Any) -> Visit:
        visits.append(Visit(browser, url, **options))
        return visits[-1]

    yield begin
    for visitor in visits:
        visitor.close()
