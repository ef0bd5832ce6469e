"""Mutations of what is in repositories."""

from __future__ import annotations

from resolvers.context import Info
from resolvers.live_records import ArtifactRecord, TagRecord
from resolvers.permission import Access
from schema.arguments import input_artifact, input_key
from schema.artifact import Artifact, Tag
from schema.content_changes import (
    DeleteArtifactInput,
    DeleteArtifactPayload,
    DeleteRepositoryInput,
    DeleteRepositoryPayload,
    DeleteTagInput,
    DeleteTagPayload,
    deleting,
)
from schema.declaring import mutation
from schema.node import backed
from schema.repository import Repository
from schema.scalars import Count


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    DeleteRepositoryPayload,
    "Delete a repository at its registry, with all that it holds. A Docker Registry deletes none. Workspace "
    "administrators delete what is in the registries that their workspace brought.",
)
async def delete_repository(info: Info, input: DeleteRepositoryInput) -> DeleteRepositoryPayload:  # noqa: A002
    """Delete a repository."""
    key = input_key(input.id, "Repository", "repository")
    deleted = await info.context.services.content_deleter.delete_repository(key, input.dry_run, info.context.viewer)
    count = deleted.contents.artifact_count
    return DeleteRepositoryPayload(
        repository=backed(Repository, deleted.repository),
        artifact_count=None if count is None else Count(count),
        **deleting(deleted.contents.tags),
    )


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    DeleteArtifactPayload,
    "Delete an artifact at its registry, with all its tags. A Harbor deletes with an index those of its images that "
    "have no tag, and with an image its signatures; a Docker Registry leaves them. The space comes back when the "
    "registry collects its garbage.",
)
async def delete_artifact(info: Info, input: DeleteArtifactInput) -> DeleteArtifactPayload:  # noqa: A002
    """Delete an artifact."""
    key = input_artifact(input.id)
    deleted = await info.context.services.content_deleter.delete_artifact(
        key.repository_id, key.digest, input.dry_run, info.context.viewer
    )
    record = ArtifactRecord(deleted.repository, deleted.found, deleted.as_of, is_stale=False)
    return DeleteArtifactPayload(artifact=backed(Artifact, record), **deleting(deleted.tags))


@mutation(
    Access.WORKSPACE_ADMINISTRATORS,
    DeleteTagPayload,
    "Delete a tag at its registry. Its artifact stays, if need be without any. A Docker Registry does so from version "
    "3 on.",
)
async def delete_tag(info: Info, input: DeleteTagInput) -> DeleteTagPayload:  # noqa: A002
    """Delete a tag."""
    key = input_key(input.repository_id, "Repository", "repository", "repositoryId")
    deleted = await info.context.services.content_deleter.delete_tag(
        key, input.name, input.dry_run, info.context.viewer
    )
    record = TagRecord(deleted.repository, deleted.artifact, deleted.found)
    return DeleteTagPayload(tag=backed(Tag, record), **deleting(deleted.tags))


CONTENT_MUTATIONS = (delete_repository, delete_artifact, delete_tag)
"""For the root."""
