"""The projector: how fast it drains a feed that the webhook has filled."""

import time
from statistics import median

from bench.load import send_all
from bench.worlds import World

TIMES = 3


def drained_a_second(world: World, messages: int) -> float:
    """Entries a second, of feeds with so many messages; the median of some."""
    return median(_drained_a_second(world, messages) for _ in range(TIMES))


def _drained_a_second(world: World, messages: int) -> float:
    projector = world.services.projector
    while projector.run_once():
        pass
    world.services.storage.feed.trim()
    requests = world.webhooks.next(messages)
    send_all(world.target.port, requests, 600)
    start = time.perf_counter()
    entries = 0
    while taken := projector.run_once():
        entries += taken
    return entries / (time.perf_counter() - start)
