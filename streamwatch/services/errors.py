"""The errors of the services. Errors of the ports pass through."""

import math


class UnknownUser(Exception):
    """Twitch has no user with this login."""

    def __init__(self, login: str) -> None:
        super().__init__(f"Twitch has no user {login!r}.")
        self.login = login


class NotMonitored(Exception):
    """The streamer is not monitored."""

    def __init__(self, login: str) -> None:
        super().__init__(f"{login!r} is not monitored.")
        self.login = login


class UnknownStreamer(Exception):
    """There is no data about a streamer with this login."""

    def __init__(self, login: str) -> None:
        super().__init__(f"There is no data about {login.lower()!r}.")
        self.login = login


class UnknownSession(Exception):
    """A streamer has no session with this stream id."""

    def __init__(self, login: str, stream_id: str) -> None:
        super().__init__(f"{login.lower()!r} has no session of a stream {stream_id[:64]!r}.")


class AlreadyRunning(Exception):
    """Another process is doing this work now, and only one may."""

    def __init__(self, work: str) -> None:
        super().__init__(f"Another process is doing this now: {work}. Try again in a minute.")


class LimitReached(Exception):
    """A client has reached a limit on `what` a minute. `retry_after` is in seconds."""

    def __init__(self, allowed: int, what: str, retry_after: float) -> None:
        super().__init__(
            f"No more than {allowed} {what} a minute are allowed."
            f" Try again in {max(1, math.ceil(retry_after))} s."
        )
        self.retry_after = retry_after


class TooManyListeners(Exception):
    """A client, or all clients of a process, have as many event streams open as are allowed."""

    def __init__(self, capacity: int) -> None:
        super().__init__(f"All {capacity} event streams are in use. Try again later.")
