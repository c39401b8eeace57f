"""`streamwatch migrate`."""

from typing import Any

import pymongo
import pytest

from tests.analytics import first_version
from tests.cli.conftest import Shell

pytestmark = pytest.mark.xdist_group("mongo")


@pytest.fixture
def on_mongodb(shell: Shell, mongodb_url: str, mongodb_database: str) -> Shell:
    shell.environment |= {
        "ANALYTICS_TYPE": "mongodb",
        "MONGODB_URL": mongodb_url,
        "MONGODB_DATABASE": mongodb_database,
    }
    return shell


def test_migrate_prepares_the_databases_any_number_of_times(on_mongodb: Shell) -> None:
    for _ in range(2):
        assert on_mongodb.does("migrate") == "The databases are ready.\n"


def test_migrate_does_not_report_success_without_a_database(shell: Shell) -> None:
    result = shell.run("migrate", STORAGE_TYPE="memory")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "The settings name no database" in result.stderr


def test_migrate_converts_the_first_version_once_and_reports_it(
    on_mongodb: Shell, mongodb_url: str, mongodb_database: str
) -> None:
    with pymongo.MongoClient[dict[str, Any]](mongodb_url) as client:
        first_version.restore(client[mongodb_database])
    result = on_mongodb.run("migrate")
    assert "Converting the analytics" in result.output
    assert "converted the sessions and statistics of 3 streamers.\n" in result.stdout
    assert on_mongodb.does("migrate") == "The databases are ready.\n"
