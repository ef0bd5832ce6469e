"""Many registries asked for one answer: a call each, side by side, and the dead ones hold up nobody."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from resolvers.global_ids import global_id
from tests.api.harbors import integrate_harbor
from tests.api.live_platform import DASHBOARD, REPOSITORY, SPACES_EACH, TAGS, Platform, fill, get_old, tag_all
from tests.api.statement_cost import noted_statements
from tests.api.surface import Surface
from tests.doubles.harbor.server import running_harbor
from tests.servers.fake_registries import FakeRegistries, black_hole, running_fake_registries
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

RARE = {"probe_interval_seconds": 3600, "synchronization_interval_seconds": 86400}
DEADLINE_SECONDS = 4.0
"""Enough for what answers, on a machine that has other things to do."""
LATER_SECONDS = 4.0
"""By then no call that hangs would be over, and any answer that doesn't wait for one is there."""

ALL, DEAD = 50, 10
NAMES = [f"r{number:02}" for number in range(ALL)]
LISTED = "/projects/{project}/repositories/{repository}/artifacts"


@pytest.fixture
def registries() -> Iterator[FakeRegistries]:
    """Fifty registries with something in each."""
    with running_fake_registries() as running:
        tag_all(running, NAMES)
        yield running


@pytest.fixture
def server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A server that asks registries only for somebody who waits, and not for long."""
    settings = {**RARE, "live_deadline_seconds": DEADLINE_SECONDS, **database_settings}
    with running_server(tmp_path / "data", **settings) as started:
        yield started


@pytest.fixture
def patient_server(tmp_path: Path) -> Iterator[RunningServer]:
    """The same, and longer than any test takes."""
    with running_server(tmp_path / "data", **RARE, live_deadline_seconds=20) as started:
        yield started


def require_full(node: dict[str, Any], *, is_stale: bool = False) -> None:
    """Fail unless a repository is shown with all that it holds."""
    assert node["name"] == REPOSITORY
    assert node["artifacts"]["isStale"] is node["tags"]["isStale"] is is_stale
    tagged = [[tag["name"] for tag in artifact["tags"]["nodes"]] for artifact in node["artifacts"]["nodes"]]
    assert tagged == [[tag] for tag in TAGS]
    digests = [artifact["digest"] for artifact in node["artifacts"]["nodes"]]
    assert node["tags"]["nodes"] == [{"name": tag, "digest": digest} for tag, digest in zip(TAGS, digests, strict=True)]


def require_stored(data: dict[str, Any]) -> None:
    """Fail unless all that is stored is there."""
    assert len(data["integrations"]["nodes"]) == ALL
    for node in data["integrations"]["nodes"]:
        assert len(node["spaces"]["nodes"]) == SPACES_EACH
        assert all(len(space["bindings"]["nodes"]) == 2 for space in node["spaces"]["nodes"])


def test_each_registry_is_asked_once_for_each_kind_of_thing(server: RunningServer, registries: FakeRegistries) -> None:
    """At two sizes: fifty integrations with twenty spaces each, and a few of them; Harbors among them."""
    surface = Surface(server)
    with ExitStack() as resources:
        harbors = [resources.enter_context(running_harbor()) for _ in range(2)]
        for harbor in harbors:
            harbor.create_project("space-000")
            for tag in TAGS:
                harbor.push(REPOSITORY, tag)
            integrate_harbor(surface, harbor)
        platform = fill(server, [registries.url(name) for name in NAMES[: ALL - len(harbors)]])
        rows = surface.rows(
            'SELECT r."id" FROM "repository" r JOIN "space" s ON s."id" = r."space_id"'
            """ JOIN "integration" i ON i."id" = s."integration_id" WHERE i."kind" = 'HARBOR'"""
        )
        of_harbors = [global_id("Repository", key) for (key,) in rows]
        statements = []
        for count in (3, ALL - len(harbors)):
            get_old(server.services)
            for counter in (registries.tag_lists, registries.manifests):
                counter.clear()
            for harbor in harbors:
                harbor.calls.reset()
            ids = [*of_harbors, *platform.repository_ids[:count]]
            with noted_statements(server) as noted:
                data = server.graphql(DASHBOARD, {"first": len(ids), "ids": ids})
            statements.append(len(noted))

            assert len(data["integrations"]["nodes"]) == len(data["nodes"]) == count + len(harbors)
            for node in data["nodes"][len(harbors) :]:
                require_full(node)
            asked = NAMES[:count]
            assert dict(registries.tag_lists) == dict.fromkeys(asked, 1)
            # It has no call for what several tags name.
            assert dict(registries.manifests) == dict.fromkeys(asked, len(TAGS))
            for harbor, node in zip(harbors, data["nodes"], strict=False):
                assert len(node["artifacts"]["nodes"]) == len(TAGS)
                listings = [call for call in harbor.calls.all if call.template.endswith("/artifacts")]
                assert len(listings) == 1
        # Repositories, integrations, health, spaces, bindings, workspaces; where registries are, and how.
        assert statements[0] == statements[1] <= 8
        assert registries.pages.total() == registries.catalogues.total() == registries.pings.total() == 0


def test_ten_dead_ones_of_fifty_hold_up_nobody(server: RunningServer, registries: FakeRegistries) -> None:
    with black_hole() as hole:
        dead = {number for number in range(ALL) if number % (ALL // DEAD) == 0}
        urls = [f"{hole}/{name}" if number in dead else registries.url(name) for number, name in enumerate(NAMES)]
        platform = fill(server, urls)
        began = time.monotonic()

        result = server.post(DASHBOARD, platform.variables())

        assert time.monotonic() - began < DEADLINE_SECONDS + LATER_SECONDS
        require_stored(result["data"])
        nodes = result["data"]["nodes"]
        for number, node in enumerate(nodes):
            if number not in dead:
                require_full(node)
            else:
                assert node == {"name": REPOSITORY, "artifacts": None, "tags": None}
        told = {(tuple(error["path"]), error["extensions"]["code"]): error for error in result["errors"]}
        assert set(told) == {
            (("nodes", number, field), "REGISTRY_UNAVAILABLE") for number in dead for field in ("artifacts", "tags")
        }
        port = hole.rpartition(":")[2]
        for error in told.values():
            assert error["extensions"]["reason"] == "TIMED_OUT"
            assert error["message"] == (
                f"The registry can't be read now. 127.0.0.1:{port} did not answer within 4 seconds."
            )


def test_what_was_said_before_stands_for_those_that_have_died(
    server: RunningServer, registries: FakeRegistries
) -> None:
    platform = fill(server, [registries.url(name) for name in NAMES])
    for node in server.graphql(DASHBOARD, platform.variables())["nodes"]:
        require_full(node)
    get_old(server.services)
    dying = NAMES[:DEAD]
    with ExitStack() as held:
        for name in dying:
            held.enter_context(registries.holding(name))
        began = time.monotonic()

        data = server.graphql(DASHBOARD, platform.variables())

        assert time.monotonic() - began < DEADLINE_SECONDS + LATER_SECONDS
        for number, node in enumerate(data["nodes"]):
            require_full(node, is_stale=number < DEAD)
        # The stored fields alone ask nobody.
        registries.tag_lists.clear()
        require_stored(server.graphql(DASHBOARD, {**platform.variables(), "ids": []}))
        assert registries.tag_lists.total() == 0
    # Those calls went on, and what they brought is there for the next one.
    eventually(lambda: sum(map(registries.waiting, dying)) == 0)
    eventually(lambda: not server.services.live_contents._running)
    for node in server.graphql(DASHBOARD, platform.variables())["nodes"]:
        require_full(node)


def test_a_dead_registry_nulls_its_own_field_and_nodes_by_id(server: RunningServer, registries: FakeRegistries) -> None:
    platform = fill(server, [registries.url(name) for name in NAMES[:2]])
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { artifacts { nodes { id } } } } }"""
    nodes = server.graphql(query, {"ids": platform.repository_ids})["nodes"]
    ids = [node["artifacts"]["nodes"][0]["id"] for node in nodes]
    by_id = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Artifact { digest isStale } } }"
    one = "query ($id: ID!) { node(id: $id) { ... on Artifact { digest } } }"
    registries.instead[NAMES[0]] = (500, b"foreign words")

    result = server.post(by_id, {"ids": [*ids, platform.repository_ids[0]]})

    assert [node and node["__typename"] for node in result["data"]["nodes"]] == [None, "Artifact", "Repository"]
    (error,) = result["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["nodes", 0], "REGISTRY_UNAVAILABLE")
    assert "foreign" not in json.dumps(result)
    result = server.post(one, {"id": ids[0]})
    assert result["data"] == {"node": None}
    assert [error["path"] for error in result["errors"]] == [["node"]]


def test_who_does_not_administer_a_registry_is_not_told_where_it_is(
    server: RunningServer, registries: FakeRegistries
) -> None:
    platform = fill(server, [registries.url(NAMES[0])])
    database = server.services.database
    server.run(database.transact(lambda work: work.execute("""UPDATE "space" SET "visibility" = 'PUBLIC'""")))
    registries.instead[NAMES[0]] = (500, b"foreign words")
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { artifacts { isStale } } } }"

    told = {
        token: server.post(query, {"ids": platform.repository_ids}, token)
        for token in (None, Surface(server).member_token)
    }

    messages = [result["errors"][0]["message"] for result in told.values()]
    assert [result["data"]["nodes"] for result in told.values()] == [[{"artifacts": None}]] * 2
    assert f"127.0.0.1:{registries.port}" in messages[0]
    reason = next(iter(told.values()))["errors"][0]["extensions"]["reason"]
    assert {result["errors"][0]["extensions"]["reason"] for result in told.values()} == {reason}
    assert messages[1] == "The registry can't be read now. It can't read what it stores."
    assert "foreign" not in json.dumps(list(told.values()))


def test_an_answer_with_something_live_is_not_kept(server: RunningServer, registries: FakeRegistries) -> None:
    platform = fill(server, [registries.url(NAMES[0])])
    for number in range(1, 4):
        get_old(server.services)
        server.graphql(DASHBOARD, platform.variables())
        assert registries.tag_lists[NAMES[0]] == number


def test_a_hundred_clients_cost_one_call_and_one_that_leaves_disturbs_nobody(
    patient_server: RunningServer, registries: FakeRegistries
) -> None:
    server = patient_server
    names = NAMES[:5]
    platform = fill(server, [registries.url(name) for name in names])
    live, begun = server.services.live_contents, []
    answers = live.answers

    async def counted(wanted: Any, waited_seconds: float = 0.0) -> Any:
        begun.append(wanted)
        return await answers(wanted, waited_seconds)

    live.answers = counted  # type: ignore[method-assign]

    async def ask_all() -> list[dict[str, Any]]:
        clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(100)]
        with ExitStack() as held:
            for name in names:
                held.enter_context(registries.holding(name))
            for _, writer in clients:
                writer.write(_request(server, platform))
            await asyncio.to_thread(eventually, lambda: len(begun) == len(clients))
            await asyncio.to_thread(eventually, lambda: [*map(registries.waiting, names)] == [1] * len(names))
            for _, leaving in (clients.pop(0), clients.pop(50)):
                leaving.close()
                await leaving.wait_closed()
        bodies = await asyncio.gather(*(_body(reader) for reader, _ in clients))
        for _, writer in clients:
            writer.close()
        return bodies

    results = asyncio.run(ask_all())

    assert len(results) == 98
    for result in results:
        assert "errors" not in result
        for node in result["data"]["nodes"]:
            require_full(node)
    assert dict(registries.tag_lists) == dict.fromkeys(names, 1)
    assert dict(registries.manifests) == dict.fromkeys(names, len(TAGS))


def _request(server: RunningServer, platform: Platform) -> bytes:
    body = json.dumps({"query": DASHBOARD, "variables": platform.variables()}).encode()
    head = [
        "POST /graphql HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Authorization: Bearer {server.admin_token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def _body(reader: asyncio.StreamReader) -> dict[str, Any]:
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    result: dict[str, Any] = json.loads(body)
    return result
