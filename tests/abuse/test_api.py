"""Every operation of the OpenAPI document, with many more inputs than `make test` has time for."""

from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case

from tests.api.test_openapi import CONFIG, lively_world

DOCUMENTED = schemathesis.openapi.from_wsgi(
    "/openapi.json", lively_world().app, config=CONFIG
).exclude(path="/events/live")  # whose answer has no end


@pytest.mark.soak
@pytest.mark.timeout(1800)
@DOCUMENTED.parametrize()
@settings(max_examples=1000, deadline=None)
def test_every_answer_is_as_documented(case: Case[Any]) -> None:
    case.call_and_validate()
