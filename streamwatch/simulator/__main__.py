"""`python -m streamwatch.simulator`: the simulated Twitch as a process."""

import click

from streamwatch.dev.process_group import stopped_by_signals
from streamwatch.simulator import Simulator


@click.command()
@click.option("--port", default=0, help="0: a free port")
@click.option("--seed", default=0, show_default=True)
@click.option("--alive", is_flag=True, help="streams start and end by themselves")
def main(port: int, seed: int, alive: bool) -> None:
    """Serve on 127.0.0.1 until SIGINT or SIGTERM. Prints the settings to use first."""
    stopped = stopped_by_signals()
    with Simulator(port=port, seed=seed, alive=alive) as twitch:
        click.echo(f"TWITCH_API_URL={twitch.api_url}")
        click.echo(f"TWITCH_AUTH_URL={twitch.auth_url}")
        click.echo(f"TWITCH_EVENTSUB_URL={twitch.eventsub_url}")
        click.echo(f"TWITCH_CLIENT_ID={twitch.client_id}")
        click.echo(f"TWITCH_CLIENT_SECRET={twitch.client_secret}")
        stopped.wait()


if __name__ == "__main__":
    main()
