"""A simulated Twitch for the demo and the tests: OAuth, Helix and EventSub on loopback. It follows
Twitch's rules and formats, and produces Twitch's faults on command.

    with Simulator() as twitch:
        settings = Settings(
            twitch_client_id=twitch.client_id, twitch_client_secret=twitch.client_secret,
            twitch_api_url=twitch.api_url, twitch_auth_url=twitch.auth_url, …
        )
        twitch.world.go_online("shroud", viewers=24_000)
        twitch.wait_until_delivered()
        assert all(delivery.is_acknowledged for delivery in twitch.deliveries)

- `world` (`World`): `add_user(display_name)`, `rename`, `go_online(login, …)`, `go_offline`,
  `resume` (the same stream again), `flap`, `set_viewers`,
  `update_channel`; `user`, `stream` and `channel` to read. The thirty users of `cast.CAST` exist
  from the beginning, all offline.
- `Simulator(alive=True)`: streams start and end by themselves, derived from `seed`
  (`RandomActivity`).
- `faults` (`Faults`): `on_call("/helix/streams", CallFault(429, reset_in=2))`,
  `on_message(MessageFault.DROPPED)`, `chances`, `helix_lag`, `nameless_offline`, `late_by`.
- `subscriptions` (`Subscriptions`): `all()`, `page_size`, `max_total_cost`.
- `videos` (`Videos`), one of each stream: `add(login, stream_id, started_at, length)`, `delete`,
  `late`, `name_streams`.
- `conduits` (`Conduits`): `all()`, `delete`, `attach_errors`.
- `sockets` (`Sockets`), the WebSocket server: `cut`, `close`, `keep_silent`, `reconnect`,
  `welcome_delay`, `keepalive`, `is_refusing`; its `deliveries`.
- `eventsub` (`EventSub`): `revoke(subscription, status)`, `failures_allowed`; its
  `webhook_sender`: `retry_delays` and `timeout`, both in seconds.
- `oauth.expire_all()`, `oauth.lifetime`, `bucket.points`: tokens and rate limit.
- `calls` (`Call`) of Helix and OAuth, and `deliveries` (`Delivery`) to webhooks.

As a process: `python -m streamwatch.simulator --port 8099`, controlled over HTTP (`control`).
"""

from streamwatch.simulator.faults import CallFault, MessageFault, MessageType
from streamwatch.simulator.simulator import Simulator

__all__ = ["CallFault", "MessageFault", "MessageType", "Simulator"]
