"""A Harbor with many projects: looked at in pages, seen whole, and asked little when little changes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.harbor_apart import fill
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.services.integrated import Integrated, integrate
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

REPOSITORIES_EACH = 10
PAGE_SIZE = 100
KNOWN_WITHIN_SECONDS = 20


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_fifty_projects(tmp_path: Path) -> None:
    see_all_and_one_more(tmp_path, projects=50)


@pytest.mark.soak
def test_a_thousand_projects(tmp_path: Path) -> None:
    see_all_and_one_more(tmp_path, projects=1000)


def see_all_and_one_more(folder: Path, *, projects: int) -> None:
    """Integrate it, look again, and have somebody push into one more project."""
    with running_harbor() as harbor, running_server(folder / "data") as server:
        fill(harbor, projects, REPOSITORIES_EACH)
        username, password = harbor.administrator
        integrated = integrate(server, harbor.url, kind="HARBOR", username=username, password=password)
        # Of a new Harbor's own there is the project `library`.
        assert counts(server) == (projects + 1, projects * REPOSITORIES_EACH)
        eventually(lambda: is_settled(server), 60)
        added = integrated.events("SPACE_ADDED")
        assert len(added) == min(100, projects + 1)

        harbor.calls.reset()
        assert integrated.synchronize() == {"addedSpaceCount": 0, "vanishedSpaceCount": 0, "errors": []}
        assert harbor.calls.count(template="/projects") == pages(projects + 1)
        assert harbor.calls.count(template="/repositories") == pages(projects * REPOSITORIES_EACH)
        assert harbor.calls.count(credential="user") == 0
        assert counts(server) == (projects + 1, projects * REPOSITORIES_EACH)

        harbor.calls.reset()
        add_one(harbor, server, integrated, projects)
        # One project was looked at, and not all.
        assert harbor.calls.count(template="/repositories") == 0
        assert harbor.calls.count(template="/projects") == 0


def add_one(harbor: HarborDouble, server: RunningServer, integrated: Integrated, projects: int) -> None:
    """Push into a new project, and wait until it is known."""
    harbor.create_project("one-more")
    harbor.push("one-more/app", "v1")
    expected = (projects + 2, projects * REPOSITORIES_EACH + 1)
    eventually(lambda: counts(server) == expected, KNOWN_WITHIN_SECONDS)
    assert [event["type"] for event in integrated.events("IMAGE_PUSHED")] == ["IMAGE_PUSHED"]


def pages(entries: int) -> int:
    """Return how many calls a list takes; a full last page may be followed by another, so it is asked for."""
    return math.floor(entries / PAGE_SIZE) + 1


def counts(server: RunningServer) -> tuple[int, int]:
    """Return how many spaces and repositories the mirror has."""
    sql = 'SELECT (SELECT count(*) FROM "space") AS spaces, (SELECT count(*) FROM "repository") AS repositories'
    row = server.run(server.services.database.fetch(sql))[0]
    return int(row["spaces"]), int(row["repositories"])


def is_settled(server: RunningServer) -> bool:
    """Return whether the log is followed, and the look at everything that came with that is over."""
    sql = (
        'SELECT count(*) AS "count" FROM "integration" JOIN "change_feed" ON "integration_id" = "id"'
        ' WHERE "position" IS NOT NULL AND "synchronization_lease_until" IS NULL AND "next_synchronization_at" > ?1'
    )
    services = server.services
    return bool(server.run(services.database.fetch(sql, services.clock()))[0]["count"] == 1)
