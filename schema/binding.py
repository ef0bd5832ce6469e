"""Bindings, and how far they are true."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models.records import BindingRecord
from resolvers.context import Info
from resolvers.loaders import SpaceByIdLoader
from resolvers.loading import loaded
from resolvers.workspace_loaders import RegistryEnforcementLoader, WorkspaceByIdLoader
from schema.enums import BindingState, EnforcementState
from schema.node import Node, RecordBacked, backed
from schema.space import Space
from schema.workspace import Workspace
from services.enforcement import enforcement_of


@strawberry.type(description="How far a binding is true at one place.")
class EnforcementStep:
    """One place."""

    state: EnforcementState = strawberry.field(description="How far.")
    message: str | None = strawberry.field(description="Why, in a sentence, where there is something to say.")
    changed_at: datetime = strawberry.field(description="When that which is to be true here last changed.")
    next_attempt_at: datetime | None = strawberry.field(description="When it is tried next, where it waits for that.")


@strawberry.type(description="How far a binding is true at one cluster.")
class ClusterEnforcementStep:
    """One cluster."""

    cluster: str = strawberry.field(description="The cluster's name.")
    state: EnforcementState = strawberry.field(description="How far.")
    message: str | None = strawberry.field(description="Why, in a sentence, where there is something to say.")
    changed_at: datetime = strawberry.field(description="When that which is to be true here last changed.")


def _no_clusters() -> list[ClusterEnforcementStep]:
    return []


@strawberry.type(description="How far a binding is true, place by place.")
class Enforcement:
    """All places."""

    state: EnforcementState = strawberry.field(description="The worst of the places.")
    registry: EnforcementStep = strawberry.field(description="At the registry.")
    clusters: list[ClusterEnforcementStep] = strawberry.field(
        resolver=_no_clusters, description="On each cluster that this server looks after: its pull secrets."
    )
    admission: list[ClusterEnforcementStep] = strawberry.field(
        resolver=_no_clusters, description="On each cluster that asks this server before it admits a pod."
    )


def _bound_by(root: strawberry.Parent[BindingRecord], info: Info) -> str | None:
    return root.bound_by if info.context.scope.is_platform_admin else None


async def _enforcement(root: strawberry.Parent[BindingRecord], info: Info) -> Enforcement:
    target = await info.context.loader(RegistryEnforcementLoader).load((root.workspace_id, root.integration_id))
    return backed(Enforcement, enforcement_of(root, target))


@strawberry.type(description="A space given to a workspace: the workspace's namespaces may pull from it.")
class Binding(RecordBacked, Node):
    """A binding."""

    record = BindingRecord

    space: Annotated[Space, strawberry.lazy("schema.space")] = loaded(
        SpaceByIdLoader, key="space_id", description="What is given.", required="space"
    )
    workspace: Annotated[Workspace, strawberry.lazy("schema.workspace")] = loaded(
        WorkspaceByIdLoader, key="workspace_id", description="To whom.", required="workspace"
    )
    state: BindingState = strawberry.field(description="Whether it gives access now.")
    bound_by: str | None = strawberry.field(resolver=_bound_by, description="Who gave it. Administrators see it.")
    bound_at: datetime = strawberry.field(description="When it was given.")
    revoked_at: datetime | None = strawberry.field(description="When it was taken away; null while it is given.")
    enforcement: Enforcement = strawberry.field(
        resolver=_enforcement, description="How far it is true at the registry and on the clusters."
    )
