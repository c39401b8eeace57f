"""The works on the hot paths, what each stands beside, and the share that is to be reached."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.load import Result, saturate
from bench.requests import get
from bench.worlds import Target, World

STATIC_BYTES = "(a)"
CHECKED_WRITE = "(b)"

Send = Callable[[int], Result]
"""Load for so many seconds."""


@dataclass
class Side:
    """Something under load, again and again."""

    target: Target
    send: Send
    rates: list[float] = field(default_factory=list)
    cpu: list[tuple[float, float]] = field(default_factory=list)
    """Microseconds a request, of the web processes and of Redis."""

    def take(self, seconds: int) -> None:
        before = self.target.cpu_seconds()
        result = self.send(seconds)
        web, redis = (
            (after - earlier) / result.answered * 1e6
            for after, earlier in zip(self.target.cpu_seconds(), before, strict=True)
        )
        self.rates.append(result.rate)
        self.cpu.append((web, redis))

    def forget(self) -> None:
        self.rates.clear()
        self.cpu.clear()


@dataclass
class Work:
    """A work beside its yardstick; `target` is the share that is to be reached."""

    name: str
    yardstick: str
    target: float
    ours: Side
    theirs: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.ours, self.theirs

    @property
    def shares(self) -> list[float]:
        pairs = zip(self.ours.rates, self.theirs.rates, strict=True)
        return [ours / theirs for ours, theirs in pairs]

    @property
    def share(self) -> float:
        return median(self.shares)


def take_all(pairs: Sequence[tuple[Side, Side]], repetitions: int, seconds: int) -> None:
    """Both of each pair, turn and turn about; the first turn warms up and is forgotten."""
    for repetition in range(repetitions + 1):
        for pair in pairs:
            for side in pair if repetition % 2 else reversed(pair):
                side.take(seconds)
                if repetition == 0:
                    side.forget()


def read(name: str, path: str, target: float, world: World, yardstick: Target) -> Work:
    """A GET beside the static bytes."""
    return Work(name, STATIC_BYTES, target, getting(world.target, path), getting(yardstick, "/"))


def webhook(name: str, target: float, world: World, yardstick: Target) -> Work:
    """Distinct messages beside the checked write."""
    return Work(
        name, CHECKED_WRITE, target, posting(world.target, world), posting(yardstick, world)
    )


def getting(target: Target, path: str) -> Side:
    return Side(target, lambda seconds: saturate(target.port, [get(path)], seconds))


def posting(target: Target, world: World) -> Side:
    fastest = 4000.0

    def send(seconds: int) -> Result:
        nonlocal fastest
        requests = world.webhooks.next(int(2 * fastest * seconds))
        result = saturate(target.port, requests, seconds, once=True)
        fastest = max(fastest, result.rate)
        return result

    return Side(target, send)
