"""What is done in Harbor's own portal is mirrored and told within seconds, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.database import Transaction
from server.data_folder import KEY_FILE
from services.feed_claims import IDLE_INTERVAL, WATCHED_INTERVAL, DueFeed, write_reached
from tests.api.live import OverWebSocket, over_websocket
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.servers.postgresql import PostgreSQLServer
from tests.services.harbor_watched import LIVE_EVENTS, WatchedHarbor, integrate_harbor
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

WATCHED_SECONDS = 2.0
# What a busy machine may add to it.
GRACE_SECONDS = 3.0
AUDIT_LOG = "/auditlog-exts"


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as double:
        double.create_project("team")
        yield double


@pytest.fixture
def idle_server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A server that sweeps by itself only when something makes it, once on each kind of database."""
    rare = {"probe_interval_seconds": 3600, "synchronization_interval_seconds": 86400}
    with running_server(tmp_path / "data", **rare, **database_settings) as server:
        yield server


@pytest.fixture
def quiet_server(tmp_path: Path) -> Iterator[RunningServer]:
    """The same on the embedded database alone."""
    with running_server(
        tmp_path / "data", probe_interval_seconds=3600, synchronization_interval_seconds=86400
    ) as server:
        yield server


def next_event(subscribed: OverWebSocket) -> dict[str, Any]:
    """Return the next event, which must come in time."""
    began = time.monotonic()
    event: dict[str, Any] = subscribed.next()["data"]["events"]
    assert time.monotonic() - began < WATCHED_SECONDS + GRACE_SECONDS
    return event


def sweeps(harbor: HarborDouble) -> int:
    """Return how many looks at everything there were."""
    return harbor.calls.count(method="GET", template="/repositories")


def test_who_watches_hears_of_each_change(idle_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(idle_server, harbor)
    watched.wait_until_followed()
    harbor.calls.reset()
    with over_websocket(idle_server, LIVE_EVENTS, {}) as live:
        eventually(lambda: idle_server.services.events.is_watched)
        harbor.create_project("new")
        assert next_event(live) == {"type": "SPACE_ADDED", "spaceName": "new", "visibility": "PRIVATE"}
        harbor.set_public("new", True)
        assert next_event(live) == {"type": "SPACE_VISIBILITY_CHANGED", "spaceName": "new", "visibility": "PUBLIC"}
        digest = harbor.push("new/app/web", "1.0")
        seen = [next_event(live)]
        assert seen[0]["type"] == "IMAGE_PUSHED"
        assert (seen[0]["spaceName"], seen[0]["repositoryName"]) == ("new", "new/app/web")
        assert seen[0]["reference"] in ("1.0", digest)
        assert watched.mirror()["new"] == ("PUBLIC", ["new/app/web"])
        harbor.set_public("new", False)
        assert next_event(live) == {"type": "SPACE_VISIBILITY_CHANGED", "spaceName": "new", "visibility": "PRIVATE"}
        harbor.delete_artifact("new/app/web", "1.0")
        assert next_event(live)["type"] == "IMAGE_DELETED"
        harbor.delete_project("new")
        gone = next_event(live)
        while gone["type"] != "SPACE_VANISHED":
            gone = next_event(live)
        assert gone == {"type": "SPACE_VANISHED", "spaceName": "new"}
    assert sorted(watched.mirror()) == ["library", "team"]
    # Each was looked at where the log pointed, as the reader.
    assert sweeps(harbor) == 0
    assert harbor.calls.count(credential="user") == 0


def test_while_nobody_watches_it_is_read_less_often(
    quiet_server: RunningServer, harbor: HarborDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert WATCHED_INTERVAL < IDLE_INTERVAL < timedelta(seconds=15)
    interval = timedelta(seconds=3)
    monkeypatch.setattr("services.feed_claims.IDLE_INTERVAL", interval)
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()

    def read_at() -> datetime:
        return quiet_server.services.database.dialect.datetime(watched.row("change_feed")["read_at"])

    before = read_at()
    harbor.create_project("new")
    eventually(lambda: read_at() != before)
    assert interval <= read_at() - before < interval + timedelta(seconds=GRACE_SECONDS)
    eventually(lambda: "new" in watched.mirror())


def test_a_project_made_again_is_another_space(idle_server: RunningServer, harbor: HarborDouble) -> None:
    harbor.push("team/old", "1")
    watched = integrate_harbor(idle_server, harbor)
    watched.wait_until_followed()
    before = watched.external_ids()
    with over_websocket(idle_server, LIVE_EVENTS, {}) as live:
        harbor.delete_project("team")
        made_id = str(harbor.create_project("team", is_public=True))
        seen = [next_event(live)]
        while {"SPACE_ADDED", "SPACE_VANISHED"} - {event["type"] for event in seen}:
            seen.append(next_event(live))
    (old_id,) = set(before) - set(watched.external_ids()) or {
        key for key, state in watched.external_ids().items() if state == "VANISHED"
    }
    assert watched.external_ids() == {**before, old_id: "VANISHED", made_id: "PRESENT"}
    # None of the old one's repositories.
    assert watched.mirror()["team"] == ("PUBLIC", [])


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_deletions_that_the_log_names_are_not_doubted(idle_server: RunningServer, harbor: HarborDouble) -> None:
    names = [f"team-{number}" for number in range(60)]
    for name in names:
        harbor.create_project(name)
    watched = integrate_harbor(idle_server, harbor)
    watched.wait_until_followed()
    before = sweeps(harbor)
    with harbor.paused():
        for name in names:
            harbor.delete_project(name)
    # More at once than are looked at one by one: one look at everything.
    eventually(lambda: len(watched.spaces()) == 2)
    eventually(lambda: sweeps(harbor) > before and watched.is_swept())
    assert sweeps(harbor) == before + 1
    assert watched.state()["stale"] is None
    assert watched.events("INTEGRATION_DOUBTED") == []
    assert harbor.calls.count(method="GET", template="/projects/{project}") == 0


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_many_changes_at_once_are_one_sweep(idle_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(idle_server, harbor)
    watched.wait_until_followed()
    before = sweeps(harbor)
    with harbor.paused():
        for number in range(60):
            harbor.create_project(f"new-{number}")
    eventually(lambda: len(watched.events("SPACE_ADDED")) == 62)
    assert sweeps(harbor) == before + 1
    assert harbor.calls.count(method="GET", template="/projects/{project}/repositories") == 0


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_an_image_is_told_of_only_when_it_is_there(quiet_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()
    with harbor.paused() as state:
        for resource in ("team/never:1", "nowhere/app:1"):
            harbor.write_late_entry(harbor.take_audit_id(), "create", "artifact", resource)
        assert state.projects
        harbor.push("team/app", "1")
    eventually(lambda: watched.image_events("IMAGE_PUSHED"))
    assert [name for name, _ in watched.image_events("IMAGE_PUSHED")] == ["team/app"]
    assert watched.mirror() == {"library": ("PUBLIC", []), "team": ("PRIVATE", ["team/app"])}


def test_an_entry_that_comes_late_is_seen(quiet_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()
    with over_websocket(quiet_server, LIVE_EVENTS, {}) as live:
        late_id = harbor.take_audit_id()
        harbor.create_project("new")
        assert next_event(live)["spaceName"] == "new"
        with harbor.paused() as state:
            project = state.create_project("late", {"public": "false"}, state.users["admin"])
            state.audit_log.entries.pop()
            harbor.write_late_entry(late_id, "create", "project", project.name)
        assert next_event(live) == {"type": "SPACE_ADDED", "spaceName": "late", "visibility": "PRIVATE"}


def once_looked_at(harbor: HarborDouble, name: str, meanwhile: Callable[[], object]) -> list[str]:
    """Do something while a project is looked at for the first time; return the paths of which that was said."""
    looked_at: list[str] = []

    def look(request: HarborRequest) -> None:
        if f"/projects/{name}" in request.raw_path and not looked_at:
            looked_at.append(request.raw_path)
            meanwhile()

    harbor.before_each_call(look)
    return looked_at


def test_what_was_read_while_it_was_renamed_is_told_once(quiet_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()
    looked_at = once_looked_at(harbor, "new", lambda: watched.mutate("updateIntegration", name="renamed"))
    with over_websocket(quiet_server, LIVE_EVENTS, {}) as live:
        harbor.create_project("new")
        assert next_event(live)["type"] == "INTEGRATION_UPDATED"
        assert next_event(live) == {"type": "SPACE_ADDED", "spaceName": "new", "visibility": "PRIVATE"}
    assert len(looked_at) == 1
    assert len(watched.events("SPACE_ADDED")) == 3


def test_what_was_read_of_another_address_is_dropped(quiet_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()

    def move() -> None:
        # As moving it does; and away, so that it isn't begun anew here.
        watched.write("""UPDATE "integration_health" SET "status" = 'UNHEALTHY', "reason" = 'TIMED_OUT'""")
        watched.write('UPDATE "change_feed" SET "lease_until" = NULL, "position" = NULL')

    looked_at = once_looked_at(harbor, "new", move)
    with over_websocket(quiet_server, LIVE_EVENTS, {}):
        harbor.create_project("new")
        eventually(lambda: looked_at and harbor.calls.count(template="/projects/{project}/repositories"))
        eventually(lambda: not _running_feeds(quiet_server))
    assert (watched.position(), watched.events("SPACE_ADDED")[2:]) == (None, [])


def _running_feeds(server: RunningServer) -> list[str]:
    """Return the names of the tasks that follow a log now."""

    async def names() -> list[str]:
        return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "change feed"]

    return server.run(names())


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_what_fails_to_be_written_is_read_again(
    quiet_server: RunningServer, harbor: HarborDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()
    position = watched.position()
    failures: list[DueFeed] = []

    async def fail_once(transaction: Transaction, feed: DueFeed, reached: Mapping[str, object]) -> None:
        if not failures:
            failures.append(feed)
            raise RuntimeError("killed between look and write")
        await write_reached(transaction, feed, reached)

    monkeypatch.setattr("services.change_following.write_reached", fail_once)
    harbor.push("team/app", "1")
    eventually(lambda: failures)
    # Nothing of it was written: neither what was seen, nor that it was read.
    assert (watched.position(), watched.mirror()["team"]) == (position, ("PRIVATE", []))
    watched.write('UPDATE "change_feed" SET "lease_until" = NULL')
    eventually(lambda: watched.mirror()["team"] == ("PRIVATE", ["team/app"]))
    assert [name for name, _ in watched.image_events("IMAGE_PUSHED")] == ["team/app"]


def test_two_replicas_read_a_log_once(
    tmp_path: Path, postgresql_server: PostgreSQLServer, harbor: HarborDouble
) -> None:
    with postgresql_server.database("two_replicas_of_a_feed") as url:
        settings = {"database_url": url, "probe_interval_seconds": 3600, "synchronization_interval_seconds": 86400}
        with running_server(tmp_path / "one", **settings) as one:
            keys = (tmp_path / "one" / KEY_FILE).read_text()
            with running_server(tmp_path / "two", encryption_keys=keys, **settings) as two:
                watched = integrate_harbor(one, harbor)
                watched.wait_until_followed()
                with (
                    over_websocket(one, LIVE_EVENTS, {}) as live,
                    over_websocket(two, LIVE_EVENTS, {}, one.admin_token) as other,
                ):
                    for number in range(5):
                        harbor.push(f"team/app-{number}", "1")
                        assert next_event(live)["repositoryName"] == f"team/app-{number}"
                        assert next_event(other)["repositoryName"] == f"team/app-{number}"
                assert len(watched.image_events("IMAGE_PUSHED")) == 5


def test_a_long_log_is_begun_at_its_end(quiet_server: RunningServer, harbor: HarborDouble) -> None:
    with harbor.paused() as state:
        # As if a million had been written: the ids tell.
        state.audit_log.next_id = 1_000_001
    for number in range(300):
        harbor.push("team/app", str(number))
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()
    assert (watched.position() or 0) > 1_000_000
    assert watched.image_events("IMAGE_PUSHED") == []
    assert watched.mirror()["team"] == ("PRIVATE", ["team/app"])
    assert harbor.calls.count(template=AUDIT_LOG) <= 4


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_an_unhealthy_component_does_not_stop_it(quiet_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(quiet_server, harbor)
    watched.wait_until_followed()
    harbor.break_component("jobservice")
    watched.mutate("checkIntegration")
    watched.wait_for_health("UNHEALTHY", "COMPONENT_UNHEALTHY")
    harbor.create_project("new")
    eventually(lambda: "new" in watched.mirror())


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_a_stopped_server_leaves_no_claim(tmp_path: Path, harbor: HarborDouble) -> None:
    with running_server(tmp_path / "data", probe_interval_seconds=3600) as server:
        watched = integrate_harbor(server, harbor)
        watched.wait_until_followed()
        with over_websocket(server, LIVE_EVENTS, {}):
            harbor.slow(5)
            eventually(lambda: watched.row("change_feed")["lease_until"] is not None)
    harbor.slow(0)
    with running_server(tmp_path / "data", probe_interval_seconds=3600) as server:
        again = WatchedHarbor(server, watched.id)
        harbor.create_project("new")
        # A lease that was left behind would keep it from being read for half a minute.
        eventually(lambda: "new" in again.mirror(), deadline_seconds=18)
