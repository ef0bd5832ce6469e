"""A server that leaves its registries alone, so that each call to one is a mutation's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from services import health_rules
from services.health import HealthMonitor
from tests.api.fake_registry import FakeRegistry, running_fake_registry
from tests.api.surface import Surface
from tests.servers.postgresql import PostgreSQLServer
from tests.serving import RunningServer, running_server

HOUR_SECONDS = 3600


@pytest.fixture(autouse=True)
def _second_probes_come_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the probe that makes it certain; when that comes, `tests/services` looks at."""
    for name in ("AGAIN_AFTER_FIRST_BAD", "AGAIN_AFTER_FIRST_401"):
        monkeypatch.setattr(health_rules, name, timedelta(milliseconds=100))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def quiet_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose probes and looks come once an hour, for the tests of one module."""
    settings: dict[str, object] = {
        "probe_interval_seconds": HOUR_SECONDS,
        "synchronization_interval_seconds": HOUR_SECONDS,
    }
    with ExitStack() as resources:
        if request.param == "postgresql":
            postgresql: PostgreSQLServer = request.getfixturevalue("postgresql_server")
            settings["database_url"] = resources.enter_context(postgresql.database(f"test_{secrets.token_hex(6)}"))
        patch = resources.enter_context(pytest.MonkeyPatch.context())
        # The first probe comes at random within the interval; here at its end, or one in many tests would see it.
        patch.setattr(HealthMonitor, "first_probe_at", lambda monitor, now: now + monitor.interval)
        yield resources.enter_context(running_server(tmp_path_factory.mktemp("quiet") / "data", **settings))


@pytest.fixture
def surface(quiet_server: RunningServer) -> Iterator[Surface]:
    """The server's surface; what a test integrated is gone when it ends."""
    surface = Surface(quiet_server)
    yield surface
    for (integration_id,) in surface.rows('SELECT "id" FROM "integration"'):
        quiet_server.run(quiet_server.services.integrator.remove(integration_id, False, "the test"))


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry that lets everybody in."""
    with running_fake_registry() as running:
        yield running


@pytest.fixture
def guarded_registry() -> Iterator[FakeRegistry]:
    """A registry that lets in `robot` with `right`, and `other` with `good`."""
    with running_fake_registry(users={"robot": "right", "other": "good"}) as running:
        yield running
