"""The documentation's example verifies what is sent."""

import re
import time
from typing import Any

from streamwatch.services.notifications.senders.apprise_schemes import FORBIDDEN_ARGUMENTS, SCHEMES
from streamwatch.services.notifications.senders.webhook import new_secret, sign
from tests.processes import ROOT

PAGE = (ROOT / "docs" / "notifications.md").read_text()


def test_the_python_example_verifies_a_signature() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)  # noqa: S102  our own page
    verify = names["verify"]
    secret, old, body, now = new_secret(), new_secret(), '{"a":"♥"}', int(time.time())
    headers = {
        "webhook-id": "dlv_1",
        "webhook-timestamp": str(now),
        "webhook-signature": f"{sign(old, 'dlv_1', now, body)} {sign(secret, 'dlv_1', now, body)}",
    }

    assert verify(secret, headers, body.encode())
    assert verify(old, headers, body.encode())
    assert not verify(new_secret(), headers, body.encode())
    assert not verify(secret, headers, b"{}")
    assert not verify(secret, headers | {"webhook-timestamp": str(now - 400)}, body.encode())


def test_the_page_names_every_apprise_scheme() -> None:
    [listed] = re.findall(r"These schemes are accepted:(.*?)\. With", PAGE, re.DOTALL)
    named = set(re.findall(r"`([a-z]+)", listed))
    secure = {f"{name}s" for name in re.findall(r"`([a-z]+)\(s\)", listed)}

    assert named | secure == SCHEMES


def test_the_page_names_every_argument_of_apprise_that_is_refused() -> None:
    [listed] = re.findall(r"These arguments.*? are refused,.*?:(.*?)\.", PAGE, re.DOTALL)

    assert set(re.findall(r"`([a-z]+)`", listed)) == FORBIDDEN_ARGUMENTS
