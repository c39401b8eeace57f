"""The embeddable page: who is live, in a frame of another site or as a browser source of OBS.

Style and script are part of the page, so that it is one response, for which one key is enough.
"""

from base64 import b64encode
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Response, render_template
from markupsafe import Markup
from marshmallow import fields, validate

from streamwatch.api.arguments import TagQuery
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services, tagged
from streamwatch.api.responses import cached, revalidated
from streamwatch.storage.base import Topic

blueprint = Blueprint(
    "embed",
    __name__,
    url_prefix="/embed",
    template_folder="templates",
    description="A page for frames of other sites.",
)

HTML = "text/html; charset=utf-8"
STREAMS_SHOWN = 50

_STATIC = Path(__file__).parent / "static"
_STYLE = (_STATIC / "embed.css").read_text("utf-8")
_SCRIPT = (_STATIC / "embed.js").read_text("utf-8")


class Theme(StrEnum):
    """`auto` follows the visitor's system; `transparent` has no background."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"
    TRANSPARENT = "transparent"


class EmbedQuery(TagQuery):
    theme = fields.String(
        load_default=Theme.AUTO,
        validate=validate.OneOf(list(Theme)),
        metadata={"description": "`transparent` has no background, for OBS."},
    )


@blueprint.get("/live")
@blueprint.arguments(EmbedQuery, location="query")
@blueprint.response(200, {"type": "string"}, description="An HTML page", content_type=HTML)
@blueprint.problems(503)
@cached(Topic.LIVE, Topic.STREAMERS)
def embed_live(query: dict[str, Any]) -> Response:
    """Show the live streams as a page for frames

    Shows the live streams of all streamers, or of those with a tag, most viewers first. Pages of
    EMBED_ORIGINS may frame it. It loads nothing from Twitch, and updates itself.
    """
    live = services().live_directory.find(user_ids=tagged(query["tag"]))
    page = render_template(
        "embed.html",
        live=live[:STREAMS_SHOWN],
        more=max(0, len(live) - STREAMS_SHOWN),
        theme=query["theme"],
        style=Markup(_STYLE),  # noqa: S704  our own file
        script=Markup(_SCRIPT),  # noqa: S704  our own file
    )
    response = Response(page, content_type=HTML)
    response.headers["Content-Security-Policy"] = _content_security_policy()
    if services().settings.embed_origins:
        response.headers["X-Frame-Options"] = ""  # it has no list of origins as frame-ancestors has
    return revalidated(response)


def _content_security_policy() -> str:
    ancestors = " ".join(services().settings.embed_origins) or "'none'"
    return (
        f"default-src 'none'; script-src {_source(_SCRIPT)}; style-src {_source(_STYLE)};"
        " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        f" frame-ancestors {ancestors}"
    )


def _source(text: str) -> str:
    """The source expression of an inline script or style
    (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
