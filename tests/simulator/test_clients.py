"""Widely used clients of Twitch's API drive the simulator: it answers as Twitch does."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twitchAPI.object.api import TwitchUser
from twitchAPI.twitch import Twitch
from twitchAPI.type import VideoType

from streamwatch.simulator import Simulator
from tests.tools import NPM_PACKAGES, npm_tool, run, tool

Use = Callable[[Twitch, TwitchUser], Awaitable[None]]


def with_pytwitchapi(simulator: Simulator, use: Use) -> None:
    """Call `use` with a client that has an app token, and with the user shroud."""

    async def connected() -> None:
        client = await Twitch(
            simulator.client_id,
            simulator.client_secret,
            base_url=f"{simulator.api_url}/",
            auth_base_url=f"{simulator.auth_url}/",
        )
        try:
            users = [user async for user in client.get_users(logins=["shroud", "nobody_here"])]
            assert [user.login for user in users] == ["shroud"]
            await use(client, users[0])
        finally:
            await client.close()

    # In a thread of its own: Playwright's event loop runs in that of the tests.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(connected())).result()


def test_pytwitchapi_reads_users_streams_channels_and_videos(twitch: Simulator) -> None:
    async def use(client: Twitch, shroud: TwitchUser) -> None:
        twitch.world.go_online("shroud", viewers=7, category="Chess", title="e4")
        [stream] = [each async for each in client.get_streams(user_id=[shroud.id, "9999"])]
        assert (stream.user_login, stream.viewer_count, stream.title) == ("shroud", 7, "e4")
        [channel] = await client.get_channel_information([shroud.id])
        assert (channel.game_name, channel.title) == ("Chess", "e4")
        videos = [
            each
            async for each in client.get_videos(user_id=shroud.id, video_type=VideoType.ARCHIVE)
        ]
        assert [video.stream_id for video in videos] == [stream.id]

    with_pytwitchapi(twitch, use)


def test_pytwitchapi_lists_and_deletes_subscriptions(twitch: Simulator) -> None:
    async def use(client: Twitch, shroud: TwitchUser) -> None:
        created = twitch.subscriptions.create(
            {
                "type": "stream.online",
                "version": "1",
                "condition": {"broadcaster_user_id": shroud.id},
                "transport": {
                    "method": "webhook",
                    "callback": "http://127.0.0.1:9/webhooks/eventsub",
                    "secret": "a secret of the tests",
                },
            }
        )
        listed = await client.get_eventsub_subscriptions()
        assert [each.id for each in listed.data] == [created.id]
        assert (listed.total, listed.max_total_cost) == (1, 10_000)
        await client.delete_eventsub_subscription(created.id)
        assert (await client.get_eventsub_subscriptions()).data == []

    with_pytwitchapi(twitch, use)


def test_twurple_reads_users_streams_channels_videos_and_conduits(twitch: Simulator) -> None:
    twitch.world.go_online("shroud", viewers=7, category="Chess", title="e4")
    packages = Path(npm_tool("tsc")).parents[1]
    script = str(NPM_PACKAGES / "twurple.js")

    done = run(
        [
            *(tool("node", debian="nodejs"), script, twitch.auth_url, twitch.api_url),
            *(twitch.client_id, twitch.client_secret),
        ],
        environment={"NODE_PATH": str(packages)},
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "login": "shroud",
        "nobody": None,
        "viewers": 7,
        "category": "Chess",
        "videos": [True],
        "conduits": [True],
        "subscriptions": 0,
        "maxCost": 10_000,
    }
