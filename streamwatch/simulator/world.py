"""The simulated streamers, and what they stream as of an injected clock."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from streamwatch.domain.models import EventType, Stream, User
from streamwatch.simulator.cast import CATEGORIES

_REMEMBERED = 64
"""How many goings on and off a streamer are remembered for a Helix that lags behind."""


@dataclass(frozen=True, slots=True)
class Happening:
    """`user` went on or off at `at` with `stream`."""

    type: EventType
    user: User
    stream: Stream
    at: datetime


@dataclass(slots=True)
class _Past:
    """One streamer's last stream, and their recent goings on (a stream) and off (None)."""

    last: Stream | None
    turns: deque[tuple[datetime, Stream | None]]


class World:
    """Everyone there is. Does nothing by itself (see `Life`); every command takes effect at once,
    for the clock's time unless `at` says another, and may be given from any thread.

    A command about a login that nobody has raises KeyError; one that cannot be (a second stream of
    one streamer) ValueError.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.listeners: list[Callable[[Happening], None]] = []
        self.lock = threading.RLock()
        """Held by whoever looks and then commands in one piece."""
        self._clock = clock
        self._users: dict[str, User] = {}
        self._ids: dict[str, str] = {}
        self._past: dict[str, _Past] = {}
        self._streams_begun = 0

    def add_user(self, display_name: str) -> User:
        """A new user, offline, whose login is `display_name` in lower case."""
        login = display_name.lower()
        with self.lock:
            if login in self._ids:
                raise ValueError(f"there is a {login} already")
            user = User(str(40_000_001 + len(self._users)), login, display_name)
            self._users[user.user_id] = user
            self._ids[login] = user.user_id
            self._past[user.user_id] = _Past(None, deque(maxlen=_REMEMBERED))
            return user

    def rename(self, login: str, display_name: str) -> User:
        """The same user under another name."""
        with self.lock:
            user_id = self.user(login).user_id
            if self._ids.get(display_name.lower(), user_id) != user_id:
                raise ValueError(f"there is a {display_name.lower()} already")
            del self._ids[login.lower()]
            user = User(user_id, display_name.lower(), display_name)
            self._users[user_id] = user
            self._ids[user.login] = user_id
            return user

    def user(self, login: str) -> User:
        with self.lock:
            return self._users[self._ids[login.lower()]]

    def users(self) -> list[User]:
        with self.lock:
            return list(self._users.values())

    def user_by_id(self, user_id: str) -> User:
        return self._users[user_id]

    def stream(self, login: str) -> Stream | None:
        """What `login` streams now."""
        with self.lock:
            return _now(self._past[self.user(login).user_id])

    def shown(
        self, until: datetime, user_ids: Collection[str] | None = None
    ) -> Iterator[tuple[User, Stream]]:
        """The streams that were on at `until`, of `user_ids` or of everyone."""
        with self.lock:
            for user_id in self._past if user_ids is None else user_ids:
                turns = self._past[user_id].turns if user_id in self._past else ()
                streams = [stream for at, stream in turns if at <= until]
                if streams and streams[-1]:
                    yield self._users[user_id], streams[-1]

    def go_online(
        self,
        login: str,
        *,
        at: datetime | None = None,
        viewers: int = 100,
        category: str = "Just Chatting",
        title: str = "Hello",
        language: str = "en",
        tags: tuple[str, ...] = ("English",),
    ) -> Stream:
        """A new stream."""
        at = at or self._clock()
        with self.lock:
            user = self.user(login)
            stream = Stream(
                id=self._stream_id(at),
                started_at=at.replace(microsecond=0),  # Twitch's are whole seconds
                viewer_count=viewers,
                game_id=CATEGORIES[category],
                game_name=category,
                title=title,
                language=language,
                tags=tags,
                thumbnail_url="https://static-cdn.jtvnw.net/previews-ttv/live_user_"
                f"{user.login}-{{width}}x{{height}}.jpg",
            )
            self._turn_on(user, stream, at)
            return stream

    def resume(self, login: str, *, at: datetime | None = None) -> Stream:
        """The stream that ended last, on again under the same id, as after a lost connection."""
        with self.lock:
            user = self.user(login)
            stream = self._past[user.user_id].last
            if stream is None:
                raise ValueError(f"{login} never had a stream")
            self._turn_on(user, stream, at or self._clock())
            return stream

    def go_offline(self, login: str, *, at: datetime | None = None) -> Stream:
        """The end of the stream, which is returned."""
        with self.lock:
            user = self.user(login)
            stream = self._live(login)
            self._turn(EventType.OFFLINE, user, stream, at or self._clock())
            return stream

    def flap(self, login: str) -> Stream:
        """Off and on again at once, with the same stream id."""
        self.go_offline(login)
        return self.resume(login)

    def set_viewers(self, login: str, viewers: int) -> None:
        self._update(login, lambda stream: replace(stream, viewer_count=viewers))

    def set_title(self, login: str, title: str) -> None:
        self._update(login, lambda stream: replace(stream, title=title))

    def set_category(self, login: str, category: str) -> None:
        """`category` is the name of one of `cast.CATEGORIES`."""
        game_id = CATEGORIES[category]
        self._update(login, lambda stream: replace(stream, game_id=game_id, game_name=category))

    def _update(self, login: str, change: Callable[[Stream], Stream]) -> None:
        """What is said of a stream is shown without a lag: only goings on and off have one."""
        with self.lock:
            stream = change(self._live(login))
            past = self._past[self.user(login).user_id]
            past.last = stream
            past.turns[-1] = (past.turns[-1][0], stream)

    def _live(self, login: str) -> Stream:
        stream = self.stream(login)
        if stream is None:
            raise ValueError(f"{login} is not live")
        return stream

    def _turn_on(self, user: User, stream: Stream, at: datetime) -> None:
        if self.stream(user.login):
            raise ValueError(f"{user.login} is live already")
        self._turn(EventType.ONLINE, user, stream, at)

    def _turn(self, kind: EventType, user: User, stream: Stream, at: datetime) -> None:
        past = self._past[user.user_id]
        past.last = stream
        past.turns.append((at, stream if kind is EventType.ONLINE else None))
        for listener in self.listeners:
            listener(Happening(kind, user, stream, at))

    def _stream_id(self, at: datetime) -> str:
        """Unique among all simulated worlds that start at different times, as a StreamWatch with a
        lasting storage needs it."""
        self._streams_begun += 1
        return f"{int(at.timestamp()) - 1_000_000_000}{self._streams_begun % 10_000:04}"


def _now(past: _Past) -> Stream | None:
    return past.turns[-1][1] if past.turns else None
