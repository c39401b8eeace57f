"""From a webhook message or a poll to a stored change."""
