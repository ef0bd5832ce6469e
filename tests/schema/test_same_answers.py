"""What the schema declares and what its resolvers do are the same: both ways give one answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from graphql import ExecutionResult, parse, validate
from graphql.execution import Executor

from execution import LevelExecutor
from models.enums import Role
from resolvers.context import RequestContext
from resolvers.global_ids import ArtifactKey, global_id, parse_global_id
from services.viewer import Viewer
from tests.api.live_platform import fill as fill_platform
from tests.api.live_platform import tag_all
from tests.execution.answers import shown, told
from tests.execution.documents import DocumentWriter
from tests.seeding import seed_integrations, seed_spaces
from tests.servers.fake_registries import running_fake_registries
from tests.serving import RunningServer, shared_schema

DOCUMENTS = 60


def fill(server: RunningServer) -> list[int]:
    """Store something of each kind of thing and return the ids of two workspaces."""
    addresses = [f"http://{number}.example" for number in range(3)]
    # Never probed: their health must not change between two answers.
    ids = server.run(seed_integrations(server.services.database, addresses, first_probe_in=timedelta(days=300)))
    server.run(seed_spaces(server.services.database, {id_: ["library", "one", "two"] for id_ in ids}))
    workspaces = []
    for name in ("shop", "bank"):
        mutation = """mutation ($name: String!) { upsertWorkspace(input: {
            externalId: $name, name: $name, namespaces: [{name: $name}], labels: [{key: "tier", value: "gold"}]
        }) { workspace { id } } }"""
        workspaces.append(server.graphql(mutation, {"name": name})["upsertWorkspace"]["workspace"]["id"])
    spaces = [node["id"] for node in server.graphql("{ spaces { nodes { id } } }")["spaces"]["nodes"]]
    bind = (
        "mutation ($s: [ID!]!, $w: [ID!]!) { bindSpaces(input: {spaceIds: $s, workspaceIds: $w}) { errors { code } } }"
    )
    assert server.graphql(bind, {"s": spaces[:5], "w": workspaces})["bindSpaces"]["errors"] == []
    opened = "mutation ($s: [ID!]!) { setSpaceVisibility(input: {ids: $s, visibility: PUBLIC}) { errors { code } } }"
    assert server.graphql(opened, {"s": spaces[4:6]})["setSpaceVisibility"]["errors"] == []
    return [1, 2]


async def answer(
    executor_class: type[Executor[None]], text: str, viewer: Viewer, server: RunningServer
) -> ExecutionResult:
    """Return what an executor makes of a query."""
    context = RequestContext(viewer.scope, viewer, server.services, "test")
    executor = executor_class.build(shared_schema()._schema, parse(text), context_value=context)
    assert isinstance(executor, Executor)
    result = executor.execute_operation()
    if executor.is_awaitable(result):
        result = await result
    assert isinstance(result, ExecutionResult)
    return result


def test_random_queries_are_answered_the_same(running_server: RunningServer) -> None:
    schema = shared_schema()._schema
    workspace_ids = fill(running_server)
    soon = datetime.now(UTC) + timedelta(hours=1)
    viewers = [
        Viewer(Role.PLATFORM_ADMIN, None, 1, "admin", soon),
        Viewer(Role.WORKSPACE_MEMBER, workspace_ids[0], 1, "member", soon),
        Viewer(Role.WORKSPACE_MEMBER, None, 1, "nobody's", soon),
    ]
    assert schema.query_type is not None
    lengths = []
    for seed in range(DOCUMENTS):
        random = Random(seed)
        text = DocumentWriter(random, schema, depth=5, width=4).document("query", schema.query_type)
        assert [error.message for error in validate(schema, parse(text))] in ([], _UNUSED)
        for viewer in viewers:
            core = running_server.run(answer(Executor, text, viewer, running_server))
            level = running_server.run(answer(LevelExecutor, text, viewer, running_server))
            assert shown(level.data) == shown(core.data)
            assert told(level) == told(core)
            lengths.append(len(shown(core.data)))
    assert sum(length > 1000 for length in lengths) > DOCUMENTS / 4


_UNUSED = ["Variable '$n' is never used."]


def test_lists_of_what_stands_in_several_places(running_server: RunningServer) -> None:
    fill(running_server)
    query = """
    { spaces(first: 9) { nodes { integration { id spaces(first: 2) { nodes { name } } } bindings { nodes {
        workspace { name namespaces { totalCount nodes { name } } } } } } } }
    """
    viewer = Viewer(Role.PLATFORM_ADMIN, None, 1, "admin", datetime.now(UTC) + timedelta(hours=1))
    core = running_server.run(answer(Executor, query, viewer, running_server))
    level = running_server.run(answer(LevelExecutor, query, viewer, running_server))

    assert (core.errors, shown(level.data)) == (None, shown(core.data))
    assert core.data is not None
    lists = [node["integration"]["spaces"]["nodes"] for node in core.data["spaces"]["nodes"]]
    assert lists == [[{"name": "library"}, {"name": "one"}]] * 9


def test_arguments_of_every_sort_are_taken_the_same(running_server: RunningServer) -> None:
    fill(running_server)
    viewer = Viewer(Role.PLATFORM_ADMIN, None, 1, "admin", datetime.now(UTC) + timedelta(hours=1))
    none = global_id("Space", 999)
    query = f"""{{
        integrations(first: 2, after: null, orderBy: {{field: NAME, direction: DESC}}) {{ nodes {{ name }} }}
        filtered: integrations(filter: {{kinds: [HARBOR], text: null}}, orderBy: null) {{ nodes {{ name kind }} }}
        named: integrations(filter: {{text: "1"}}) {{ nodes {{ name spaces(
            first: 1, filter: {{text: "o"}}, orderBy: {{field: NAME, direction: DESC}}
        ) {{ nodes {{ name }} }} }} }}
        nodes(ids: ["{global_id("Integration", 1)}", "{none}"]) {{ id }}
        node(id: "{none}") {{ id }}
        pullAccess(namespace: {{name: "shop"}}, image: "0.example/one/x:1") {{ reason }}
        twice: integration(id: "a", name: "b") {{ id }}
    }}"""
    core = running_server.run(answer(Executor, query, viewer, running_server))
    level = running_server.run(answer(LevelExecutor, query, viewer, running_server))

    assert (shown(level.data), told(level)) == (shown(core.data), told(core))
    assert [error.path for error in level.errors or ()] == [["twice"]]


def test_what_registries_are_asked_for_is_answered_the_same(running_server: RunningServer) -> None:
    viewer = Viewer(Role.PLATFORM_ADMIN, None, 1, "admin", datetime.now(UTC) + timedelta(hours=1))
    with running_fake_registries() as registries:
        names = ["well", "also-well", "broken"]
        tag_all(registries, names)
        registries.instead["broken"] = (500, b"no")
        platform = fill_platform(running_server, [registries.url(name) for name in names])
        ids = ", ".join(f'"{id_}"' for id_ in platform.repository_ids)
        broken = ArtifactKey(parse_global_id(platform.repository_ids[2])[1], f"sha256:{'0' * 64}")
        artifacts = f'"{global_id("Artifact", broken)}", "nothing"'
        query = f"""{{ nodes(ids: [{ids}]) {{ ... on Repository {{
            artifacts(first: 2) {{ isStale totalCount pageInfo {{ endCursor hasNextPage }} edges {{ cursor node {{
                id pullCommand repository {{ name tags {{ nodes {{ name }} }} }}
                tags(first: 1) {{ nodes {{ name image }} }}
            }} }} }}
            none: artifacts(first: 0) {{ isStale }}
            tags(after: "nothing") {{ isStale }}
        }} }} ofBroken: nodes(ids: [{artifacts}]) {{ id }} }}"""
        core = running_server.run(answer(Executor, query, viewer, running_server))
        level = running_server.run(answer(LevelExecutor, query, viewer, running_server))

        assert (shown(level.data), told(level)) == (shown(core.data), told(core))
        assert level.data is not None
        assert [len(node["artifacts"]["edges"]) for node in level.data["nodes"][:2]] == [2, 2]
        assert level.data["nodes"][2] == {"artifacts": None, "none": None, "tags": None}
        assert level.data["ofBroken"] == [None, None]
        assert ["ofBroken", 0] in [error.path for error in level.errors or ()]
        assert registries.tag_lists["well"] == registries.tag_lists["also-well"] == 2


def test_losses_count_for_what_an_answer_may_cost(running_server: RunningServer) -> None:
    query = """
    mutation { unbindSpaces(input: { bindingIds: [], dryRun: true }) { losses { namespace {
        workspace { spaces(first: 100) { nodes { id } } } } } } }
    """
    (error,) = running_server.post(query)["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    named = "mutation { unbindSpaces(input: { bindingIds: [], dryRun: true }) { losses { namespace { name } } } }"
    assert "errors" not in running_server.post(named)
