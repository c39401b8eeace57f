"""Commands over HTTP, for tests that run the simulator as a process of its own.

| call | effect |
|---|---|
| `POST /control/users/DISPLAY_NAME` | a new user |
| `POST /control/online/LOGIN`, `offline`, `flap` | starts or ends a stream, or both |
| `POST /control/viewers/LOGIN/NUMBER` | sets the number of viewers |
| `POST /control/rename/LOGIN/DISPLAY_NAME` | gives a user another name |
| `POST /control/videos/LOGIN` | adds a video. JSON: `stream_id`, `started_at`, `seconds`, `muted` |
| `POST /control/videos/delete/VIDEO_ID` | deletes a video |
| `POST /control/videos/late/SECONDS` | new videos are listed so long after their stream's start |
| `POST /control/revoke/LOGIN` | revokes the subscriptions about the streamer |
| `POST /control/faults/calls` | JSON: `path`, the fields of `CallFault`, `times`, `after` |
| `POST /control/faults/messages` | JSON: `fault`, `times` |
| `GET /control/calls` | `{calls}`: the calls of Helix |
| `GET /control/deliveries` | `{pending, deliveries}`: the attempts to deliver to webhooks |

An unknown login is 404, an impossible command 409.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Request

from streamwatch.domain.times import parse_time
from streamwatch.simulator.eventsub import EventSub
from streamwatch.simulator.faults import CallFault, Faults, MessageFault
from streamwatch.simulator.server import Call, Endpoint
from streamwatch.simulator.subscriptions import Subscriptions
from streamwatch.simulator.videos import Videos
from streamwatch.simulator.web import Refused, Reply
from streamwatch.simulator.world import World


class Control:
    """Executes the commands."""

    def __init__(
        self,
        world: World,
        subscriptions: Subscriptions,
        eventsub: EventSub,
        faults: Faults,
        videos: Videos,
    ) -> None:
        self._world = world
        self._subscriptions = subscriptions
        self._eventsub = eventsub
        self._faults = faults
        self._videos = videos

    def rules(self, calls: Callable[[], list[Call]]) -> list[Rule]:
        world = self._world
        return [
            _post("users/<display_name>", _command(world.add_user)),
            _post("online/<login>", _command(world.go_online)),
            _post("offline/<login>", _command(world.go_offline)),
            _post("flap/<login>", _command(world.flap)),
            _post("viewers/<login>/<int:viewers>", _command(world.set_viewers)),
            _post("rename/<login>/<display_name>", _command(world.rename)),
            _post("videos/<login>", self._add_video),
            _post("videos/delete/<video_id>", _command(self._videos.delete)),
            _post("videos/late/<float:seconds>", _command(self._list_videos_late)),
            _post("revoke/<login>", _command(self._revoke)),
            _post("faults/calls", self._fault_calls),
            _post("faults/messages", self._fault_messages),
            _get("deliveries", self._deliveries),
            _get("calls", lambda _: Reply(200, {"calls": [asdict(call) for call in calls()]})),
        ]

    def _add_video(self, request: Request, login: str) -> Reply:
        wanted = request.get_json()
        video = self._videos.add(
            login,
            wanted.get("stream_id"),
            parse_time(wanted["started_at"]),
            timedelta(seconds=wanted["seconds"]),
            is_muted=wanted.get("muted", False),
        )
        return Reply(200, {"id": video.id})

    def _list_videos_late(self, seconds: float) -> None:
        self._videos.late = timedelta(seconds=seconds)

    def _revoke(self, login: str) -> None:
        user_id = self._world.user(login).user_id
        for subscription in self._subscriptions.all():
            if subscription.user_id == user_id and subscription.is_active:
                self._eventsub.revoke(subscription)

    def _fault_calls(self, request: Request) -> Reply:
        wanted = request.get_json()
        path, times, after = wanted.pop("path"), wanted.pop("times", 1), wanted.pop("after", 0)
        self._faults.on_call(path, CallFault(**wanted), times=times, after=after)
        return Reply(204)

    def _fault_messages(self, request: Request) -> Reply:
        wanted = request.get_json()
        self._faults.on_message(MessageFault(wanted["fault"]), times=wanted.get("times", 1))
        return Reply(204)

    def _deliveries(self, _: Request) -> Reply:
        sender = self._eventsub.webhook_sender
        deliveries = [delivery.document() for delivery in sender.deliveries]
        return Reply(200, {"pending": sender.pending, "deliveries": deliveries})


def _post(path: str, endpoint: Endpoint) -> Rule:
    return Rule(f"/control/{path}", methods=["POST"], endpoint=endpoint)


def _get(path: str, endpoint: Endpoint) -> Rule:
    return Rule(f"/control/{path}", methods=["GET"], endpoint=endpoint)


def _command(command: Callable[..., Any]) -> Endpoint:
    def answer(_: Request, **values: str) -> Reply:
        try:
            command(**values)
        except KeyError:
            raise Refused(404, "no such user") from None
        except ValueError as error:
            raise Refused(409, str(error)) from None
        return Reply(204)

    return answer
