"""The worker process: scheduled jobs and the feed's readers."""
