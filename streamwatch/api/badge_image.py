"""Draws badges: small SVG images with a label and a text, side by side."""

from html import escape
from unicodedata import east_asian_width

from streamwatch.api.xml_text import xml_text

_HEIGHT = 20
_PADDING = 8
_NARROW, _WIDE = 6.7, 11.5
"""The estimated widths of characters. `textLength` fits the real ones into their sum."""

_MAX_LABEL = 25
"""The length of the longest display name on Twitch, and so of a label."""

_LABEL_COLOR = "#35323f"

_TEMPLATE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img"'
    ' aria-label="{label}: {text}"><title>{label}: {text}</title>'
    '<clipPath id="c"><rect width="{width}" height="{height}" rx="4"/></clipPath>'
    '<g clip-path="url(#c)"><rect width="{width}" height="{height}" fill="{label_color}"/>'
    '<rect x="{label_width}" width="{text_width}" height="{height}" fill="{color}"/></g>'
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
    '<text x="{padding}" y="14" textLength="{label_length}">{label}</text>'
    '<text x="{text_x}" y="14" textLength="{text_length}">{text}</text></g></svg>'
)


def badge(label: str, text: str, color: str) -> str:
    """The SVG document of a badge, of less than 2 kB."""
    label = xml_text(label)[:_MAX_LABEL]
    label_length, text_length = _length(label), _length(text)
    label_width, text_width = label_length + 2 * _PADDING, text_length + 2 * _PADDING
    return _TEMPLATE.format(
        width=label_width + text_width,
        height=_HEIGHT,
        padding=_PADDING,
        label=escape(label),
        text=escape(text),
        label_color=_LABEL_COLOR,
        color=color,
        label_width=label_width,
        text_width=text_width,
        label_length=label_length,
        text_length=text_length,
        text_x=label_width + _PADDING,
    )


def _length(text: str) -> int:
    return round(sum(_WIDE if east_asian_width(c) in "WF" else _NARROW for c in text))
