"""Workspaces for tests, straight into the database, and tokens of those who belong to them."""

from __future__ import annotations

from datetime import timedelta

from models.database import Database, Transaction
from models.enums import Role
from models.names import fold_name
from models.workspace import Workspace
from services.clock import utc_now
from tests.serving import RunningServer


async def add_workspace(database: Database, name: str) -> int:
    """Store a workspace, unless there is one of that name, and return its id."""

    async def work(_: Transaction) -> int:
        now = utc_now()
        workspace, _created = await Workspace.get_or_create(
            name_key=fold_name(name),
            defaults={"name": name, "labels": {}, "created_by": "the test", "created_at": now, "updated_at": now},
        )
        return int(workspace.id)

    return await database.transact(work)


def token_in(server: RunningServer, workspace_id: int, role: Role = Role.WORKSPACE_MEMBER) -> str:
    """Return a new token of somebody in a workspace."""
    tokens = server.services.access_tokens
    expires_at = utc_now() + timedelta(days=1)
    return server.run(tokens.create(f"a {role.value}", role, expires_at, "the test", workspace_id))[1]


def member_token(server: RunningServer) -> str:
    """Return a new token of a member of a workspace that has nothing."""
    return token_in(server, server.run(add_workspace(server.services.database, "a workspace with nothing")))
