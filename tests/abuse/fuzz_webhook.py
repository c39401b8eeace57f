"""A coverage-guided fuzzer of the webhook: `python -m tests.abuse.fuzz_webhook -runs=100000`.

Ends with another status than 0 at the first answer that must not be. Prints the memory of the
process every 10,000 inputs.
"""

import logging
import resource
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["streamwatch.domain", "streamwatch.api"]):
    from tests.abuse import app, inputs

_REPORT_EVERY = 10_000


def one_input() -> Callable[[bytes], None]:
    """The function that the fuzzer calls."""
    client = app.client()
    seen = 0

    def run(data: bytes) -> None:
        nonlocal seen
        seen += 1
        if seen % _REPORT_EVERY == 0:
            megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"inputs={seen} megabytes={megabytes}", flush=True)  # noqa: T201  its report
        request = _request(atheris.FuzzedDataProvider(data))
        app.send(client, request.headers, request.body)

    return run


def _request(provider: "atheris.FuzzedDataProvider") -> inputs.Request:
    choice = provider.ConsumeIntInRange(0, 3)
    if choice == 0:  # a field that is anything
        body = inputs.changed(
            provider.ConsumeIntInRange(0, 3),
            provider.ConsumeIntInRange(0, len(inputs.FIELDS) - 1),
            _value(provider),
        )
        kind = provider.PickValueInList(list(inputs.TYPES))
        return inputs.signed(body, kind, "id", inputs.NOW)
    if choice == 1:  # a body that is anything
        kind = provider.PickValueInList(list(inputs.TYPES))
        return inputs.signed(provider.ConsumeBytes(4096), kind, "id", inputs.NOW)
    if choice == 2:  # headers that are anything
        message_id, timestamp, kind = (_header(provider) for _ in range(3))
        return inputs.signed(provider.ConsumeBytes(64), kind, message_id, timestamp)
    request = inputs.signed(provider.ConsumeBytes(64), inputs.TYPES[0], "id", inputs.NOW)
    return inputs.Request(
        request.headers | {"Twitch-Eventsub-Message-Signature": _header(provider)}, request.body
    )


def _value(provider: "atheris.FuzzedDataProvider") -> object:
    return (
        provider.ConsumeUnicode(64),
        provider.ConsumeInt(16),
        provider.ConsumeFloat(),
        None,
        [provider.ConsumeUnicode(8)],
        {provider.ConsumeUnicode(8): provider.ConsumeInt(8)},
        provider.ConsumeBool(),
    )[provider.ConsumeIntInRange(0, 6)]


def _header(provider: "atheris.FuzzedDataProvider") -> str:
    """What HTTP lets into a header: any bytes but line ends."""
    drawn: bytes = provider.ConsumeBytes(48)
    return drawn.decode("latin-1").replace("\r", "").replace("\n", "")


if __name__ == "__main__":
    logging.disable()
    atheris.Setup(sys.argv, one_input())
    atheris.Fuzz()
