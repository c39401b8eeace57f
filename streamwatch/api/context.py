"""What the application was built with, for its views."""

from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

if TYPE_CHECKING:
    from streamwatch.bootstrap import Services

_KEY = "streamwatch"


def provide(app: Flask, services: "Services") -> None:
    """Let the views of `app` call these services."""
    app.extensions[_KEY] = services


def services() -> "Services":
    """The services of the application that answers this request."""
    return cast("Services", current_app.extensions[_KEY])
