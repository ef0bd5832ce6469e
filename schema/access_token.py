"""Access tokens and viewers, as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.records import AccessTokenRecord
from resolvers.context import Info
from resolvers.loading import loaded
from resolvers.workspace_loaders import WorkspaceByIdLoader
from schema.enums import Role
from schema.node import Node, RecordBacked
from schema.workspace import Workspace


def _is_active(root: strawberry.Parent[AccessTokenRecord], info: Info) -> bool:
    return root.revoked_at is None and root.expires_at > info.context.services.clock()


@strawberry.type(description="A credential for this server. The token itself was shown once, when it was made.")
class AccessToken(RecordBacked, Node):
    """An access token."""

    record = AccessTokenRecord

    name: str = strawberry.field(description="What it is for.")
    role: Role = strawberry.field(description="What its bearer may do.")
    workspace: Workspace | None = loaded(
        WorkspaceByIdLoader,
        key="workspace_id",
        description="In which workspace; null for a role that is for the whole platform, and when it is gone.",
    )
    created_by: str = strawberry.field(description="Who made it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it is good.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked; null when it was not.")
    is_active: bool = strawberry.field(resolver=_is_active, description="Whether it is good now.")


@strawberry.type(description="Who you are to this server.")
class Viewer:
    """The viewer."""

    name: str = strawberry.field(description="The name of your credential.")
    role: Role = strawberry.field(description="What you may do.")
    workspace: Workspace | None = loaded(
        WorkspaceByIdLoader,
        key="workspace_id",
        description="In which workspace; null when your role is for the whole platform, or for none that stands.",
    )
    expires_at: datetime = strawberry.field(description="Until when your credential is good.")
