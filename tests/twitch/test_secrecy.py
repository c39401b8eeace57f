"""No secret, and no token, in what is logged, raised or shown."""

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from streamwatch.domain.models import EventType
from streamwatch.domain.subscriptions import DesiredSubscription, WebhookTransport
from streamwatch.twitch.base import TwitchError
from streamwatch.twitch.client import Helix
from tests.twitch.conftest import (
    API,
    AUTH,
    CLIENT_SECRET,
    SUBSCRIPTION_SECRET,
    TOKEN,
    MakeHelix,
    MemoryTokens,
    give_token,
)

Mock = responses.RequestsMock

FRESH = "token-of-the-second-1f2e"
SECRETS = (CLIENT_SECRET, SUBSCRIPTION_SECRET, TOKEN, FRESH)

SUBSCRIPTIONS = f"{API}/eventsub/subscriptions"
ECHO = {"message": "you sent " + ", ".join(SECRETS)}


def subscribe(helix: Helix) -> None:
    webhook = WebhookTransport("https://example.com/x", SUBSCRIPTION_SECRET)
    assert SUBSCRIPTION_SECRET not in repr(webhook)
    helix.subscribe(DesiredSubscription(EventType.ONLINE, "7"), webhook)


def chain(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *chain(error.__cause__), *chain(error.__context__)]


def refuse_everything(twitch: Mock) -> None:
    twitch.post(SUBSCRIPTIONS, status=401, json=ECHO)
    give_token(twitch, FRESH)
    twitch.post(SUBSCRIPTIONS, status=401, json=ECHO)


def refuse_one_secret(twitch: Mock) -> None:
    twitch.post(SUBSCRIPTIONS, status=400, json={"message": f"bad {SUBSCRIPTION_SECRET}"})


def fail_with_words(twitch: Mock) -> None:
    for _ in range(3):
        twitch.post(SUBSCRIPTIONS, body=requests.ConnectionError(*SECRETS))


def refuse_the_credentials(twitch: Mock) -> None:
    twitch.post(SUBSCRIPTIONS, status=401, json=ECHO)
    twitch.post(f"{AUTH}/token", status=403, json={"message": f"bad {CLIENT_SECRET}"})


def give_a_broken_token(twitch: Mock) -> None:
    twitch.post(SUBSCRIPTIONS, status=401, json=ECHO)
    twitch.post(f"{AUTH}/token", body='{"access_token": "' + FRESH)


def answer_in_another_form(twitch: Mock) -> None:
    twitch.post(SUBSCRIPTIONS, status=202, json={"data": [ECHO]})


@pytest.mark.parametrize(
    "misbehave",
    [
        refuse_everything,
        refuse_one_secret,
        fail_with_words,
        refuse_the_credentials,
        give_a_broken_token,
        answer_in_another_form,
    ],
)
def test_no_error_and_no_log_line_holds_a_secret(
    make_helix: MakeHelix,
    twitch: Mock,
    tokens: MemoryTokens,
    caplog: pytest.LogCaptureFixture,
    misbehave: Callable[[Mock], None],
) -> None:
    caplog.set_level(logging.DEBUG)
    misbehave(twitch)
    helix = make_helix()

    with pytest.raises(TwitchError) as raised:
        subscribe(helix)

    shown: list[Any] = [repr(helix), repr(tokens), *map(repr, chain(raised.value))]
    shown += [str(error) for error in chain(raised.value)]
    shown += traceback.format_exception(raised.value)
    shown += [record.getMessage() for record in caplog.records]
    shown += [str(call.request.url) for call in twitch.calls]
    for secret in SECRETS:
        assert not [text for text in shown if secret in text]


def test_a_retry_is_logged(helix: Helix, twitch: Mock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    twitch.get(f"{API}/streams", status=500)
    twitch.get(f"{API}/streams", json={"data": []})

    helix.streams(["7"])

    assert caplog.messages == ["Twitch answered 500 to GET /streams; next try in 0.8 s"]
