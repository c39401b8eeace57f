"""Any input to the webhook gets an answer that the contract allows, and leaks no memory."""

import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from tests.abuse import app, inputs
from tests.processes import ROOT

INPUTS = 100_000

HEADER = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n"), max_size=300)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def client() -> Client:
    return app.client()


@given(template=st.integers(0, 3), field=st.integers(0, len(inputs.FIELDS) - 1), value=ANYTHING)
def test_a_field_may_be_anything(client: Client, template: int, field: int, value: Any) -> None:
    body = inputs.changed(template, field, value)
    for kind in inputs.TYPES:
        request = inputs.signed(body, kind, "id", inputs.NOW)
        app.send(client, request.headers, request.body)


@given(body=st.binary(max_size=2000), kind=st.sampled_from(inputs.TYPES))
def test_a_body_may_be_anything(client: Client, body: bytes, kind: str) -> None:
    request = inputs.signed(body, kind, "id", inputs.NOW)
    assert app.send(client, request.headers, request.body).status_code == 400


@given(message_id=HEADER, timestamp=HEADER, kind=HEADER, other=HEADER)
def test_headers_may_be_anything(
    client: Client, message_id: str, timestamp: str, kind: str, other: str
) -> None:
    request = inputs.signed(b"{}", kind, message_id, timestamp)
    assert app.send(client, request.headers, request.body).status_code in (400, 403)
    forged = request.headers | {"Twitch-Eventsub-Message-Signature": other}
    assert app.send(client, forged, request.body).status_code == 403


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_inputs_of_a_fuzzer() -> None:
    pytest.importorskip("atheris", reason="NOT TESTED: there is no atheris for this platform")
    fuzzer = [sys.executable, "-m", "tests.abuse.fuzz_webhook", f"-runs={INPUTS}"]
    fuzzer += ["-max_len=4096", "-len_control=0", "-seed=1", "-timeout=10"]
    ended = subprocess.run(
        fuzzer, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1700
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    memory = [int(figure) for figure in re.findall(r"megabytes=(\d+)", ended.stdout)]
    assert len(memory) == INPUTS // 10_000
    assert memory[-1] - memory[1] < 10, memory
