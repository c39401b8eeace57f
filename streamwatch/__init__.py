"""StreamWatch watches Twitch streamers and says who is live, over REST and on a dashboard."""

__version__ = "0.2.0"
