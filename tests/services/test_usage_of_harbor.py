"""What a Harbor and its projects hold, as it is measured and told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services import feed_claims, usage_claims
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.services.harbor_watched import WatchedHarbor, integrate_harbor
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

FIGURES = "spaceCount repositoryCount artifactCount storageBytes quotaUsedBytes quotaLimitBytes method isStale"
USAGE = f"""query ($id: ID!) {{
  integration(id: $id) {{
    usage {{ {FIGURES} }}
    spaces {{ nodes {{ name usage {{ {FIGURES} }} }} }}
  }}
}}"""


@pytest.fixture(autouse=True)
def _changes_are_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_claims, "IDLE_INTERVAL", timedelta(milliseconds=100))
    monkeypatch.setattr(feed_claims, "WATCHED_INTERVAL", timedelta(milliseconds=100))
    monkeypatch.setattr(usage_claims, "HINT_PAUSE", timedelta(milliseconds=100))


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with projects, one of which has a limit, and one nothing."""
    with running_harbor() as running:
        running.create_project("team", limit_bytes=10_000_000)
        running.create_project("other")
        running.create_project("bare")
        for repository, tag in [("team/app", "1"), ("team/app", "2"), ("team/tool", "1"), ("other/app", "1")]:
            running.push(repository, tag)
        yield running


@pytest.fixture
def server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A server that measures."""
    with running_server(tmp_path / "data", usage_interval_seconds=300, **database_settings) as running:
        yield running


@pytest.fixture
def watched(harbor: HarborDouble, server: RunningServer) -> WatchedHarbor:
    """The Harbor, integrated and measured."""
    watched = integrate_harbor(server, harbor)
    wait_until_measured(watched)
    return watched


def usage(watched: WatchedHarbor) -> tuple[Any, dict[str, Any]]:
    """Return what is told of the registry, and of each space."""
    found = watched.server.graphql(USAGE, {"id": watched.id})["integration"]
    return found["usage"], {node["name"]: node["usage"] for node in found["spaces"]["nodes"]}


def wait_until_measured(watched: WatchedHarbor) -> None:
    """Return once everything was measured, and nothing is to be looked at again."""

    def is_settled() -> bool:
        registry, spaces = usage(watched)
        row = watched.row("usage_measurement")
        is_idle = row["lease_until"] is None and row["hinted_at"] is None
        return (
            registry is not None and registry["spaceCount"] == len(spaces) and None not in spaces.values() and is_idle
        )

    watched.wait_until_followed()
    eventually(is_settled)


def measured_again(watched: WatchedHarbor, *, is_whole: bool = False) -> None:
    """Have it measured as after an interval; return once it was."""
    whole = ', "whole_at" = NULL' if is_whole else ""
    watched.write(
        f"""UPDATE "usage_measurement" SET "next_at" = '2000-01-01 00:00:00+00:00'{whole}"""
        f' WHERE "integration_id" = {watched.key}'
    )
    now = watched.server.services.clock()
    read_time = watched.server.services.database.dialect.datetime
    eventually(
        lambda: (row := watched.row("usage_measurement"))["lease_until"] is None and read_time(row["next_at"]) > now
    )


def summaries(harbor: HarborDouble) -> int:
    """Return how often a project's summary was asked for."""
    return sum(call.path.endswith("/summary") for call in harbor.calls.all)


def test_every_project_and_the_whole(harbor: HarborDouble, watched: WatchedHarbor) -> None:
    registry, spaces = usage(watched)
    project = {"spaceCount": 1, "method": "PROJECT_SUMMARY", "isStale": False, "quotaLimitBytes": None}
    sizes = {name: spaces[name]["storageBytes"] for name in spaces}
    assert sizes["team"] > sizes["other"] > 0
    assert spaces == {
        "library": {**project, **_held(0, 0, 0)},
        "bare": {**project, **_held(0, 0, 0)},
        "other": {**project, **_held(1, 1, sizes["other"])},
        "team": {**project, **_held(2, 3, sizes["team"]), "quotaLimitBytes": 10_000_000},
    }
    # The registry's own total is another figure than the sum.
    assert registry == {
        "spaceCount": 4,
        "repositoryCount": 3,
        "artifactCount": 4,
        "storageBytes": registry["storageBytes"],
        "quotaUsedBytes": sizes["team"] + sizes["other"],
        "quotaLimitBytes": None,
        "method": "REGISTRY_STATISTICS",
        "isStale": False,
    }
    assert 0 < registry["storageBytes"] < sizes["team"] + sizes["other"]
    assert summaries(harbor) == 4


def _held(repositories: int, artifacts: int, size: int) -> dict[str, int]:
    return {
        "repositoryCount": repositories,
        "artifactCount": artifacts,
        "storageBytes": size,
        "quotaUsedBytes": size,
    }


def test_a_push_has_its_project_alone_measured_again(harbor: HarborDouble, watched: WatchedHarbor) -> None:
    _, before = usage(watched)
    asked = summaries(harbor)
    harbor.push("other/new", "1")
    eventually(lambda: usage(watched)[1]["other"]["repositoryCount"] == 2)
    wait_until_measured(watched)
    registry, after = usage(watched)
    assert after["other"]["storageBytes"] > before["other"]["storageBytes"]
    assert {name: after[name] for name in after if name != "other"} == {
        name: before[name] for name in before if name != "other"
    }
    assert registry["repositoryCount"] == 4
    # Its log may have told of it in two readings.
    assert summaries(harbor) - asked in (1, 2)


def test_what_did_not_change_is_asked_for_every_six_hours(harbor: HarborDouble, watched: WatchedHarbor) -> None:
    asked = summaries(harbor)
    measured_again(watched)
    assert summaries(harbor) == asked
    measured_again(watched, is_whole=True)
    assert summaries(harbor) == asked + 4


def test_a_changed_quota_shows_with_the_next_whole_measurement(harbor: HarborDouble, watched: WatchedHarbor) -> None:
    harbor.set_quota("bare", 5_000)
    measured_again(watched, is_whole=True)
    assert usage(watched)[1]["bare"]["quotaLimitBytes"] == 5_000


def test_a_project_that_is_deleted_no_longer_counts(harbor: HarborDouble, watched: WatchedHarbor) -> None:
    harbor.delete_project("bare")
    eventually(lambda: (found := usage(watched))[0]["spaceCount"] == 3 and "bare" not in found[1])


@pytest.mark.parametrize("lie", [Lie.EMPTY_BAD_GATEWAY, Lie.HTML_IN_FRONT])
def test_what_cannot_be_measured_is_old(harbor: HarborDouble, watched: WatchedHarbor, lie: Lie) -> None:
    before = usage(watched)
    harbor.lie(lie, "/api/v2.0/statistics")
    measured_again(watched)
    registry, spaces = usage(watched)
    assert registry == {**before[0], "isStale": True}
    assert spaces == {name: {**found, "isStale": True} for name, found in before[1].items()}
    harbor.tell_the_truth()
    measured_again(watched)
    assert usage(watched) == before
