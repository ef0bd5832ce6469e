"""Artifacts by their ids: their registries are asked, as nothing of them is stored."""

from __future__ import annotations

from resolvers.context import RequestContext
from resolvers.global_ids import InvalidId, parse_artifact_id
from resolvers.live_records import ArtifactRecord
from resolvers.loaders import RepositoryByIdLoader
from schema.live_connection import error_for
from schema.node import Node, backed
from services.live_answers import ArtifactWanted, Told


async def artifact_node(context: RequestContext, node_id: str) -> Node | Exception | None:
    """Return the artifact with an id; None for one that isn't there or that the viewer may not see.

    An exception is why its registry could not be asked.
    """
    try:
        key = parse_artifact_id(node_id)
    except InvalidId:
        return None
    repository = await context.loader(RepositoryByIdLoader).load(key.repository_id)
    if repository is None:
        return None
    wanted = ArtifactWanted(repository.integration_id, repository.name, key.digest)
    (told,) = await context.live.told([wanted])
    if not isinstance(told, Told):
        return error_for(told, context.scope)
    found = told.value
    return None if found is None else backed(Node, ArtifactRecord(repository, found, told.as_of, told.is_stale))
