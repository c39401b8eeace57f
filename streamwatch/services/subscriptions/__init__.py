"""EventSub subscriptions: reconciles those of Twitch with the monitored streamers."""
