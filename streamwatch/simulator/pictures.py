"""Drawn avatars and previews of the simulated streamers, as SVG, under the paths

- `/avatar/LOGIN.svg`
- `/preview/LOGIN-WIDTHxHEIGHT.svg?scene=CATEGORY`

Each streamer and category always looks the same.
"""

from collections.abc import Callable, Iterable
from html import escape
from math import sin
from random import Random
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

PATH = "/pictures"
"""Where the simulator serves them."""

_SVG = "image/svg+xml"
_CACHE = "public, max-age=300"


def avatar(login: str) -> str:
    """A face of 96 by 96 units: ears, eyes and a mouth on a coloured ground."""
    random = Random(f"avatar {login}")  # noqa: S311  a drawing
    hue = random.randrange(360)
    fur, ground = f"hsl({(hue + 150) % 360} 55% 68%)", f"hsl({hue} 58% 42%)"
    dark = "#1d1a2b"
    ear = random.choice([_round_ears, _pointed_ears, _long_ears])
    eye = random.uniform(4.5, 7.5)
    apart = random.uniform(11, 16)
    mouth = random.choice(["M40 66q8 8 16 0", "M42 67h12", "M40 65q4 5 8 0q4 5 8 0"])
    glasses = (
        f'<g fill="none" stroke="{dark}" stroke-width="2.5"><circle cx="{48 - apart:.1f}" cy="50"'
        f' r="11"/><circle cx="{48 + apart:.1f}" cy="50" r="11"/><path d="M44 50h8"/></g>'
        if random.random() < 0.3  # noqa: PLR2004  some wear glasses
        else ""
    )
    return _document(
        96,
        96,
        f'<rect width="96" height="96" fill="{ground}"/>{ear(fur)}'
        f'<circle cx="48" cy="54" r="29" fill="{fur}"/>'
        f'<g fill="{dark}"><circle cx="{48 - apart:.1f}" cy="50" r="{eye:.1f}"/>'
        f'<circle cx="{48 + apart:.1f}" cy="50" r="{eye:.1f}"/></g>'
        f'<g fill="#fff"><circle cx="{50 - apart:.1f}" cy="48" r="1.8"/>'
        f'<circle cx="{50 + apart:.1f}" cy="48" r="1.8"/></g>{glasses}'
        f'<path d="{mouth}" fill="none" stroke="{dark}" stroke-width="3" stroke-linecap="round"/>',
    )


def preview(login: str, scene: str, width: int, height: int) -> str:
    """A landscape in the colours of `scene` with the streamer's face, in the part that remains
    where a page crops the picture to a square."""
    random = Random(f"preview {login} {scene}")  # noqa: S311  a drawing
    hue = Random(f"scene {scene}").randrange(360)  # noqa: S311
    sky = (
        f'<linearGradient id="sky" x2="0" y2="1"><stop stop-color="hsl({hue} 60% 30%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + 45) % 360} 70% 66%)"/></linearGradient>'
    )
    sun = (
        f'<circle cx="{random.uniform(60, 260):.0f}" cy="{random.uniform(40, 90):.0f}"'
        f' r="{random.uniform(14, 26):.0f}" fill="hsl({(hue + 60) % 360} 90% 84%)"/>'
    )
    hills = "".join(
        _hill(random, 90 + 28 * layer, f"hsl({(hue + 15 * layer) % 360} 42% {40 - 10 * layer}%)")
        for layer in range(3)
    )
    towers = "".join(
        f'<rect x="{x}" y="{160 - tall}" width="{random.randrange(8, 22)}" height="{tall}"'
        f' fill="hsl({hue} 30% 14%)"/>'
        for x in range(8, 320, random.randrange(34, 70))
        if (tall := random.randrange(14, 60))
    )
    face = avatar(login).replace("<svg ", '<svg x="190" y="118" width="54" height="54" ', 1)
    return _document(
        320,
        180,
        f'<defs>{sky}</defs><rect width="320" height="180" fill="url(#sky)"/>{sun}{hills}{towers}'
        f'<rect y="160" width="320" height="20" fill="hsl({hue} 34% 10%)"/>{face}',
        size=f'width="{width}" height="{height}" ',
    )


class Pictures:
    """A WSGI application that serves the drawings."""

    def __init__(self, scene_of: Callable[[str], str] = lambda login: login) -> None:
        """`scene_of` names the category that a login streams now."""
        self._scene_of = scene_of
        self._map = Map(
            [
                Rule("/avatar/<login>.svg", endpoint="avatar"),
                Rule("/preview/<login>-<int:width>x<int:height>.svg", endpoint="preview"),
            ]
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            endpoint, values = self._map.bind_to_environ(environ).match()
        except HTTPException as error:
            return error(environ, start_response)
        login = values["login"]
        if endpoint == "avatar":
            text = avatar(login)
        else:
            scene = Request(environ).args.get("scene") or self._scene_of(login)
            text = preview(login, scene, values["width"], values["height"])
        response = Response(text, content_type=_SVG, headers={"Cache-Control": _CACHE})
        return response(environ, start_response)


def avatar_url(base: str, login: str) -> str:
    """The URL of an avatar where Pictures are served under `base`."""
    return f"{base}/avatar/{escape(login)}.svg"


def preview_url(base: str, login: str) -> str:
    """The URL template of a preview, with `{width}` and `{height}` as in Helix's answers."""
    return f"{base}/preview/{escape(login)}-{{width}}x{{height}}.svg"


def _document(width: int, height: int, content: str, size: str = "") -> str:
    return (
        f'<svg {size}xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f"{content}</svg>"
    )


def _hill(random: Random, base: float, color: str) -> str:
    phase, swing = random.uniform(0, 6), random.uniform(10, 26)
    line = " ".join(
        f"{x},{base + swing * sin(phase + x / 46) + 0.3 * swing * sin(x / 17):.0f}"
        for x in range(0, 321, 16)
    )
    return f'<polygon points="0,180 {line} 320,180" fill="{color}"/>'


def _round_ears(color: str) -> str:
    return f'<g fill="{color}"><circle cx="26" cy="30" r="12"/><circle cx="70" cy="30" r="12"/></g>'


def _pointed_ears(color: str) -> str:
    return f'<path d="M20 46 22 14 44 30zM76 46 74 14 52 30z" fill="{color}"/>'


def _long_ears(color: str) -> str:
    return (
        f'<g fill="{color}"><ellipse cx="34" cy="22" rx="7" ry="20"/>'
        '<ellipse cx="62" cy="22" rx="7" ry="20"/></g>'
    )
