"""An answer is given again while nothing that it was made from has changed, and never longer."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import websockets
from websockets.typing import Subprotocol

from models.database import Database
from models.enums import Role
from models.versions import read_tables
from services.access_tokens import AccessTokens
from services.clock import utc_now
from tests.api.statement_cost import noted_statements
from tests.api.tenants import Tenants, key_of, tenants_of
from tests.models.test_versions import tables_by_sqlite
from tests.serving import RunningServer

SPACES = "{ spaces { nodes { name visibility bindings { nodes { workspace { name } } } } } }"
HEALTH = "{ integrations { nodes { name health { checkedAt } } } }"
NAMES = "{ integrations { nodes { name imageHost spaceCount } } }"


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    """A server's tenants, gone at the end."""
    with tenants_of(quiet_server) as tenants:
        yield tenants


def asked(tenants: Tenants, query: str, token: str | None = None, **variables: object) -> tuple[int, Any]:
    """Return how many statements a query makes, and its data."""
    with noted_statements(tenants.server) as statements:
        data = tenants.server.graphql(query, variables, token)
    return len(statements), data


def check_all_again(tenants: Tenants) -> None:
    """Write what a probe writes."""
    tenants.write('UPDATE "integration_health" SET "checked_at" = \'2026-01-01 00:00:00+00:00\'')


@pytest.mark.parametrize("query", [SPACES, HEALTH, NAMES])
def test_what_has_not_changed_is_not_read_again(tenants: Tenants, query: str) -> None:
    registry = tenants.registry("harbor.example")
    tenants.bind(tenants.spaces(registry, ["a", "b", "c"]), [tenants.workspace("shop")])

    first, data = asked(tenants, query)
    assert first > 0
    assert asked(tenants, query) == (0, data)
    # Another document, other variables, and another scope are answered for themselves.
    assert asked(tenants, f"query Other {query}")[0] == first


def test_an_own_mutation_is_always_seen(tenants: Tenants) -> None:
    registry = tenants.registry("harbor.example")
    [space] = tenants.spaces(registry, ["a"])
    shown = [SPACES, "{ workspaces { nodes { name bindings { nodes { space { name } } } } } }"]
    for number in range(5):
        for query in shown:
            asked(tenants, query)
        workspace = tenants.workspace(f"shop {number}")
        for query in shown[1:]:
            names = [node["name"] for node in asked(tenants, query)[1]["workspaces"]["nodes"]]
            assert f"shop {number}" in names
        tenants.bind([space], [workspace])
        bound = asked(tenants, SPACES)[1]["spaces"]["nodes"][0]["bindings"]["nodes"]
        assert [node["workspace"]["name"] for node in bound] == [f"shop {each}" for each in range(number + 1)]


def test_a_probe_throws_away_only_what_shows_health(tenants: Tenants) -> None:
    tenants.registry("harbor.example")
    for query in (HEALTH, NAMES):
        asked(tenants, query)

    check_all_again(tenants)

    assert asked(tenants, NAMES)[0] == 0
    statements, data = asked(tenants, HEALTH)
    assert statements > 0
    [node] = data["integrations"]["nodes"]
    assert node["health"]["checkedAt"] == "2026-01-01T00:00:00Z"


def test_each_scope_has_its_own(tenants: Tenants) -> None:
    registry = tenants.registry("harbor.example")
    shop, bank = tenants.workspace("shop"), tenants.workspace("bank")
    [mine, _] = tenants.spaces(registry, ["a", "b"])
    tenants.bind([mine], [shop])
    members = {name: member_of(tenants, id_) for name, id_ in (("shop", shop), ("bank", bank))}

    def seen(token: str | None) -> int:
        return len(asked(tenants, SPACES, token)[1]["spaces"]["nodes"])

    assert [seen(None), seen(members["shop"]), seen(members["bank"])] == [2, 1, 0]
    assert [seen(None), seen(members["shop"]), seen(members["bank"])] == [2, 1, 0]
    # Somebody else of the same workspace and role is told the same, without a statement.
    assert asked(tenants, SPACES, member_of(tenants, shop))[0] == 0


def test_what_is_a_viewer_s_own_is_told_to_nobody_else(tenants: Tenants) -> None:
    shop = tenants.workspace("shop")
    names = [f"token {number}" for number in range(2)]
    tokens = [member_of(tenants, shop, name) for name in names]
    for _ in range(2):
        for name, token in zip(names, tokens, strict=True):
            assert asked(tenants, "{ viewer { name } }", token)[1] == {"viewer": {"name": name}}


def test_errors_and_what_is_of_its_moment_are_not_kept(tenants: Tenants) -> None:
    member = member_of(tenants, tenants.workspace("shop"))
    for _ in range(2):
        assert tenants.server.post("{ auditEvents { nodes { id } } }", token=member)["errors"]
    active = "{ accessTokens(first: 100) { nodes { name isActive } } }"
    assert asked(tenants, active)[0] == asked(tenants, active)[0] > 0


def test_a_token_that_another_process_revokes_is_refused_at_once(tenants: Tenants) -> None:
    server = tenants.server
    token = member_of(tenants, tenants.workspace("shop"), "revoked")
    for _ in range(2):
        assert asked(tenants, "{ viewer { name } }", token)[1] == {"viewer": {"name": "revoked"}}
    [(token_id,)] = tenants.rows("""SELECT "id" FROM "access_token" WHERE "name" = 'revoked'""")

    async def elsewhere() -> None:
        database = await Database.open(server.settings.tortoise_url)
        try:
            await AccessTokens(database, utc_now).revoke(token_id, "another process", ())
        finally:
            await database.close()

    asyncio.run(elsewhere())

    assert server.post("{ viewer { name } }", token=token)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_what_is_asked_over_a_socket_sees_what_came_after_it_was_opened(tenants: Tenants) -> None:
    server = tenants.server
    query = "{ workspaces { nodes { name } } }"

    async def names(socket: websockets.ClientConnection, number: int) -> list[str]:
        await socket.send(json.dumps({"id": str(number), "type": "subscribe", "payload": {"query": query}}))
        answer = json.loads(await socket.recv())["payload"]["data"]
        assert json.loads(await socket.recv())["type"] == "complete"
        return [node["name"] for node in answer["workspaces"]["nodes"]]

    async def main() -> None:
        address = server.url.replace("http", "ws", 1) + "/graphql"
        async with websockets.connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            payload = {"Authorization": f"Bearer {server.admin_token}"}
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            for number in range(3):
                await asyncio.to_thread(tenants.workspace, f"shop {number}")
                assert await names(socket, number) == [f"shop {each}" for each in range(number + 1)]

    asyncio.run(main())


def test_statements_of_the_surface_name_every_table_that_they_read(tenants: Tenants) -> None:
    """By SQLite's own account: a table that was passed over would leave answers standing when it changes."""
    if not tenants.server.settings.tortoise_url.startswith("sqlite"):
        pytest.skip("the statements are the same, and PostgreSQL doesn't tell")
    registry = tenants.registry("harbor.example")
    shop = tenants.workspace("shop", "shop-1")
    tenants.bind(tenants.spaces(registry, ["a", "b"]), [shop])
    page = "(first: 2) { totalCount nodes { __typename } }"
    query = f"""{{
        integrations(first: 2, filter: {{healthStatuses: [HEALTHY, UNKNOWN], text: "a"}}) {{ totalCount nodes {{
            labels version imageHostAliases boundWorkspaceCount spaceCount routineCredential {{ kind }} scope {{ name }}
            health {{ status checks {{ isGood }} }} spaces{page}
        }} }}
        spaces(first: 2) {{ totalCount nodes {{
            integration {{ name }} repositories{page} bindings(first: 2) {{ totalCount nodes {{
                enforcement {{ registry {{ state }} }} workspace {{ name }}
            }} }}
        }} }}
        workspaces(first: 2) {{ totalCount nodes {{ namespaces{page} bindings{page} spaces{page} }} }}
        events(first: 2) {{ totalCount nodes {{ __typename }} }}
        pullAccess(namespace: {{name: "shop-1"}}, image: "harbor.example/a/b") {{ reason }}
        images(query: "harbor.example/a") {{ totalCount nodes {{ repository {{ space {{ name }} }} }} }}
        pullable: images(query: "abc", namespace: {{name: "shop-1"}}) {{ nodes {{ image }} }}
    }}"""
    calls: list[str] = []
    for token in (None, member_of(tenants, shop)):
        with noted_statements(tenants.server) as statements:
            answer = tenants.server.post(query, token=token)
        assert "errors" not in answer, answer["errors"]
        calls += statements
    file = tenants.server.settings.tortoise_url.removeprefix("sqlite://")
    connection = sqlite3.connect(file)
    try:
        for sql in calls:
            parameters = [None] * sql_parameters(sql)
            assert tables_by_sqlite(connection, sql, *parameters) == read_tables(sql), sql
    finally:
        connection.close()
    assert {"integration", "integration_health", "image_host", "space", "binding", "workspace", "namespace"} <= {
        table for sql in calls for table in read_tables(sql)
    }


def sql_parameters(sql: str) -> int:
    """Return how many parameters a statement takes: they are numbered."""
    return max((number for number in range(1, 100) if f"?{number}" in sql), default=0)


def member_of(tenants: Tenants, workspace: str, name: str = "a member") -> str:
    """Return a new token of a member of a workspace."""
    tokens = tenants.server.services.access_tokens
    expires_at = datetime.now(UTC) + timedelta(days=1)
    return tenants.server.run(tokens.create(name, Role.WORKSPACE_MEMBER, expires_at, "the test", key_of(workspace)))[1]
