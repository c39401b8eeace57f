"""The Helix endpoints that StreamWatch uses: https://dev.twitch.tv/docs/api/reference/"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule
from werkzeug.wrappers import Request

from streamwatch.domain.eventsub import LOGIN
from streamwatch.domain.models import Stream, User
from streamwatch.domain.times import format_time
from streamwatch.simulator.conduits import Conduits
from streamwatch.simulator.eventsub import EventSub
from streamwatch.simulator.faults import Faults
from streamwatch.simulator.pictures import avatar_url
from streamwatch.simulator.subscriptions import Subscriptions
from streamwatch.simulator.videos import Videos
from streamwatch.simulator.web import Document, Refused, Reply
from streamwatch.simulator.world import Channel, World

MOST_PER_CALL = 100
"""The most ids and logins in one call, and items on one page."""

_FIRST = "20"


class Helix:
    """Responds from the world, the subscriptions and the conduits."""

    def __init__(
        self,
        world: World,
        subscriptions: Subscriptions,
        conduits: Conduits,
        eventsub: EventSub,
        faults: Faults,
        videos: Videos,
        clock: Callable[[], datetime],
    ) -> None:
        self._world = world
        self._subscriptions = subscriptions
        self._conduits = conduits
        self._eventsub = eventsub
        self._faults = faults
        self._videos = videos
        self._clock = clock

    def rules(self) -> list[Rule]:
        subscriptions = "/helix/eventsub/subscriptions"
        conduits, shards = "/helix/eventsub/conduits", "/helix/eventsub/conduits/shards"
        return [
            Rule("/helix/users", methods=["GET"], endpoint=self._users),
            Rule("/helix/streams", methods=["GET"], endpoint=self._streams),
            Rule("/helix/channels", methods=["GET"], endpoint=self._channels),
            Rule("/helix/videos", methods=["GET"], endpoint=self._list_videos),
            Rule(conduits, methods=["GET"], endpoint=self._list_conduits),
            Rule(conduits, methods=["POST"], endpoint=self._create_conduit),
            Rule(conduits, methods=["PATCH"], endpoint=self._update_conduit),
            Rule(conduits, methods=["DELETE"], endpoint=self._delete_conduit),
            Rule(shards, methods=["GET"], endpoint=self._list_shards),
            Rule(shards, methods=["PATCH"], endpoint=self._attach_shards),
            Rule(subscriptions, methods=["GET"], endpoint=self._list),
            Rule(subscriptions, methods=["POST"], endpoint=self._create),
            Rule(subscriptions, methods=["DELETE"], endpoint=self._delete),
        ]

    def _users(self, request: Request) -> Reply:
        logins = {login.lower() for login in request.args.getlist("login")}
        user_ids = set(request.args.getlist("id"))
        if not 0 < len(logins) + len(user_ids) <= MOST_PER_CALL:
            raise Refused(400, "1 to 100 ids and logins are required")
        if not all(LOGIN.fullmatch(login) for login in logins):
            raise Refused(400, "Invalid username(s), email(s), or ID(s). Bad Identifiers.")
        found = [
            user for user in self._world.users() if user.login in logins or user.user_id in user_ids
        ]
        return Reply(
            200, {"data": [_user_document(user, self._world.pictures_url) for user in found]}
        )

    def _streams(self, request: Request) -> Reply:
        user_ids = self._asked_user_ids(request.args)
        first = _number(request.args.get("first", _FIRST), 1, MOST_PER_CALL, "first")
        begin = _number(request.args.get("after") or "0", 0, None, "after")
        until = self._clock() - self._faults.helix_lag
        shown = sorted(
            self._world.shown(until, user_ids), key=lambda entry: -(entry[1].viewer_count or 0)
        )
        end = begin + first
        data = [_stream_document(user, stream) for user, stream in shown[begin:end]]
        cursor = {"cursor": str(end)} if end < len(shown) else {}
        return Reply(200, {"data": data, "pagination": cursor})

    def _list_videos(self, request: Request) -> Reply:
        """Of one user, the newest first. Only archived streams exist."""
        user_ids = request.args.getlist("user_id")
        if len(user_ids) != 1:
            raise Refused(400, "one user_id is required")
        first = _number(request.args.get("first", _FIRST), 1, MOST_PER_CALL, "first")
        begin = _number(request.args.get("after") or "0", 0, None, "after")
        is_archive = request.args.get("type", "all") in {"all", "archive"}
        now, found = self._clock(), self._videos.of(user_ids[0]) if is_archive else []
        end = begin + first
        cursor = {"cursor": str(end)} if end < len(found) else {}
        data = [video.document(now) for video in found[begin:end]]
        return Reply(200, {"data": data, "pagination": cursor})

    def _asked_user_ids(self, args: MultiDict[str, str]) -> list[str] | None:
        """The users whose streams are requested; None for everyone. Unknown ids are ignored,
        unknown logins are refused."""
        user_ids, logins = args.getlist("user_id"), args.getlist("user_login")
        if len(user_ids) > MOST_PER_CALL or len(logins) > MOST_PER_CALL:
            raise Refused(400, "at most 100 of each are allowed")
        try:
            user_ids += [self._world.user(login).user_id for login in logins]
        except KeyError:
            raise Refused(400, "Malformed query params.") from None
        return list(dict.fromkeys(user_ids)) or None

    def _list(self, request: Request) -> Reply:
        filters = {
            name: value
            for name in ("status", "type", "user_id", "conduit_id")
            if (value := request.args.get(name))
        }
        return Reply(200, self._subscriptions.page(filters, request.args.get("after", "")))

    def _create(self, request: Request) -> Reply:
        created = self._eventsub.subscribe(request.get_json(silent=True))
        return Reply(202, {"data": [created], **self._subscriptions.totals()})

    def _delete(self, request: Request) -> Reply:
        subscription_id = request.args.get("id")
        if not subscription_id:
            raise Refused(400, "id is required")
        self._subscriptions.delete(subscription_id)
        return Reply(204)

    def _channels(self, request: Request) -> Reply:
        user_ids = request.args.getlist("broadcaster_id")
        if not 0 < len(user_ids) <= MOST_PER_CALL:
            raise Refused(400, "1 to 100 broadcaster ids are required")
        found = [user for user in self._world.users() if user.user_id in user_ids]
        channels = [(user, self._world.channel(user.login)) for user in found]
        return Reply(200, {"data": [_channel_document(*pair) for pair in channels]})

    def _list_conduits(self, _: Request) -> Reply:
        return Reply(200, {"data": [conduit.document() for conduit in self._conduits.all()]})

    def _create_conduit(self, request: Request) -> Reply:
        in_query = {"shard_count": request.args.get("shard_count", type=int)}  # as twurple sends it
        created = self._conduits.create(request.get_json(silent=True) or in_query)
        return Reply(200, {"data": [created.document()]})

    def _update_conduit(self, request: Request) -> Reply:
        updated = self._conduits.update(request.get_json(silent=True))
        return Reply(200, {"data": [updated.document()]})

    def _delete_conduit(self, request: Request) -> Reply:
        self._conduits.delete(request.args.get("id", ""))
        return Reply(204)

    def _list_shards(self, request: Request) -> Reply:
        begin = _number(request.args.get("after") or "0", 0, None, "after")
        shards = self._conduits.shards(
            request.args.get("conduit_id", ""), request.args.get("status")
        )
        end = begin + MOST_PER_CALL
        cursor = {"cursor": str(end)} if end < len(shards) else {}
        return Reply(200, {"data": shards[begin:end], "pagination": cursor})

    def _attach_shards(self, request: Request) -> Reply:
        return Reply(202, self._conduits.attach(request.get_json(silent=True)))


def _number(text: str, low: int, high: int | None, name: str) -> int:
    if not text.isdecimal() or int(text) < low or (high is not None and int(text) > high):
        raise Refused(400, f"the parameter {name} is malformed")
    return int(text)


def _user_document(user: User, pictures: str | None) -> Document:
    return {
        "id": user.user_id,
        "login": user.login,
        "display_name": user.display_name,
        "type": "",
        "broadcaster_type": "partner",
        "description": "",
        "profile_image_url": avatar_url(pictures, user.login) if pictures else "",
        "offline_image_url": "",
        "view_count": 0,
        "created_at": "2016-12-14T20:32:28Z",
    }


def _channel_document(user: User, channel: Channel) -> Document:
    return {
        "broadcaster_id": user.user_id,
        "broadcaster_login": user.login,
        "broadcaster_name": user.display_name,
        "broadcaster_language": channel.language,
        "game_id": channel.category_id,
        "game_name": channel.category,
        "title": channel.title,
        "delay": 0,
        "tags": [],
        "content_classification_labels": [],
        "is_branded_content": False,
    }


def _stream_document(user: User, stream: Stream) -> dict[str, Any]:
    return {
        "id": stream.id,
        "type": stream.type,
        "started_at": format_time(stream.started_at),
        "viewer_count": stream.viewer_count,
        "game_id": stream.game_id,
        "game_name": stream.game_name,
        "title": stream.title,
        "language": stream.language,
        "tags": None if stream.tags is None else list(stream.tags),
        "thumbnail_url": stream.thumbnail_url,
        "user_id": user.user_id,
        "user_login": user.login,
        "user_name": user.display_name,
        "tag_ids": [],
        "is_mature": False,
    }
