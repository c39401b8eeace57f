"""Validation of input: path parameters by converters, query and JSON body by schemas."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

import marshmallow as ma
import orjson
from flask import Flask, Request, current_app, request
from marshmallow.exceptions import SCHEMA
from webargs.flaskparser import FlaskParser, is_json_request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.routing import BaseConverter, Map

from streamwatch.api.body import read_body
from streamwatch.api.errors import Fault, InvalidRequest
from streamwatch.domain.eventsub import LOGIN
from streamwatch.domain.exports import MAX_FAULTS
from streamwatch.domain.logins import NOT_A_LOGIN, login_from
from streamwatch.domain.models import EventType
from streamwatch.domain.tags import NOT_A_TAG, TAG

MAX_BODY_BYTES = 1024 * 1024
"""The limit of a body. The webhook and imports have limits of their own."""

LOGIN_SCHEMA = {"type": "string", "pattern": f"^{LOGIN.pattern}$", "examples": ["shroud"]}
TAG_SCHEMA = {"type": "string", "pattern": f"^{TAG.pattern}$", "examples": ["friends"]}
EVENT_TYPE_SCHEMA = {"type": "string", "enum": list(EventType)}


class LoginConverter(BaseConverter):
    """A login in a path: `<login:username>`, or `<login(name="login"):login>`."""

    def __init__(self, map: Map, name: str = "username") -> None:  # noqa: A002  Werkzeug's word
        super().__init__(map)
        self._name = name

    def to_python(self, value: str) -> str:
        if not LOGIN.fullmatch(value):
            raise InvalidRequest([Fault("path", self._name, NOT_A_LOGIN)])
        return value


class EventTypeConverter(BaseConverter):
    """A type of event in a path: `<event_type:event_type>`."""

    def to_python(self, value: str) -> EventType:
        if value not in set(EventType):
            known = ", ".join(EventType)
            raise InvalidRequest([Fault("path", "event_type", f"Known types: {known}.")])
        return EventType(value)


CONVERTERS = {
    "login": (LoginConverter, LOGIN_SCHEMA),
    "event_type": (EventTypeConverter, EVENT_TYPE_SCHEMA),
}
"""The converter and its documentation, by the name in a URL rule."""


def register(app: Flask) -> None:
    """Add the converters, and the limit of bodies. A view with an attribute `max_body_bytes` has
    another limit. Register before `auth`, which may read a form."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.before_request(_set_body_limit)
    app.url_map.converters |= {name: converter for name, (converter, _) in CONVERTERS.items()}


def _set_body_limit() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    limit = getattr(view, "max_body_bytes", None)
    if limit is not None:
        request.max_content_length = limit


class LoginField(ma.fields.String):
    """A login in a body or a query."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=_check_login, metadata=LOGIN_SCHEMA, **kwargs)


def _check_login(value: str) -> None:
    if not LOGIN.fullmatch(value):
        raise ma.ValidationError(f"{value[:64]!r}: {NOT_A_LOGIN}")


class PastedLoginField(ma.fields.String):
    """A login in a body, also as `@login` or as the URL of the channel."""

    def __init__(self) -> None:
        description = "A login, or the URL of a channel."
        super().__init__(metadata={"description": description, "examples": ["shroud"]})

    def _deserialize(self, *arguments: Any, **options: Any) -> str:
        text = super()._deserialize(*arguments, **options)
        login = login_from(text)
        if login is None:
            raise ma.ValidationError(f"{text[:64]!r}: {NOT_A_LOGIN}")
        return login


class TagField(ma.fields.String):
    """A tag of streamers in a body or a query."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = TAG_SCHEMA | kwargs.pop("metadata", {})
        super().__init__(validate=_check_tag, metadata=metadata, **kwargs)


def _check_tag(value: str) -> None:
    if not TAG.fullmatch(value):
        raise ma.ValidationError(f"{value[:64]!r}: {NOT_A_TAG}")


class BoundedList(ma.fields.List[Any]):
    """A list in a body, of at most `longest` entries.

    A longer one is refused before its entries are checked: each of them costs time and memory, and
    each wrong one would be reported.
    """

    def __init__(
        self, entry: ma.fields.Field[Any], longest: int, shortest: int = 0, **options: Any
    ) -> None:
        super().__init__(entry, validate=ma.validate.Length(shortest, longest), **options)

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> list[Any]:
        if isinstance(value, list):
            for validator in self.validators:
                validator(value)
        return super()._deserialize(value, *arguments, **options)


class FeedQuery(ma.Schema):
    """The arguments of RSS feeds and calendars."""

    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 500))


class TagQuery(ma.Schema):
    """`tag` narrows a list to the streamers who have it."""

    tag = TagField(
        load_default=None, metadata={"description": "Only include streamers with this tag."}
    )


class Parser(FlaskParser):
    """webargs' parser, with orjson, which bounds nesting, and with the problems of this API."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:  # noqa: ARG002  webargs' signature
        return read_json(req, MAX_BODY_BYTES)

    def handle_error(self, error: ma.ValidationError, *_: Any, **__: Any) -> NoReturn:
        faults = islice(_faults(error.messages_dict), MAX_FAULTS)
        raise InvalidRequest(list(faults)) from None


def read_json(req: Request, limit: int) -> Any:
    """The JSON body of a request, of at most `limit` bytes."""
    if not is_json_request(req):
        raise UnsupportedMediaType("Send the body as application/json.")
    try:
        return orjson.loads(read_body(req, limit))
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not JSON.") from None


def _faults(messages: dict[str, Any]) -> Iterator[Fault]:
    """Flatten the nested messages of marshmallow, whose outermost level is the location."""
    for location, nested in messages.items():
        place = "body" if location == "json" else location
        for path, detail in _leaves(nested, ()):
            yield Fault(place, ".".join(path)[:64], detail)


def _leaves(nested: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(nested, dict):
        for key, value in nested.items():
            yield from _leaves(value, path if key == SCHEMA else (*path, str(key)))
    else:
        for detail in nested:
            yield path, detail
