"""flask-smorest's blueprint, with the arguments and the problem documents of this API."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import flask_smorest
from flask import Flask, current_app, request

from streamwatch.api import auth
from streamwatch.api.arguments import Parser
from streamwatch.api.errors import Fault, InvalidRequest

View = TypeVar("View", bound=Callable[..., Any])

_IGNORED_PARAMETER = "_"
"""Some clients append it with a random value, to bypass caches."""


class Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Any:
        """As flask-smorest's; the view also gets the names of its query parameters."""
        decorate = super().arguments(schema, location=location, **options)
        if location != "query":
            return decorate

        def decorate_and_name(view: View) -> View:
            decorated: View = decorate(view)
            decorated.query_names = frozenset(schema().fields)  # type: ignore[attr-defined]  # functools.wraps carries it along
            return decorated

        return decorate_and_name

    def problems(self, *statuses: int) -> Callable[[View], View]:
        """Document the problems of a view, besides those that all views may answer with."""
        names = {str(int(status)): HTTPStatus(status).name for status in statuses}
        decorator: Callable[[View], View] = self.doc(responses=names)
        return decorator


def register(app: Flask) -> None:
    app.before_request(_refuse_unknown_parameters)


def _refuse_unknown_parameters() -> None:
    """Refuse query parameters that the view does not know, for example misspelled ones."""
    if not request.query_string:
        return
    if not isinstance(current_app.blueprints.get(request.blueprint or ""), Blueprint):
        return
    known: set[str] = {_IGNORED_PARAMETER}
    known.update(getattr(current_app.view_functions[request.endpoint or ""], "query_names", ()))
    if auth.takes_key_parameter(request.path):
        known.add(auth.KEY_PARAMETER)
    unknown = [name for name in request.args if name not in known]
    if unknown:
        raise InvalidRequest([Fault("query", name[:64], "Unknown parameter.") for name in unknown])
