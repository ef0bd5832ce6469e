"""Mutations of spaces."""

from __future__ import annotations

from resolvers.context import Info
from resolvers.permission import Access
from schema.arguments import input_key, input_keys
from schema.declaring import mutation
from schema.loss import losing
from schema.node import backed
from schema.space import Space
from schema.space_changes import (
    CreateSpaceInput,
    CreateSpacePayload,
    DeleteSpaceInput,
    DeleteSpacePayload,
    SetSpaceVisibilityInput,
    SetSpaceVisibilityPayload,
)
from schema.user_error import shown
from services.space_input import NewSpace


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    CreateSpacePayload,
    "Make a space at a registry. On a Docker Registry, where spaces come with their first image, it is declared here, "
    "so that it can be given to workspaces before that. Workspace administrators use the registries that their "
    "workspace brought.",
)
async def create_space(info: Info, input: CreateSpaceInput) -> CreateSpacePayload:  # noqa: A002
    """Create a space."""
    integration_id = input_key(input.integration_id, "Integration", "integration", "integrationId")
    new = NewSpace(integration_id, input.name, input.visibility, input.storage_limit_bytes)
    space = await info.context.services.space_changer.create(new, info.context.viewer)
    return CreateSpacePayload(space=backed(Space, space))


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    SetSpaceVisibilityPayload,
    "Open spaces to every namespace, or close them to all but those of bound workspaces: at their registries where "
    "these know of it, else here. Each that can be changed is; for each other one there is an error.",
)
async def set_space_visibility(
    info: Info,
    input: SetSpaceVisibilityInput,  # noqa: A002
) -> SetSpaceVisibilityPayload:
    """Open or close spaces."""
    keys = input_keys(input.ids, "Space", "space", "ids")
    viewer = info.context.viewer
    changed = await info.context.services.space_changer.set_visibility(keys, input.visibility, input.dry_run, viewer)
    return SetSpaceVisibilityPayload(
        spaces=[backed(Space, space) for space in changed.spaces],
        errors=[shown(error, viewer.scope) for error in changed.errors],
        **losing(changed.losses),
    )


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    DeleteSpacePayload,
    "Delete an empty space at its registry, and take it back from all workspaces. On a Docker Registry only one that "
    "was declared, and holds no image yet, can be taken back.",
)
async def delete_space(info: Info, input: DeleteSpaceInput) -> DeleteSpacePayload:  # noqa: A002
    """Delete a space."""
    key = input_key(input.id, "Space", "space")
    deleted = await info.context.services.space_changer.delete(key, input.dry_run, info.context.viewer)
    return DeleteSpacePayload(space=backed(Space, deleted.space), **losing(deleted.losses))


SPACE_MUTATIONS = (create_space, set_space_visibility, delete_space)
"""For the root."""
