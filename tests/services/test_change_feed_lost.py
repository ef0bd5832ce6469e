"""A log of changes that can't be followed is noticed, and everything is looked at instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.live import over_websocket
from tests.doubles.harbor import application
from tests.doubles.harbor.routes import health_and_system, projects, repositories, robots, users
from tests.doubles.harbor.routing import Router
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.services.harbor_watched import LIVE_EVENTS, WatchedHarbor, integrate_harbor
from tests.serving import RunningServer, running_server
from tests.waiting import eventually


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as double:
        double.create_project("team")
        yield double


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(
        tmp_path / "data", probe_interval_seconds=3600, synchronization_interval_seconds=300
    ) as started:
        yield started


def is_planned_within_minutes(watched: WatchedHarbor) -> bool:
    """Return whether the next look at everything comes in five minutes, not in hours."""
    database = watched.server.services.database
    sql = f'SELECT "next_synchronization_at" AS due FROM "integration" WHERE "id" = {watched.key}'
    due = database.dialect.datetime(watched.server.run(database.fetch(sql))[0]["due"])
    return bool((due - watched.server.services.clock()).total_seconds() <= 300)


def test_beneath_a_log_sweeps_are_rare(server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(server, harbor)
    watched.wait_until_followed()
    assert not is_planned_within_minutes(watched)


def test_a_purge_is_noticed_and_it_is_begun_anew(server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(server, harbor)
    watched.wait_until_followed()
    with over_websocket(server, LIVE_EVENTS, {}) as live:
        harbor.create_project("one")
        assert live.next()["data"]["events"]["spaceName"] == "one"
        with harbor.paused() as state:
            state.create_project("two", {"public": "true"}, state.users["admin"])
            harbor.purge_audit_log()
            # What still stands doesn't reach back to where we stood.
            state.create_project("three", {"public": "true"}, state.users["admin"])
        assert {live.next()["data"]["events"]["spaceName"] for _ in range(2)} == {"two", "three"}
        eventually(lambda: watched.position() is not None)
        harbor.create_project("four")
        assert live.next()["data"]["events"]["spaceName"] == "four"


def test_a_harbor_restored_from_a_backup_is_noticed(server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(server, harbor)
    watched.wait_until_followed()
    backup = harbor.backup()
    with over_websocket(server, LIVE_EVENTS, {}) as live:
        for name in ("one", "two"):
            harbor.create_project(name)
            assert live.next()["data"]["events"]["spaceName"] == name
        harbor.restore_backup(backup)
        assert {live.next()["data"]["events"]["spaceName"] for _ in range(2)} == {"one", "two"}
    assert sorted(watched.mirror()) == ["library", "team"]
    eventually(lambda: watched.position() is not None)


def test_a_log_switched_off_is_noticed_by_the_administrators_check(server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(server, harbor)
    watched.wait_until_followed()
    harbor.skip_audit_log()
    harbor.create_project("unseen")
    watched.check_reader_now()
    # A sweep follows, and sweeps serve from now on.
    eventually(lambda: "unseen" in watched.mirror())
    eventually(watched.is_swept)
    assert watched.position() is None
    assert "Skip Audit Log Database" in watched.row("change_feed")["failure"]
    assert is_planned_within_minutes(watched)


def test_a_harbor_without_the_log_is_swept(
    server: RunningServer, harbor: HarborDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = (health_and_system, users, projects, repositories, robots)
    monkeypatch.setattr(application, "ROUTER", Router(route for module in modules for route in module.ROUTES))
    watched = integrate_harbor(server, harbor)
    eventually(lambda: watched.row("change_feed")["failure"])
    assert "too old" in watched.row("change_feed")["failure"]
    assert watched.position() is None
    assert is_planned_within_minutes(watched)
    harbor.create_project("found")
    assert watched.synchronize()["addedSpaceCount"] == 1
