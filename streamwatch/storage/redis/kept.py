"""Answers that a process keeps for as long as Redis says that nothing they are made of has
changed."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar, cast

from streamwatch.domain.documents import JsonList
from streamwatch.domain.models import StreamStatus
from streamwatch.storage.redis.tidings import Stamp, Tidings

MOST_BYTES = 4 * 2**20
"""What all that is kept may come to, roughly."""

Answer = TypeVar("Answer")


class Kept:
    """Documents and statuses; the oldest go where there are too many."""

    def __init__(self, tidings: Tidings) -> None:
        self._tidings = tidings
        self._lock = Lock()
        self._answers: OrderedDict[tuple[object, ...], tuple[Stamp, Any]] = OrderedDict()
        self._bytes = 0

    def get(
        self, question: tuple[object, ...], names: Sequence[str], read: Callable[[], Answer]
    ) -> Answer:
        """What `read` answers to `question`, or did answer before; `names` are the keys that it
        reads. An answer that is read while one of them changes is not given a second time: its
        stamp is from before."""
        stamp = self._tidings.stamp(names)
        if stamp is None:
            return read()
        stamped, answer = self._answers.get(question, (None, None))
        if stamped == stamp:
            return cast("Answer", answer)
        read_now = read()
        self._keep(question, stamp, read_now)
        return read_now

    def follow(self, question: tuple[object, ...], changes: Sequence[int], answer: object) -> None:
        """Have this answered to `question`, by who has changed the keys since it was answered last,
        each so many times: as often Redis will tell. Whoever else wrote in between is overlooked:
        for what is found out in another way when it counts."""
        stamped, _ = self._answers.get(question, (None, None))
        if stamped is not None:
            lost, *counts = stamped
            self._keep(question, (lost, *map(sum, zip(counts, changes, strict=True))), answer)

    def _keep(self, question: tuple[object, ...], stamp: Stamp, answer: object) -> None:
        with self._lock:
            if question in self._answers:
                self._forget(question)
            if answer is not None:
                self._answers[question] = stamp, answer
                self._bytes += _size(answer)
            while self._bytes > MOST_BYTES:
                self._forget(next(iter(self._answers)))

    def _forget(self, question: tuple[object, ...]) -> None:
        _, answer = self._answers.pop(question)
        self._bytes -= _size(answer)


def _size(answer: object) -> int:
    """Roughly the bytes of an answer, and of its place here."""
    match answer:
        case StreamStatus():
            return 1000 + 500 * len(answer.timeline.marks)
        case JsonList():
            return 300 + len(answer.array)
        case bytes():
            return 300 + len(answer)
        case _:
            return 300
