"""Servers that probe every second, and registries that do as they are told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from registry_clients.transport import TransportSettings
from services import feed_claims
from tests.servers.fake_registries import FakeRegistries, running_fake_registries
from tests.serving import RunningServer, running_server


@pytest.fixture
def fakes() -> Iterator[FakeRegistries]:
    """Registries that do as they are told."""
    with running_fake_registries() as registries:
        yield registries


@pytest.fixture
def watching_server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A server that probes every second, once on each kind of database."""
    with running_server(tmp_path / "data", probe_interval_seconds=1, **database_settings) as server:
        yield server


@pytest.fixture
def quick_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that probes every second, on the embedded database."""
    with running_server(tmp_path / "data", probe_interval_seconds=1) as server:
        yield server


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a silent registry after a second. Ask for it before the server."""
    settings = partial(
        TransportSettings, connect_timeout_seconds=1, read_timeout_seconds=1, total_timeout_seconds=1, attempts=1
    )
    monkeypatch.setattr("server.assembly.TransportSettings", settings)


@pytest.fixture
def unwatched_feeds_are_read_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs of changes are read every two seconds while nobody watches, for tests that would only wait for it."""
    monkeypatch.setattr(feed_claims, "IDLE_INTERVAL", timedelta(seconds=2))
