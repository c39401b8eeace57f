"""Twitch: the port (`base`), the client of Helix, the app token, and EventSub's WebSocket."""
