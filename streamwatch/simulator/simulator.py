"""Assembles the parts of the simulated Twitch."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from streamwatch.domain.times import utc_now
from streamwatch.simulator.cast import CAST
from streamwatch.simulator.conduits import Conduits
from streamwatch.simulator.control import Control
from streamwatch.simulator.eventsub import EventSub
from streamwatch.simulator.faults import Faults
from streamwatch.simulator.helix import Helix
from streamwatch.simulator.oauth import OAuth
from streamwatch.simulator.pictures import PATH, Pictures
from streamwatch.simulator.random_activity import RandomActivity
from streamwatch.simulator.ratelimit import Bucket
from streamwatch.simulator.server import Application, Call
from streamwatch.simulator.sockets import Sockets
from streamwatch.simulator.subscriptions import Subscriptions
from streamwatch.simulator.videos import Videos
from streamwatch.simulator.web import LoopbackServer
from streamwatch.simulator.webhook_sender import Delivery
from streamwatch.simulator.world import World

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_ACTIVITY_STEP_SECONDS = 0.25


class Simulator:
    """Serves on 127.0.0.1 within its `with` block; see the package for an overview.

    With `alive` streams start and end by themselves; otherwise only on command. Everything random
    derives from `seed`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        alive: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.world = World(clock)
        self.videos = Videos(self.world, clock)
        self.faults = Faults(Random(f"faults {seed}"))  # noqa: S311  a game's dice
        self.oauth = OAuth(clock)
        self.bucket = Bucket(clock)
        self.conduits = Conduits()
        self.sockets = Sockets(self.conduits, clock)
        self.subscriptions = Subscriptions(clock, self.world.is_user, self.conduits.exists)
        self.conduits.delete_listeners.append(self.subscriptions.delete_of_conduit)
        self.eventsub = EventSub(
            self.subscriptions, self.conduits, self.sockets, self.faults, clock
        )
        self.world.listeners.append(self.eventsub.notify)
        self.world.update_listeners.append(self.eventsub.notify_update)
        for member in CAST:
            self.world.add_user(member.display_name)
        self._clock = clock
        self._application = self._assemble(clock)
        pictures: dict[str, WSGIApplication] = {PATH: Pictures(self._category_of)}
        self._server = LoopbackServer(DispatcherMiddleware(self._application, pictures), port)
        self.world.pictures_url = self._server.url + PATH  # before streams have their previews
        self._activity = RandomActivity(self.world, Random(seed), clock()) if alive else None  # noqa: S311
        self._closing = threading.Event()
        self._running = ExitStack()

    def _assemble(self, clock: Callable[[], datetime]) -> Application:
        helix = Helix(
            self.world,
            self.subscriptions,
            self.conduits,
            self.eventsub,
            self.faults,
            self.videos,
            clock,
        )
        control = Control(self.world, self.subscriptions, self.eventsub, self.faults, self.videos)
        rules = [*helix.rules(), *control.rules(lambda: self.calls)]
        return Application(rules, self.faults, self.oauth, self.bucket)

    def _category_of(self, login: str) -> str:
        try:
            stream = self.world.stream(login)
        except KeyError:
            return ""
        return stream.game_name or "" if stream else ""

    @property
    def origin(self) -> str:
        """For IMAGE_ORIGINS."""
        return self._server.url

    @property
    def api_url(self) -> str:
        """For TWITCH_API_URL."""
        return f"{self._server.url}/helix"

    @property
    def auth_url(self) -> str:
        """For TWITCH_AUTH_URL."""
        return f"{self._server.url}/oauth2"

    @property
    def eventsub_url(self) -> str:
        """For TWITCH_EVENTSUB_URL."""
        return self.sockets.url

    @property
    def control_url(self) -> str:
        return f"{self._server.url}/control"

    @property
    def client_id(self) -> str:
        return self.oauth.client_id

    @property
    def client_secret(self) -> str:
        return self.oauth.client_secret

    @property
    def calls(self) -> list[Call]:
        """The calls of Helix and OAuth, in order."""
        return list(self._application.calls)

    @property
    def deliveries(self) -> list[Delivery]:
        """The attempts to deliver to webhooks, in the order of the responses."""
        return list(self.eventsub.webhook_sender.deliveries)

    def wait_until_delivered(self, timeout: float = 30.0) -> None:
        """Return once every webhook message is acknowledged or given up. Raises TimeoutError after
        `timeout` seconds."""
        self.eventsub.webhook_sender.wait_until_idle(timeout)

    def __enter__(self) -> Self:
        self._running.enter_context(self.eventsub.webhook_sender)
        self._running.enter_context(self.sockets)
        self._running.enter_context(self._server)
        self._running.callback(self._application.close)
        if self._activity:
            thread = threading.Thread(
                target=self._act, args=(self._activity,), name="random-activity"
            )
            thread.start()
            self._running.callback(thread.join)
        self._running.callback(self._closing.set)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    def _act(self, activity: RandomActivity) -> None:
        while not self._closing.wait(_ACTIVITY_STEP_SECONDS):
            activity.advance(self._clock())
