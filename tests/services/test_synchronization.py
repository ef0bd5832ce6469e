"""The mirror of spaces follows the registry, or says why not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.docker_registry import push_image, running_docker_registry
from tests.servers.fake_registries import FakeRegistries
from tests.services.integrated import Integrated, integrate
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

BROKEN = (500, b"broken")


def repositories(*spaces: str) -> list[str]:
    return [f"{space}/app" for space in spaces]


def found(payload: Any) -> tuple[int | None, int | None, list[str]]:
    """Return how many were added, how many vanished (None when the look failed), and the types of the errors."""
    errors = [error["__typename"] for error in payload["errors"]]
    return payload["addedSpaceCount"], payload["vanishedSpaceCount"], errors


def space_events(integrated: Integrated) -> list[tuple[str, str]]:
    events = integrated.events("SPACE_ADDED", "SPACE_VANISHED")
    return [(event["type"], event["spaceName"]) for event in events]


@pytest.fixture
def still_server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A server that looks at nothing by itself for as long as a test runs, once on each kind of database."""
    rare = {"probe_interval_seconds": 3600, "synchronization_interval_seconds": 86400}
    with running_server(tmp_path / "data", **rare, **database_settings) as server:
        yield server


def test_what_came_and_went_is_told(still_server: RunningServer, fakes: FakeRegistries) -> None:
    fakes.repositories["one"] = repositories("a", "b", "c")
    integrated = integrate(still_server, fakes.url("one"))
    assert space_events(integrated) == [("SPACE_ADDED", name) for name in "abc"]
    fakes.repositories["one"] = repositories("b", "c", "d")
    assert found(integrated.synchronize()) == (1, 1, [])
    assert integrated.spaces() == ["b", "c", "d"]
    assert space_events(integrated)[3:] == [("SPACE_ADDED", "d"), ("SPACE_VANISHED", "a")]
    # It comes back, and is the same space as before.
    fakes.repositories["one"] = repositories("a", "b", "c", "d")
    assert found(integrated.synchronize()) == (1, 0, [])
    assert space_events(integrated)[5:] == [("SPACE_ADDED", "a")]
    assert space_count(still_server) == 4


def space_count(server: RunningServer) -> int:
    """Return how many rows there are, vanished ones included."""
    return len(server.run(server.services.database.fetch('SELECT "id" FROM "space"')))


def test_a_look_that_finds_nothing_new_writes_no_event(still_server: RunningServer, fakes: FakeRegistries) -> None:
    fakes.repositories["one"] = repositories("a")
    integrated = integrate(still_server, fakes.url("one"))
    events, looked_at = integrated.events(), integrated.state()["synchronizedAt"]
    assert found(integrated.synchronize()) == (0, 0, [])
    assert integrated.events() == events
    assert integrated.state()["synchronizedAt"] > looked_at


def test_a_look_that_fails_half_way_changes_nothing(still_server: RunningServer, fakes: FakeRegistries) -> None:
    fakes.repositories["one"] = repositories("a", "b")
    integrated = integrate(still_server, fakes.url("one"))
    before, events = integrated.state(), integrated.events()
    # More than a page: the second fails.
    fakes.repositories["one"] = [f"b/{number:04}" for number in range(1001)] + repositories("c")
    fakes.behind_first_page["one"] = (404, b"gone")
    assert found(integrated.synchronize()) == (None, None, ["RegistryRefused"])
    assert integrated.state() == before
    assert integrated.events() == events
    del fakes.behind_first_page["one"]
    assert found(integrated.synchronize()) == (1, 1, [])


@pytest.mark.parametrize(
    ("before", "after", "is_doubted"),
    [
        ("a", "", True),
        ("abcd", "", True),
        ("abcd", "a", False),
        ("abcdef", "abc", False),
        ("abcdef", "ab", True),
        ("abcdef", "abxyz", True),
        ("abcde", "abc", False),
    ],
)
def test_losing_most_at_once_is_doubted(
    before: str, after: str, is_doubted: bool, tmp_path: Path, fakes: FakeRegistries
) -> None:
    with running_server(tmp_path / "data", probe_interval_seconds=3600) as server:
        fakes.repositories["one"] = repositories(*before)
        integrated = integrate(server, fakes.url("one"))
        fakes.repositories["one"] = repositories(*after)
        added, vanished, errors = found(integrated.synchronize())
        if is_doubted:
            assert (added, vanished, errors) == (0, 0, ["MirrorDoubted"])
            assert integrated.spaces() == list(before)
            assert integrated.state()["stale"]["reason"] == "MOST_SPACES_GONE"
        else:
            assert (vanished, errors) == (len(set(before) - set(after)), [])
            assert integrated.spaces() == list(after)
            assert integrated.state()["stale"] is None


def test_a_doubt_is_told_once_and_ends_when_they_are_seen_again(
    still_server: RunningServer, fakes: FakeRegistries
) -> None:
    fakes.repositories["one"] = repositories("a", "b")
    integrated = integrate(still_server, fakes.url("one"))
    looked_at = integrated.state()["synchronizedAt"]
    fakes.repositories["one"] = []
    for _ in range(2):
        assert found(integrated.synchronize()) == (0, 0, ["MirrorDoubted"])
    state = integrated.state()
    assert (state["synchronizedAt"], "STALE" in state["labels"]) == (looked_at, True)
    assert [event["type"] for event in integrated.events("INTEGRATION_DOUBTED", "INTEGRATION_TRUSTED")] == [
        "INTEGRATION_DOUBTED"
    ]
    fakes.repositories["one"] = repositories("a", "b")
    assert found(integrated.synchronize()) == (0, 0, [])
    assert integrated.state()["stale"] is None
    assert [event["type"] for event in integrated.events("INTEGRATION_DOUBTED", "INTEGRATION_TRUSTED")] == [
        "INTEGRATION_DOUBTED",
        "INTEGRATION_TRUSTED",
    ]
    assert space_events(integrated) == [("SPACE_ADDED", "a"), ("SPACE_ADDED", "b")]


def test_a_loss_that_is_accepted_is_written(still_server: RunningServer, fakes: FakeRegistries) -> None:
    fakes.repositories["one"] = repositories("a", "b")
    integrated = integrate(still_server, fakes.url("one"))
    fakes.repositories["one"] = []
    integrated.synchronize()
    assert found(integrated.synchronize(acceptLoss=True)) == (0, 2, [])
    assert (integrated.spaces(), integrated.state()["stale"]) == ([], None)
    assert space_events(integrated)[2:] == [("SPACE_VANISHED", "a"), ("SPACE_VANISHED", "b")]


def test_of_two_looks_the_one_that_began_later_stands(still_server: RunningServer, fakes: FakeRegistries) -> None:
    fakes.repositories["one"] = repositories("a")
    integrated = integrate(still_server, fakes.url("one"))
    with ThreadPoolExecutor(1) as thread:
        with fakes.holding_next("one"):
            early = thread.submit(integrated.synchronize)
            eventually(lambda: fakes.waiting("one"))
            fakes.repositories["one"] = repositories("a", "b")
            assert found(integrated.synchronize()) == (1, 0, [])
        assert found(early.result(20)) == (0, 0, [])
    assert integrated.spaces() == ["a", "b"]
    assert space_events(integrated) == [("SPACE_ADDED", "a"), ("SPACE_ADDED", "b")]


def test_many_looks_at_once_add_each_space_once(still_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(still_server, fakes.url("one"))
    fakes.repositories["one"] = repositories("a", "b", "c")
    with ThreadPoolExecutor(8) as threads:
        payloads = [look.result(20) for look in [threads.submit(integrated.synchronize) for _ in range(8)]]
    assert sum(payload["addedSpaceCount"] for payload in payloads) == 3
    assert space_events(integrated) == [("SPACE_ADDED", name) for name in "abc"]


def test_what_was_seen_at_a_former_address_is_not_written(still_server: RunningServer, fakes: FakeRegistries) -> None:
    fakes.repositories |= {"old": repositories("a"), "new": repositories("a")}
    integrated = integrate(still_server, fakes.url("old"))
    with ThreadPoolExecutor(1) as thread:
        fakes.repositories["old"] = repositories("a", "b")
        with fakes.holding_next("old"):
            look = thread.submit(integrated.synchronize)
            eventually(lambda: fakes.waiting("old"))
            assert integrated.mutate("updateIntegration", url=fakes.url("new"))["errors"] == []
        # Its connections are closed under it.
        assert found(look.result(20)) == (None, None, ["RegistryRefused"])
    assert integrated.spaces() == ["a"]
    assert space_events(integrated) == [("SPACE_ADDED", "a")]


def test_one_that_is_removed_while_it_is_looked_at(still_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(still_server, fakes.url("one"))
    fakes.repositories["one"] = repositories("a")
    with ThreadPoolExecutor(1) as thread:
        with fakes.holding_next("one"):
            look = thread.submit(integrated.synchronize)
            eventually(lambda: fakes.waiting("one"))
            assert integrated.mutate("removeIntegration")["errors"] == []
        _, _, errors = found(look.result(20))
    assert errors in (["NotFound"], ["RegistryRefused"])
    assert space_count(still_server) == 0


def test_one_that_comes_back_is_looked_at(watching_server: RunningServer, fakes: FakeRegistries) -> None:
    fakes.repositories["one"] = repositories("a")
    integrated = integrate(watching_server, fakes.url("one"))
    fakes.instead["one"] = BROKEN
    integrated.wait_for_health("UNHEALTHY", "COMPONENT_UNHEALTHY")
    fakes.repositories["one"] = repositories("a", "b")
    looks = fakes.pages["one"]
    del fakes.instead["one"]
    eventually(lambda: integrated.spaces() == ["a", "b"], deadline_seconds=1 + 5)
    assert fakes.pages["one"] == looks + 1


def test_every_interval_and_not_while_it_is_down(tmp_path: Path, fakes: FakeRegistries) -> None:
    settings = {"probe_interval_seconds": 1, "synchronization_interval_seconds": 5}
    with running_server(tmp_path / "data", **settings) as server:
        integrated = integrate(server, fakes.url("up"))
        down = integrate(server, fakes.url("down"), name="another")
        fakes.instead["down"] = BROKEN
        down.wait_for_health("UNHEALTHY", "COMPONENT_UNHEALTHY")
        looks = fakes.pages["down"]
        fakes.repositories["up"] = repositories("a")
        eventually(lambda: integrated.spaces() == ["a"], deadline_seconds=10)
        fakes.repositories["up"] = repositories("a", "b")
        eventually(lambda: integrated.spaces() == ["a", "b"], deadline_seconds=10)
        assert fakes.pages["down"] == looks


def test_five_thousand_repositories_hold_nobody_up(still_server: RunningServer, fakes: FakeRegistries) -> None:
    integrated = integrate(still_server, fakes.url("large"))
    fakes.repositories["large"] = [f"s{number}/app" for number in range(5000)]
    with longest_pause(still_server) as pauses:
        assert found(integrated.synchronize()) == (5000, 0, [])
        fakes.repositories["large"] = [f"s{number}/app" for number in range(2500)]
        assert found(integrated.synchronize()) == (0, 2500, [])
    assert max(pauses) < 0.5


@contextmanager
def longest_pause(server: RunningServer) -> Iterator[list[float]]:
    """Keep for how long the server's loop was at nobody's disposal, each time.

    In seconds of its own thread's processor time, so that a busy machine tells nothing.
    """
    pauses: list[float] = []

    async def watch() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.005)
            pauses.append(time.thread_time() - before)

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(watch())

    async def end(task: asyncio.Task[None]) -> None:
        task.cancel()

    watching = server.run(begin())
    try:
        yield pauses
    finally:
        server.run(end(watching))


def test_an_empty_catalogue_of_a_lost_storage_takes_nothing_away(
    watching_server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "registry").mkdir()
    with running_docker_registry(tmp_path / "registry") as registry:
        push_image(registry, "team/app", "v1")
        push_image(registry, "other/app", "v1")
        integrated = integrate(watching_server, registry.url)
        assert integrated.spaces() == ["other", "team"]
        registry.storage.rename(tmp_path / "elsewhere")
        # The registry is as well as ever, and empty.
        integrated.wait_for_probe()
        assert integrated.health() == ("HEALTHY", None)
        assert found(integrated.synchronize()) == (0, 0, ["MirrorDoubted"])
        assert integrated.spaces() == ["other", "team"]
        assert integrated.state()["stale"]["reason"] == "MOST_SPACES_GONE"
        (tmp_path / "elsewhere").rename(registry.storage)
        assert found(integrated.synchronize()) == (0, 0, [])
        assert integrated.state()["stale"] is None
        types = [event["type"] for event in integrated.events()]
        assert types == [
            "INTEGRATION_ADDED",
            "SPACE_ADDED",
            "SPACE_ADDED",
            "INTEGRATION_DOUBTED",
            "INTEGRATION_TRUSTED",
        ]
