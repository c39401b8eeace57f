from tests import messages
from tests.api.world import World


def test_live_streams_are_ordered_by_viewers(world: World) -> None:
    for login, viewers in (("few", 3), ("many", 30_000), ("some", 300)):
        world.twitch.go_live(world.twitch.add_user(login), viewer_count=viewers)
        world.post(f"/streamers/{login}")
    world.add("away")
    answer = world.get("/streams/live").get_json()
    assert set(answer) == {"live_streams", "count"}
    assert [status["username"] for status in answer["live_streams"]] == ["many", "some", "few"]
    assert answer["count"] == 3
    assert all(
        status["is_live"] and status["source"] == "storage" for status in answer["live_streams"]
    )


def test_a_pushed_stream_is_live_before_its_details_are_known(world: World) -> None:
    world.send(messages.online(stream_id="9001"))
    [status] = world.get("/streams/live").get_json()["live_streams"]
    stream = status["stream_data"]
    assert (stream["id"], stream["type"]) == ("9001", "live")
    assert stream["viewer_count"] is stream["title"] is stream["tags"] is None


def test_the_live_list_is_empty_at_first(world: World) -> None:
    assert world.get("/streams/live").get_json() == {"live_streams": [], "count": 0}
