"""EventSub subscriptions: from what Twitch has to what is wanted."""
