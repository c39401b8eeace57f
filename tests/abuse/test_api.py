"""Every operation of the OpenAPI document, with many more inputs than `make test` has time for."""

from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.schemas import BaseSchema

from tests.api.test_openapi import TAGS, call_and_validate, documented_operations


@pytest.fixture(params=TAGS)
def documented(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BaseSchema:
    return documented_operations(request.param, monkeypatch, coverage=True)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@schemathesis.pytest.from_fixture("documented").parametrize()
@settings(max_examples=1000, deadline=None)
def test_every_answer_is_as_documented(case: Case[Any]) -> None:
    call_and_validate(case)
