"""Mutations of workspaces, their namespaces, and the bindings between spaces and workspaces."""

from __future__ import annotations

import strawberry

from resolvers.context import Info
from resolvers.global_ids import global_id
from resolvers.permission import Access
from resolvers.workspace_loaders import WorkspaceByIdLoader
from schema.arguments import input_key, input_keys
from schema.binding import Binding
from schema.binding_changes import BindSpacesInput, BindSpacesPayload, UnbindSpacesInput, UnbindSpacesPayload
from schema.declaring import mutation
from schema.loss import losing
from schema.node import backed, backed_if_any
from schema.workspace import Namespace, Workspace
from schema.workspace_changes import (
    AddNamespacesInput,
    AddNamespacesPayload,
    CreateWorkspaceInput,
    CreateWorkspacePayload,
    DeleteWorkspaceInput,
    DeleteWorkspacePayload,
    RemoveNamespacesInput,
    RemoveNamespacesPayload,
    UpdateWorkspaceInput,
    UpdateWorkspacePayload,
    UpsertWorkspaceInput,
    UpsertWorkspacePayload,
)

ADMINISTRATORS = Access.PLATFORM_ADMINISTRATORS


@mutation(ADMINISTRATORS, CreateWorkspacePayload, "Make a workspace, without namespaces.")
async def create_workspace(info: Info, input: CreateWorkspaceInput) -> CreateWorkspacePayload:  # noqa: A002
    """Create a workspace."""
    services, by = info.context.services, info.context.viewer.name
    changed = await services.workspaces.create(input.to_service(), by)
    return CreateWorkspacePayload(workspace=backed_if_any(Workspace, changed.workspace))


@mutation(ADMINISTRATORS, UpdateWorkspacePayload, "Change a workspace's name, external id or labels.")
async def update_workspace(info: Info, input: UpdateWorkspaceInput) -> UpdateWorkspacePayload:  # noqa: A002
    """Update a workspace."""
    services, by = info.context.services, info.context.viewer.name
    key = input_key(input.id, "Workspace", "workspace")
    changed = await services.workspaces.update(key, input.to_service(), by)
    return UpdateWorkspacePayload(workspace=backed_if_any(Workspace, changed.workspace))


@mutation(
    ADMINISTRATORS,
    UpsertWorkspacePayload,
    "Keep a workspace in step with a tenant of the platform's own, by its external id: it is made or changed, and its "
    "namespaces are those that are given. The same call again changes nothing.",
)
async def upsert_workspace(info: Info, input: UpsertWorkspaceInput) -> UpsertWorkspacePayload:  # noqa: A002
    """Make or update a workspace."""
    services, by = info.context.services, info.context.viewer.name
    changed = await services.workspaces.upsert(input.external_id, input.to_service(), input.dry_run, by)
    return UpsertWorkspacePayload(
        workspace=backed_if_any(Workspace, changed.workspace),
        is_created=changed.is_created,
        **losing(changed.losses),
    )


@mutation(
    ADMINISTRATORS,
    DeleteWorkspacePayload,
    "Delete a workspace with its namespaces, bindings and access tokens. Where something it was given is in force, "
    "it stands, being deleted, until that is taken away.",
)
async def delete_workspace(info: Info, input: DeleteWorkspaceInput) -> DeleteWorkspacePayload:  # noqa: A002
    """Delete a workspace."""
    services, by = info.context.services, info.context.viewer.name
    key = input_key(input.id, "Workspace", "workspace")
    changed = await services.workspaces.delete(key, input.dry_run, by)
    # Losses speak of its namespaces, whose workspace may be gone by now.
    info.context.loader(WorkspaceByIdLoader).prime(key, changed.workspace)
    return DeleteWorkspacePayload(workspace=backed_if_any(Workspace, changed.workspace), **losing(changed.losses))


@mutation(ADMINISTRATORS, AddNamespacesPayload, "Give Kubernetes namespaces to a workspace: all of them, or none.")
async def add_namespaces(info: Info, input: AddNamespacesInput) -> AddNamespacesPayload:  # noqa: A002
    """Add namespaces."""
    services, by = info.context.services, info.context.viewer.name
    key = input_key(input.workspace_id, "Workspace", "workspace", "workspaceId")
    changed = await services.workspaces.add_namespaces(key, [each.to_service() for each in input.namespaces], by)
    return AddNamespacesPayload(
        workspace=backed_if_any(Workspace, changed.workspace),
        namespaces=[backed(Namespace, each) for each in changed.namespaces],
    )


@mutation(ADMINISTRATORS, RemoveNamespacesPayload, "Take namespaces from a workspace: all of them, or none.")
async def remove_namespaces(info: Info, input: RemoveNamespacesInput) -> RemoveNamespacesPayload:  # noqa: A002
    """Remove namespaces."""
    services, by = info.context.services, info.context.viewer.name
    key = input_key(input.workspace_id, "Workspace", "workspace", "workspaceId")
    names = [each.to_service() for each in input.namespaces]
    changed = await services.workspaces.remove_namespaces(key, names, input.dry_run, by)
    return RemoveNamespacesPayload(
        workspace=backed_if_any(Workspace, changed.workspace),
        namespaces=[backed(Namespace, each) for each in changed.namespaces],
        **losing(changed.losses),
    )


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    BindSpacesPayload,
    "Give spaces to workspaces: each of the spaces to each of the workspaces, all of it or nothing. What is bound "
    "already stays. Workspace administrators bind what lies at registries that their workspace brought.",
)
async def bind_spaces(info: Info, input: BindSpacesInput) -> BindSpacesPayload:  # noqa: A002
    """Bind spaces."""
    bindings = await info.context.services.binder.bind(
        input_keys(input.space_ids, "Space", "space", "spaceIds"),
        input_keys(input.workspace_ids, "Workspace", "workspace", "workspaceIds"),
        info.context.viewer,
    )
    return BindSpacesPayload(bindings=[backed(Binding, each) for each in bindings])


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    UnbindSpacesPayload,
    "Take spaces back from workspaces: all of them, or none. What may be in force somewhere stays as REVOKING until "
    "that is taken away, and gives no access meanwhile.",
)
async def unbind_spaces(info: Info, input: UnbindSpacesInput) -> UnbindSpacesPayload:  # noqa: A002
    """Unbind spaces."""
    keys = input_keys(input.binding_ids, "Binding", "binding", "bindingIds")
    unbound = await info.context.services.binder.unbind(keys, input.dry_run, info.context.viewer)
    return UnbindSpacesPayload(
        bindings=[backed(Binding, each) for each in unbound.bindings],
        removed_binding_ids=[strawberry.ID(global_id("Binding", key)) for key in unbound.removed_ids],
        **losing(unbound.losses),
    )


WORKSPACE_MUTATIONS = (
    create_workspace,
    upsert_workspace,
    update_workspace,
    delete_workspace,
    add_namespaces,
    remove_namespaces,
    bind_spaces,
    unbind_spaces,
)
"""All of them, in the order of the surface."""
