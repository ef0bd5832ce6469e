"""Harbors that hold odd things, or answer oddly: mirrored rightly, or refused with nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.records import UNSET_TIME
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.services.harbor_watched import integrate_harbor
from tests.serving import RunningServer, running_server
from tests.waiting import eventually


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as double:
        yield double


@pytest.fixture
def still_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that looks at nothing by itself."""
    with running_server(
        tmp_path / "data", probe_interval_seconds=3600, synchronization_interval_seconds=86400
    ) as server:
        yield server


@pytest.mark.usefixtures("unwatched_feeds_are_read_often")
def test_odd_names_and_visibilities(server: RunningServer, harbor: HarborDouble) -> None:
    odd = ["12345", "1", "a.b-c_d", "x" * 255]
    for name in odd:
        harbor.create_project(name)
        harbor.push(f"{name}/app", "1")
    harbor.create_project("shouting")
    harbor.set_public("shouting", "TRUE")
    harbor.create_project("unsaid", is_public=True)
    harbor.forget_visibility("unsaid")
    watched = integrate_harbor(server, harbor)
    expected = {name: ("PRIVATE", [f"{name}/app"]) for name in odd}
    others: dict[str, tuple[str, list[str]]] = {
        "library": ("PUBLIC", []),
        "shouting": ("PUBLIC", []),
        "unsaid": ("PRIVATE", []),
    }
    assert watched.mirror() == expected | others
    # Looked at by name as well, where a name of digits could be taken for an id.
    watched.wait_until_followed()
    harbor.set_public("1", True)
    harbor.calls.reset()
    eventually(lambda: watched.mirror()["1"] == ("PUBLIC", ["1/app"]))
    assert harbor.calls.count(method="GET", template="/projects/{project}") >= 1


@pytest.mark.parametrize("lie", [Lie.TOTAL_COUNT_MISSING, Lie.TOTAL_COUNT_WRONG, Lie.TOTAL_COUNT_ZERO])
def test_a_wrong_count_loses_nothing(lie: Lie, still_server: RunningServer, harbor: HarborDouble) -> None:
    for number in range(150):
        harbor.create_project(f"team-{number:03}")
    watched = integrate_harbor(still_server, harbor)
    watched.wait_until_followed()
    harbor.lie(lie)
    payload = watched.synchronize()
    assert (payload["addedSpaceCount"], payload["vanishedSpaceCount"], payload["errors"]) == (0, 0, [])
    assert watched.state()["spaces"]["totalCount"] == 151


def test_a_list_that_shrinks_while_it_is_paged_loses_nothing(still_server: RunningServer, harbor: HarborDouble) -> None:
    for number in range(150):
        harbor.create_project(f"team-{number:03}")
    watched = integrate_harbor(still_server, harbor)
    watched.wait_until_followed()
    deleted: list[str] = []

    def shrink(request: HarborRequest) -> None:
        if "/projects" in request.raw_path and "page=2" in request.raw_query and not deleted:
            deleted.append("team-000")
            harbor.delete_project("team-000")

    harbor.before_each_call(shrink)
    payload = watched.synchronize()
    assert (deleted, payload["errors"]) == (["team-000"], [])
    names = watched.server.run(
        watched.server.services.database.fetch("""SELECT "name" FROM "space" WHERE "state" = 'VANISHED'""")
    )
    assert [row["name"] for row in names] == ["team-000"]


@pytest.mark.parametrize("lie", [Lie.HTML_IN_FRONT, Lie.HUGE_BODY, Lie.TRUNCATED_JSON, Lie.EMPTY_BAD_GATEWAY])
def test_a_bad_answer_changes_nothing(lie: Lie, still_server: RunningServer, harbor: HarborDouble) -> None:
    harbor.create_project("team")
    watched = integrate_harbor(still_server, harbor)
    watched.wait_until_followed()
    mirror, events, position = watched.mirror(), watched.events(), watched.position()
    harbor.lie(lie)
    payload = watched.synchronize()
    assert [error["__typename"] for error in payload["errors"]] == ["RegistryRefused"]
    assert "Sign in" not in payload["errors"][0]["message"]
    assert (watched.mirror(), watched.events(), watched.position()) == (mirror, events, position)
    harbor.tell_the_truth()
    assert watched.synchronize()["errors"] == []


def test_behind_a_path_prefix(still_server: RunningServer) -> None:
    with running_harbor(path_prefix="/harbor") as harbor:
        harbor.create_project("team")
        harbor.push("team/app", "1")
        watched = integrate_harbor(still_server, harbor)
        assert watched.mirror() == {"library": ("PUBLIC", []), "team": ("PRIVATE", ["team/app"])}
        assert watched.routine()["kind"] == "READER_ROBOT"


def test_sizes_and_times_that_are_none(server: RunningServer, harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "1")
    with harbor.paused() as state:
        project = state.project_named("team")
        assert project is not None
        repository = project.repositories["app"]
        repository.pull_count = 2**40
        repository.updated_at = UNSET_TIME
    watched = integrate_harbor(server, harbor)
    assert watched.figures("team/app") == {"pullCount": 2**40, "updatedAt": None, "artifactCount": 1}
