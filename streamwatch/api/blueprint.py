"""flask-smorest's blueprint with this API's arguments and problems."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import flask_smorest

from streamwatch.api.arguments import Parser

View = TypeVar("View", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = Parser()

    def problems(self, *statuses: int) -> Callable[[View], View]:
        """Document the problems that a view answers beside those that every view may."""
        names = {str(int(status)): HTTPStatus(status).name for status in statuses}
        decorator: Callable[[View], View] = self.doc(responses=names)
        return decorator
