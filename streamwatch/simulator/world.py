"""The simulated streamers, and what they stream as of an injected clock."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from streamwatch.domain.models import EventType, Stream, User
from streamwatch.simulator.cast import CATEGORIES
from streamwatch.simulator.pictures import preview_url

_REMEMBERED = 64
"""How many starts and ends are remembered for each streamer, for a Helix that lags behind."""


@dataclass(frozen=True, slots=True)
class StreamChange:
    """`user` started or ended `stream` at `at`."""

    type: EventType
    user: User
    stream: Stream
    at: datetime


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel shows, live or offline."""

    title: str = ""
    category: str = ""
    language: str = "en"

    @property
    def category_id(self) -> str:
        return CATEGORIES.get(self.category, "")


@dataclass(frozen=True, slots=True)
class ChannelUpdate:
    """`user` saved the settings of their channel at `at`, changed or not."""

    user: User
    channel: Channel
    at: datetime


@dataclass(slots=True)
class _ChannelState:
    """A streamer's last stream, their channel, and their recent starts (a stream) and ends (None),
    with their times."""

    last: Stream | None
    changes: deque[tuple[datetime, Stream | None]]
    channel: Channel = Channel()


class World:
    """All users and their streams. Nothing happens by itself (see `RandomActivity`). Commands take
    effect at once, at the clock's time unless `at` is given; any thread may call them.

    An unknown login raises KeyError; an impossible command, such as a second stream of one
    streamer, raises ValueError.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.listeners: list[Callable[[StreamChange], None]] = []
        """Called for every start and end of a stream."""
        self.update_listeners: list[Callable[[ChannelUpdate], None]] = []
        """Called whenever a channel's settings are saved."""
        self.lock = threading.RLock()
        """Hold it to read and command in one step."""
        self.pictures_url: str | None = None
        """Where the drawings of `pictures` are served."""
        self._clock = clock
        self._users: dict[str, User] = {}
        self._ids: dict[str, str] = {}
        self._channels: dict[str, _ChannelState] = {}
        self._streams_begun = 0

    def add_user(self, display_name: str) -> User:
        """Create an offline user whose login is `display_name` in lower case."""
        login = display_name.lower()
        with self.lock:
            if login in self._ids:
                raise ValueError(f"{login} exists already")
            user = User(str(40_000_001 + len(self._users)), login, display_name)
            self._users[user.user_id] = user
            self._ids[login] = user.user_id
            self._channels[user.user_id] = _ChannelState(None, deque(maxlen=_REMEMBERED))
            return user

    def rename(self, login: str, display_name: str) -> User:
        """Give a user another name."""
        with self.lock:
            user_id = self.user(login).user_id
            if self._ids.get(display_name.lower(), user_id) != user_id:
                raise ValueError(f"{display_name.lower()} exists already")
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

    def is_user(self, user_id: str) -> bool:
        """Whether a user has this id."""
        return user_id in self._users

    def user_by_id(self, user_id: str) -> User:
        return self._users[user_id]

    def stream(self, login: str) -> Stream | None:
        """The stream of `login` that is live now."""
        with self.lock:
            changes = self._channels[self.user(login).user_id].changes
            return changes[-1][1] if changes else None

    def shown(
        self, until: datetime, user_ids: Collection[str] | None = None
    ) -> Iterator[tuple[User, Stream]]:
        """The streams that were live at `until`, of `user_ids` or of everyone."""
        with self.lock:
            for user_id in self._channels if user_ids is None else user_ids:
                changes = self._channels[user_id].changes if user_id in self._channels else ()
                streams = [stream for at, stream in changes if at <= until]
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
        """Start a new stream. A changed title or category is saved just before, as streamers
        do."""
        at = at or self._clock()
        with self.lock:
            user = self.user(login)
            if self.stream(login):
                raise ValueError(f"{login} is live already")
            channel = Channel(title, category, language)
            if channel != self.channel(login):
                self._save(user, channel, at)
            stream = Stream(
                id=self._stream_id(at),
                started_at=at.replace(microsecond=0),  # Twitch's are whole seconds
                viewer_count=viewers,
                game_id=CATEGORIES[category],
                game_name=category,
                title=title,
                language=language,
                tags=tags,
                thumbnail_url=self._preview_url(user),
            )
            self._start(user, stream, at)
            return stream

    def _preview_url(self, user: User) -> str:
        """A template with `{width}` and `{height}`, as Helix has it."""
        if self.pictures_url:
            return preview_url(self.pictures_url, user.login)
        return f"https://static-cdn.jtvnw.net/previews-ttv/live_user_{user.login}-{{width}}x{{height}}.jpg"

    def resume(self, login: str, *, at: datetime | None = None) -> Stream:
        """Start the last stream again under the same id, as after a lost connection."""
        with self.lock:
            user = self.user(login)
            stream = self._channels[user.user_id].last
            if stream is None:
                raise ValueError(f"{login} never had a stream")
            self._start(user, stream, at or self._clock())
            return stream

    def go_offline(self, login: str, *, at: datetime | None = None) -> Stream:
        """End the stream, and return it."""
        with self.lock:
            user = self.user(login)
            stream = self._live(login)
            self._record(EventType.OFFLINE, user, stream, at or self._clock())
            return stream

    def flap(self, login: str) -> Stream:
        """End the stream and start it again at once, with the same id."""
        self.go_offline(login)
        return self.resume(login)

    def channel(self, login: str) -> Channel:
        """What the channel of `login` shows, live or not."""
        with self.lock:
            return self._channels[self.user(login).user_id].channel

    def set_viewers(self, login: str, viewers: int) -> None:
        self._update(login, lambda stream: replace(stream, viewer_count=viewers))

    def update_channel(
        self,
        login: str,
        *,
        title: str | None = None,
        category: str | None = None,
        language: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Save the settings of a channel, live or offline. Without arguments the same values are
        saved again, which Twitch reports too. `category` is a name in `cast.CATEGORIES`."""
        with self.lock:
            known = self.channel(login)
            channel = Channel(
                known.title if title is None else title,
                known.category if category is None else category,
                known.language if language is None else language,
            )
            if channel.category and not channel.category_id:
                raise ValueError(f"there is no category {channel.category}")
            self._save(self.user(login), channel, at or self._clock())

    def _save(self, user: User, channel: Channel, at: datetime) -> None:
        self._channels[user.user_id].channel = channel
        if self.stream(user.login):
            self._update(
                user.login,
                lambda stream: replace(
                    stream,
                    title=channel.title,
                    game_id=channel.category_id,
                    game_name=channel.category,
                    language=channel.language,
                ),
            )
        for listener in self.update_listeners:
            listener(ChannelUpdate(user, channel, at))

    def _update(self, login: str, change: Callable[[Stream], Stream]) -> None:
        """Change a live stream. Helix shows this without a lag; only starts and ends have one."""
        with self.lock:
            stream = change(self._live(login))
            state = self._channels[self.user(login).user_id]
            state.last = stream
            state.changes[-1] = (state.changes[-1][0], stream)

    def _live(self, login: str) -> Stream:
        stream = self.stream(login)
        if stream is None:
            raise ValueError(f"{login} is not live")
        return stream

    def _start(self, user: User, stream: Stream, at: datetime) -> None:
        if self.stream(user.login):
            raise ValueError(f"{user.login} is live already")
        self._record(EventType.ONLINE, user, stream, at)

    def _record(self, kind: EventType, user: User, stream: Stream, at: datetime) -> None:
        state = self._channels[user.user_id]
        state.last = stream
        state.changes.append((at, stream if kind is EventType.ONLINE else None))
        for listener in self.listeners:
            listener(StreamChange(kind, user, stream, at))

    def _stream_id(self, at: datetime) -> str:
        """A stream id that no simulated world started at another time uses: a StreamWatch with a
        persistent storage may have seen that one."""
        self._streams_begun += 1
        return f"{int(at.timestamp()) - 1_000_000_000}{self._streams_begun % 10_000:04}"
