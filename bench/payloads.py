"""HTTP requests as bytes, prepared before the load starts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from streamwatch.domain.models import User
from streamwatch.settings import WEBHOOK_PATH
from tests.messages import Message, offline, online

HOST = "127.0.0.1"


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def post(path: str, message: Message) -> bytes:
    headers = message.headers | {"Host": HOST, "Content-Length": str(len(message.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + message.body


class Webhooks:
    """Signed messages of streamers who go online and offline in turn, all of them distinct."""

    def __init__(self, users: list[User], secret: str) -> None:
        self._users = users
        self._secret = secret
        self._messages = self._endless()

    def next(self, number: int) -> list[bytes]:
        """The next `number` requests, signed now: they are accepted for ten minutes."""
        return [post(WEBHOOK_PATH, next(self._messages)) for _ in range(number)]

    def _endless(self) -> Iterator[Message]:
        for turn in count():
            for user in self._users:
                stream_id = f"{user.user_id}{turn // 2:06}"
                yield (offline if turn % 2 else online)(
                    user, stream_id, at=datetime.now(UTC), secret=self._secret
                )
