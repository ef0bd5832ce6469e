"""Fixtures for all tests: databases of both kinds, and servers on them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgresql import PostgreSQLServer, running_postgresql
from tests.serving import RunningServer
from tests.serving import running_server as start_server


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in os.environ:
        if name.upper().startswith("INTEGRATED_REGISTRY_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server for this test process."""
    with running_postgresql(tmp_path_factory.mktemp("postgresql")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_settings(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Settings for an empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        yield {}
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    name = f"test_{secrets.token_hex(6)}"
    with server.database(name) as url:
        yield {"database_url": url}


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
