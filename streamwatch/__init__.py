"""StreamWatch: who is live on Twitch, what happened, and how their streams do."""

__version__ = "0.1.0"
