"""MkDocs: links to files outside of docs/ lead to the repository."""

import re
from typing import Any

_LINK = re.compile(r"\]\((?:\.\./)+([^)#\s]+)")


def on_page_markdown(markdown: str, config: Any, **_: Any) -> str:
    """Rewrite `](../FILE)`."""
    return _LINK.sub(rf"]({config.repo_url}/blob/main/\1", markdown)
