"""What happens to workspaces: one type for each sort of event."""

from __future__ import annotations

from typing import Any

import strawberry

from models.enums import EventType as Type
from models.records import EventRecord
from resolvers.context import Info
from resolvers.workspace_loaders import WorkspaceByIdLoader
from schema.event import Event, by_field, datum, integration_name_field, space_name_field
from schema.node import backed_if_any
from schema.workspace import Workspace


def _workspace_name() -> Any:
    return strawberry.field(resolver=datum("workspace_name"), description="The workspace's name at that time.")


async def _workspace(root: strawberry.Parent[EventRecord], info: Info) -> Workspace | None:
    if root.workspace_id is None:
        return None
    return backed_if_any(Workspace, await info.context.loader(WorkspaceByIdLoader).load(root.workspace_id))


def _of_workspace() -> Any:
    return strawberry.field(resolver=_workspace, description="The workspace; null when it is gone.")


@strawberry.type(description="A workspace was created.")
class WorkspaceCreated(Event):
    """WORKSPACE_CREATED."""

    event_type = Type.WORKSPACE_CREATED
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()
    by: str | None = by_field("created")


@strawberry.type(description="A workspace was changed.")
class WorkspaceUpdated(Event):
    """WORKSPACE_UPDATED."""

    event_type = Type.WORKSPACE_UPDATED
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()
    by: str | None = by_field("changed")


@strawberry.type(description="A workspace was deleted.")
class WorkspaceDeleted(Event):
    """WORKSPACE_DELETED."""

    event_type = Type.WORKSPACE_DELETED
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()
    by: str | None = by_field("deleted")


def _cluster() -> Any:
    return strawberry.field(resolver=datum("cluster"), description="The cluster's name.")


def _namespace_name() -> Any:
    return strawberry.field(resolver=datum("namespace_name"), description="The namespace's name.")


@strawberry.type(description="A namespace was given to a workspace.")
class NamespaceAdded(Event):
    """NAMESPACE_ADDED."""

    event_type = Type.NAMESPACE_ADDED
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()
    cluster: str = _cluster()
    namespace_name: str = _namespace_name()
    by: str | None = by_field("gave")


@strawberry.type(description="A namespace no longer belongs to a workspace.")
class NamespaceRemoved(Event):
    """NAMESPACE_REMOVED."""

    event_type = Type.NAMESPACE_REMOVED
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()
    cluster: str = _cluster()
    namespace_name: str = _namespace_name()
    by: str | None = by_field("removed")


@strawberry.type(description="A space was bound to a workspace.")
class BindingCreated(Event):
    """BINDING_CREATED."""

    event_type = Type.BINDING_CREATED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()
    by: str | None = by_field("bound")


@strawberry.type(description="A space was taken away from a workspace.")
class BindingRevoked(Event):
    """BINDING_REVOKED."""

    event_type = Type.BINDING_REVOKED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()
    by: str | None = by_field("took")


@strawberry.type(description="A bound space vanished: its binding grants nothing until it is back.")
class BindingSuspended(Event):
    """BINDING_SUSPENDED."""

    event_type = Type.BINDING_SUSPENDED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()


@strawberry.type(description="A bound space is back, and so is what its binding grants.")
class BindingResumed(Event):
    """BINDING_RESUMED."""

    event_type = Type.BINDING_RESUMED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    workspace: Workspace | None = _of_workspace()
    workspace_name: str = _workspace_name()


WORKSPACE_EVENT_TYPES = (
    WorkspaceCreated,
    WorkspaceUpdated,
    WorkspaceDeleted,
    NamespaceAdded,
    NamespaceRemoved,
    BindingCreated,
    BindingRevoked,
    BindingSuspended,
    BindingResumed,
)
"""Every type of event of a workspace, its namespaces and bindings."""
