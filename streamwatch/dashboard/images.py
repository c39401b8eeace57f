"""Avatars and previews: which images pages may load."""

from streamwatch.api.context import services
from streamwatch.domain.times import utc_now

PREVIEW_WIDTH, PREVIEW_HEIGHT = 320, 180

_PREVIEW_SECONDS = 300
"""Twitch renders a new preview about every five minutes, under the same URL."""


def origins() -> tuple[str, ...]:
    """The origins in IMAGE_ORIGINS."""
    return services().settings.image_origins


def avatars() -> dict[str, str | None]:
    """The profile images of monitored streamers by user id."""
    return {streamer.user_id: streamer.profile_image_url for streamer in services().streamers.all()}


def avatar_url(url: str | None) -> str | None:
    """The URL of a profile image, if pages may load it."""
    return url if url and _is_allowed(url) else None


def preview_url(template: str | None) -> str | None:
    """The URL of a stream's preview, from Twitch's template with `{width}` and `{height}`. It
    changes when a newer preview can be expected."""
    if not template or not _is_allowed(template):
        return None
    url = template.replace("{width}", str(PREVIEW_WIDTH)).replace("{height}", str(PREVIEW_HEIGHT))
    return f"{url}?t={int(utc_now().timestamp()) // _PREVIEW_SECONDS}"


def _is_allowed(url: str) -> bool:
    return any(url.startswith(f"{origin}/") for origin in origins())
