from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.simulator.faults import CallFault
from tests.cli.conftest import Shell


def prepare(shell: Shell) -> None:
    """Monitor two, and subscribe."""
    shell.does("streamers", "add", "shroud", "quillandcopper")
    shell.does("subscriptions", "verify")
    shell.twitch.wait_until_delivered()


def test_verify_creates_missing_subscriptions(shell: Shell) -> None:
    shell.does("streamers", "add", "shroud", "quillandcopper")
    assert shell.does("subscriptions", "verify") == (
        "healthy: 4 checked, 0 healthy, 4 created, 0 deleted, 0 failed\n"
    )
    assert all(streamer.is_active for streamer in shell.storage.streamers())
    assert shell.does("subscriptions", "verify") == (
        "healthy: 4 checked, 4 healthy, 0 created, 0 deleted, 0 failed\n"
    )


def test_verify_exits_with_1_if_a_subscription_is_missing(shell: Shell) -> None:
    shell.twitch.subscriptions.max_total_cost = 2
    shell.does("streamers", "add", "shroud", "quillandcopper")
    result = shell.run("subscriptions", "verify")
    assert result.exit_code == 1
    assert result.stdout.startswith("limited: 4 checked, 0 healthy, 2 created")


def test_the_list_has_a_line_for_each_subscription(shell: Shell) -> None:
    prepare(shell)
    result = shell.run("subscriptions", "list")
    lines = [line.split() for line in result.stdout.splitlines()]
    shroud = shell.twitch.world.user("shroud").user_id
    known = {subscription.id for subscription in shell.twitch.subscriptions.all()}
    assert {line[0] for line in lines} == known
    assert ["stream.online", shroud, "enabled", "ours"] in [line[1:] for line in lines]
    assert result.stderr == "4 ours, 0 others; cost 4 of 10000\n"
    elsewhere = shell.does(
        "subscriptions", "list", WEBHOOK_URL="http://localhost/webhooks/eventsub"
    )
    assert all(line.endswith(shell.receiver.callback) for line in elsewhere.splitlines())


def test_cleanup_asks_for_confirmation(shell: Shell) -> None:
    prepare(shell)
    result = shell.run("subscriptions", "cleanup", answer="n\n")
    assert result.exit_code == 1
    assert "Delete 4 subscriptions for our callback?" in result.stdout
    assert len(shell.twitch.subscriptions.all()) == 4
    assert "Deleted 4" in shell.does("subscriptions", "cleanup", answer="y\n")
    assert shell.twitch.subscriptions.all() == []
    assert not any(streamer.subscription_ids for streamer in shell.storage.streamers())


def test_delete_all_with_yes_does_not_ask(shell: Shell) -> None:
    prepare(shell)
    said = shell.does(
        "subscriptions", "delete-all", "--yes", WEBHOOK_URL="http://localhost/webhooks/eventsub"
    )
    assert said == "Deleted 4 subscriptions.\n"
    assert shell.twitch.subscriptions.all() == []


def test_a_running_reconciliation_is_an_error(shell: Shell) -> None:
    shell.storage.coordination.acquire_lease(RECONCILE, "another", 60)
    result = shell.run("subscriptions", "verify")
    assert result.exit_code == 1
    assert "Another process" in result.stderr


def test_a_twitch_failure_prints_one_line_and_exits_with_1(shell: Shell) -> None:
    shell.twitch.faults.on_call("/helix/eventsub/subscriptions", CallFault(403))
    result = shell.run("subscriptions", "list")
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: Twitch refused")
    assert isinstance(result.exception, SystemExit)


def test_conduits_are_listed_and_deleted(shell: Shell) -> None:
    own = shell.twitch.conduits.create({"shard_count": 1}).id
    other = shell.twitch.conduits.create({"shard_count": 2}).id
    shell.storage.coordination.save_conduit_id(own)
    assert shell.does("subscriptions", "conduits", "list").splitlines() == [
        f"{own}  1 shard  ours",
        f"{other}  2 shards  other",
    ]
    result = shell.run("subscriptions", "conduits", "delete", own, answer="n\n")
    assert f"Delete our conduit {own}" in result.stdout
    said = shell.does("subscriptions", "conduits", "delete", other, "--yes")
    assert said == f"Deleted conduit {other}.\n"
    assert [conduit.id for conduit in shell.twitch.conduits.all()] == [own]
    missing = shell.run("subscriptions", "conduits", "delete", other, "--yes")
    assert missing.exit_code == 1
    assert f"There is no conduit {other}." in missing.output


def test_the_list_names_conduits(shell: Shell) -> None:
    shell.does("streamers", "add", "shroud")
    shell.environment["EVENTSUB_TRANSPORT"] = "conduit"
    assert "healthy: 2 checked" in shell.does("subscriptions", "verify")
    result = shell.run("subscriptions", "list")
    [conduit] = shell.twitch.conduits.all()
    assert result.stderr == (
        f"2 ours, 0 others; cost 2 of 10000\nconduit {conduit.id}: shard 0 websocket_disconnected\n"
    )
    elsewhere = shell.run("subscriptions", "list", EVENTSUB_TRANSPORT="webhook")
    assert all(line.endswith(f"conduit {conduit.id}") for line in elsewhere.stdout.splitlines())
