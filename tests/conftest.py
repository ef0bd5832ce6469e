"""Fixtures for all tests: databases of both kinds, and servers on them."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.settings import DATABASE_FILE, read_settings
from tests.servers.postgresql import PostgreSQLServer, running_postgresql
from tests.serving import RunningServer
from tests.serving import running_server as start_server
from tests.templates import copy_migrated_sqlite


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in os.environ:
        if name.upper().startswith("INTEGRATED_REGISTRY_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server for this test process."""
    # Not below pytest's own folder: each run that begins takes that from the user that PostgreSQL runs as.
    with (
        tempfile.TemporaryDirectory(prefix="integrated-registry-postgresql-") as folder,
        running_postgresql(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_settings(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Settings for a database without rows: the test runs once on each kind."""
    if request.param == "sqlite":
        yield {}
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    name = f"test_{secrets.token_hex(6)}"
    with server.database(name) as url:
        yield {"database_url": url}


@pytest.fixture
def database_address(tmp_path: Path, database_settings: dict[str, Any]) -> str:
    """Where a database without rows is, as `Database.open` takes it: the test runs once on each kind."""
    settings = read_settings({}, data=tmp_path, **database_settings)
    if not database_settings:
        copy_migrated_sqlite(tmp_path / DATABASE_FILE)
    return settings.tortoise_url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database without anything is, for the tests of what makes its tables: once on each kind."""
    if request.param == "sqlite":
        yield read_settings({}, data=tmp_path).tortoise_url
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    with server.database(f"test_{secrets.token_hex(6)}", is_empty=True) as url:
        yield read_settings({}, data=tmp_path, database_url=url).tortoise_url


@pytest.fixture
def empty_postgresql_address(tmp_path: Path, postgresql_server: PostgreSQLServer) -> Iterator[str]:
    """The same, for what only happens there."""
    with postgresql_server.database(f"test_{secrets.token_hex(6)}", is_empty=True) as url:
        yield read_settings({}, data=tmp_path, database_url=url).tortoise_url


@pytest.fixture
def postgresql_address(tmp_path: Path, postgresql_server: PostgreSQLServer) -> Iterator[str]:
    """Where a PostgreSQL database without rows is, for what only happens there."""
    with postgresql_server.database(f"test_{secrets.token_hex(6)}") as url:
        yield read_settings({}, data=tmp_path, database_url=url).tortoise_url


@pytest.fixture
def server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A started server, once on each kind of database."""
    with start_server(tmp_path / "data", **database_settings) as started:
        yield started


@pytest.fixture
def running_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A started server on the embedded database, for what doesn't touch the database's ways."""
    with start_server(tmp_path / "data") as started:
        yield started
