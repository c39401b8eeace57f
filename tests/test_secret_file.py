import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streamwatch.secret_file import load_or_create_secret, private_directory, write_secret


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_new_secret_is_readable_by_its_owner_only(tmp_path: Path, umask: int) -> None:
    file = tmp_path / "secret"
    before = os.umask(umask)
    try:
        write_secret(file, "a secret")
    finally:
        os.umask(before)
    assert mode(file) == 0o600
    assert file.read_text() == "a secret"


def test_a_secret_is_generated_once(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret"
    secret = load_or_create_secret(file)
    assert len(secret) == 64
    assert load_or_create_secret(file) == secret
    assert mode(file.parent) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["secret"]


def test_processes_that_start_together_get_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: load_or_create_secret(tmp_path / "secret"), range(32)))
    assert len(secrets) == 1


def test_a_readable_secret_file_is_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a secret\n")
    file.chmod(0o644)
    assert load_or_create_secret(file) == "a secret"
    assert mode(file) == 0o600


def test_a_secret_can_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_secret(file, "first")
    write_secret(file, "second")
    write_secret(file, "third", replace=False)
    assert file.read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_an_open_directory_of_ours_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "webhook-secret").touch()
    assert mode(private_directory(folder)) == 0o700


def test_an_open_directory_with_foreign_files_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "holiday.jpg").touch()
    with pytest.raises(PermissionError, match="chmod 700"):
        private_directory(folder)
    assert mode(folder) == 0o755
