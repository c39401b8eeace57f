"""Contract tests of `Coordination`, except leases and published changes."""

from datetime import timedelta

from streamwatch.domain.models import AppToken
from streamwatch.domain.times import utc_now
from streamwatch.storage.base import JobRun, Storage
from streamwatch.storage.testing.build import (
    START,
    ContractBase,
    at,
    eventually,
    run_concurrently,
)


class CoordinationContract(ContractBase):
    def test_the_last_run_of_each_job_is_stored(self, storage: Storage) -> None:
        assert storage.coordination.job_runs() == {}
        good = JobRun("refresh", at(2.000001), 0.25)
        bad = JobRun("verify", at(1), 1.5, "TwitchBusy: line\nfeed")

        for run in (JobRun("refresh", at(1), 9.0, "bad"), bad, good):
            storage.coordination.record_job(run)

        assert storage.coordination.job_runs() == {"refresh": good, "verify": bad}

    def test_the_request_of_a_job_is_stored_until_it_is_completed(self, storage: Storage) -> None:
        assert storage.coordination.job_requests() == {}
        for name in ("refresh", "verify"):
            storage.coordination.request_job(name)
        requests = storage.coordination.job_requests()
        assert requests.keys() == {"refresh", "verify"}

        storage.coordination.complete_job_request("refresh", requests["refresh"])

        assert storage.coordination.job_requests() == {"verify": requests["verify"]}

    def test_a_job_that_is_requested_again_stays_requested(self, storage: Storage) -> None:
        storage.coordination.request_job("refresh")
        earlier = storage.coordination.job_requests()["refresh"]
        storage.coordination.request_job("refresh")
        later = storage.coordination.job_requests()["refresh"]

        storage.coordination.complete_job_request("refresh", earlier)

        assert storage.coordination.job_requests() == {"refresh": later}

    def test_completing_a_request_twice_does_not_complete_a_later_one(
        self, storage: Storage
    ) -> None:
        storage.coordination.request_job("refresh")
        [earlier] = storage.coordination.job_requests().values()
        storage.coordination.complete_job_request("refresh", earlier)
        storage.coordination.request_job("refresh")

        storage.coordination.complete_job_request("refresh", earlier)

        assert storage.coordination.job_requests().keys() == {"refresh"}

    def test_the_time_of_the_last_heartbeat_is_stored(self, storage: Storage) -> None:
        assert storage.coordination.last_heartbeat() is None
        storage.coordination.heartbeat(START)
        storage.coordination.heartbeat(at(1.25))

        assert storage.coordination.last_heartbeat() == at(1.25)

    def test_a_worker_is_alive_until_its_heartbeat_expires(self, storage: Storage) -> None:
        assert not storage.coordination.is_worker_alive()
        storage.coordination.heartbeat(at(0))
        assert storage.coordination.is_worker_alive()

        storage.coordination.heartbeat(at(9), seconds=0.05)

        eventually(lambda: not storage.coordination.is_worker_alive())
        assert storage.coordination.last_heartbeat() == at(9)

    def test_counts_add_up(self, storage: Storage) -> None:
        assert storage.coordination.counts() == {}
        storage.coordination.add_counts({})
        run_concurrently(8, lambda n: storage.coordination.add_counts({"all": 2, f"of {n}": 1}))

        assert storage.coordination.counts() == {"all": 16, **{f"of {n}": 1 for n in range(8)}}

    def test_a_window_counts_all_increments(self, storage: Storage) -> None:
        uses = run_concurrently(8, lambda _: storage.coordination.increment_window("lookup", 60))

        assert sorted(use.count for use in uses) == list(range(1, 9))
        assert all(59 < use.seconds_left <= 60 for use in uses)
        assert storage.coordination.increment_window("lookup", 60, 10).count == 18
        assert storage.coordination.increment_window("other", 60, 3).count == 3

    def test_the_counter_restarts_when_the_window_ends(self, storage: Storage) -> None:
        first, second = (storage.coordination.increment_window("lookup", 0.3) for _ in range(2))
        assert (first.count, second.count) == (1, 2)
        assert second.seconds_left <= first.seconds_left <= 0.3

        eventually(lambda: storage.coordination.increment_window("lookup", 0.3).count == 1)

    def test_published_metrics_replace_earlier_ones_of_the_same_name(
        self, storage: Storage
    ) -> None:
        assert storage.coordination.published_metrics("helix") == {}
        storage.coordination.publish_metrics("helix", {"limit": 800, "reset": 1.5, "gone": 1}, 60)
        storage.coordination.publish_metrics("helix", {"limit": 800, "reset": 2.5}, 60)
        storage.coordination.publish_metrics("other", {}, 60)

        assert storage.coordination.published_metrics("helix") == {"limit": 800, "reset": 2.5}
        assert storage.coordination.published_metrics("other") == {}

    def test_published_metrics_expire(self, storage: Storage) -> None:
        storage.coordination.publish_metrics("helix", {"limit": 800}, 0.05)

        eventually(lambda: storage.coordination.published_metrics("helix") == {})

    def test_the_app_token_is_shared(self, storage: Storage) -> None:
        assert storage.coordination.app_token() is None
        token = AppToken("secret", utc_now() + timedelta(days=60))

        storage.coordination.save_app_token(token)

        assert storage.coordination.app_token() == token

    def test_a_new_app_token_replaces_the_old_one(self, storage: Storage) -> None:
        for days in (60, 1):
            token = AppToken(f"for {days}", utc_now() + timedelta(days=days))
            storage.coordination.save_app_token(token)

        assert storage.coordination.app_token() == token

    def test_an_app_token_is_deleted_when_it_expires(self, storage: Storage) -> None:
        expires_at = utc_now() + timedelta(seconds=0.2)
        storage.coordination.save_app_token(AppToken("short", expires_at))

        eventually(lambda: storage.coordination.app_token() is None)

        assert utc_now() >= expires_at - timedelta(milliseconds=1)

    def test_an_expired_app_token_is_not_stored(self, storage: Storage) -> None:
        expired = AppToken("old", utc_now() - timedelta(seconds=1))

        storage.coordination.save_app_token(expired)

        assert storage.coordination.app_token() is None

    def test_the_conduit_id_can_be_stored_and_deleted(self, storage: Storage) -> None:
        assert storage.coordination.conduit_id() is None

        storage.coordination.save_conduit_id("conduit-1")
        assert storage.coordination.conduit_id() == "conduit-1"

        storage.coordination.save_conduit_id(None)
        assert storage.coordination.conduit_id() is None

    def test_the_webhook_callbacks_are_replaced_as_a_whole(self, storage: Storage) -> None:
        assert storage.coordination.webhook_callbacks() == set()
        for callbacks in ({"https://a.example/hook", "https://b.example/hook"}, set[str]()):
            storage.coordination.save_webhook_callbacks(callbacks)
            assert storage.coordination.webhook_callbacks() == callbacks
