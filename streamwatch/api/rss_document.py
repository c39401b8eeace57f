"""Writes RSS 2.0 (https://www.rssboard.org/rss-specification)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from streamwatch.api.xml_text import xml_text

_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a channel. Readers show an item with a new `id` as unread."""

    id: str
    title: str
    link: str
    description: str
    at: datetime
    category: str | None = None


def document(title: str, description: str, url: str, link: str, items: Iterable[Item]) -> bytes:
    """A channel: `url` is its own address, `link` that of the page it belongs to."""
    ET.register_namespace("atom", _ATOM)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _add(channel, title=title, link=link, description=description)
    ET.SubElement(channel, f"{{{_ATOM}}}link", href=url, rel="self", type="application/rss+xml")
    for item in items:
        element = ET.SubElement(channel, "item")
        _add(element, title=item.title, link=item.link, description=item.description)
        ET.SubElement(element, "guid", isPermaLink="false").text = item.id
        _add(element, pubDate=format_datetime(item.at))
        if item.category:
            _add(element, category=item.category)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _add(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = xml_text(text)
