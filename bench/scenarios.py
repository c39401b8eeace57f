"""The hot paths under load, each beside its yardstick, with the share that it must reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.deployments import Deployed, Target
from bench.load import Result, saturate
from bench.payloads import Webhooks, get

STATIC_BYTES = "(a)"
VERIFIED_WRITE = "(b)"


@dataclass
class Series:
    """Repeated measurements of one target under the load that `send` makes for some seconds."""

    target: Target
    send: Callable[[int], Result]
    rates: list[float] = field(default_factory=list)
    """Requests a second."""
    cpu: list[tuple[float, float]] = field(default_factory=list)
    """Microseconds a request, of the web processes and of Redis."""

    def measure(self, seconds: int) -> None:
        """Send load for `seconds` and append the rate and the CPU time."""
        before = self.target.cpu_seconds()
        result = self.send(seconds)
        web, redis = (
            (after - earlier) / result.answered * 1e6
            for after, earlier in zip(self.target.cpu_seconds(), before, strict=True)
        )
        self.rates.append(result.rate)
        self.cpu.append((web, redis))

    def clear(self) -> None:
        self.rates.clear()
        self.cpu.clear()


@dataclass
class Scenario:
    """A hot path of ours beside its yardstick. `minimum` is the share that must be reached."""

    name: str
    yardstick_name: str
    minimum: float
    ours: Series
    yardstick: Series

    @property
    def pair(self) -> tuple[Series, Series]:
        return self.ours, self.yardstick

    @property
    def shares(self) -> list[float]:
        """Our rate divided by the yardstick's, repetition by repetition."""
        pairs = zip(self.ours.rates, self.yardstick.rates, strict=True)
        return [ours / yardstick for ours, yardstick in pairs]

    @property
    def share(self) -> float:
        return median(self.shares)


def measure_pairs(pairs: Sequence[tuple[Series, Series]], repetitions: int, seconds: int) -> None:
    """Measure the two of each pair in turn, `repetitions` times after a warm-up that is dropped."""
    for repetition in range(repetitions + 1):
        for pair in pairs:
            for series in pair if repetition % 2 else reversed(pair):
                series.measure(seconds)
                if repetition == 0:
                    series.clear()


def read_scenario(
    name: str, path: str, minimum: float, deployed: Deployed, yardstick: Target
) -> Scenario:
    """GET `path`, beside the yardstick that returns static bytes."""
    ours = get_series(deployed.target, path)
    return Scenario(name, STATIC_BYTES, minimum, ours, get_series(yardstick, "/"))


def webhook_scenario(name: str, minimum: float, deployed: Deployed, yardstick: Target) -> Scenario:
    """Distinct messages, beside the yardstick that verifies a signature and writes once."""
    ours = post_series(deployed.target, deployed.webhooks)
    return Scenario(name, VERIFIED_WRITE, minimum, ours, post_series(yardstick, deployed.webhooks))


def get_series(target: Target, path: str) -> Series:
    return Series(target, lambda seconds: saturate(target.port, [get(path)], seconds))


def post_series(target: Target, webhooks: Webhooks) -> Series:
    """Distinct webhook messages, sent to `target`."""
    highest_rate = 4000.0

    def send(seconds: int) -> Result:
        nonlocal highest_rate
        requests = webhooks.next(int(2 * highest_rate * seconds))
        result = saturate(target.port, requests, seconds, once=True)
        highest_rate = max(highest_rate, result.rate)
        return result

    return Series(target, send)
