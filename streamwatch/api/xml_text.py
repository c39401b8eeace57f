"""Texts in XML documents."""

import re

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, and a title on Twitch may have."""


def xml_text(text: str) -> str:
    """The text without characters that XML does not allow. It is not escaped."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
