"""Who may delete what is in which repository, and what the kind of its registry can delete at all."""

from __future__ import annotations

from models.database import Database, Transaction
from models.queries.repositories import repositories_by_id
from models.queries.spaces import spaces_by_id
from models.records import RepositoryRecord
from registry_clients.kind import Ability
from registry_clients.refusals import NoDeletion
from services.space_input import description_of
from services.user_errors import DeletionRefused, Forbidden, NotFound, Path
from services.viewer import Viewer

NOT_YOURS = "What is in the platform's registries is for platform administrators to delete."


async def deletable_repository(
    readable: Database | Transaction, repository_id: int, viewer: Viewer, what: str, path: Path
) -> RepositoryRecord:
    """Return a repository of which the viewer may delete what it holds, and itself.

    Raises NotFound, of `what`, for one that the viewer doesn't see, and Forbidden for one that is seen.
    """
    record = (await repositories_by_id(readable, [repository_id], viewer.sight)).get(repository_id)
    space = None if record is None else (await spaces_by_id(readable, [record.space_id])).get(record.space_id)
    if record is None or space is None:
        raise NotFound(what, path)
    if not viewer.administers(space.integration_workspace_id):
        raise Forbidden(NOT_YOURS, path)
    return record


async def require_deletes_repositories(
    readable: Database | Transaction, repository: RepositoryRecord, path: Path
) -> None:
    """Raise DeletionRefused where registries of the kind delete no repositories, NotFound where it is gone."""
    space = (await spaces_by_id(readable, [repository.space_id])).get(repository.space_id)
    if space is None:
        raise NotFound("repository", path)
    description = description_of(space.registry_kind)
    if Ability.DELETE_REPOSITORIES not in description.abilities:
        message = (
            f"A {description.title} deletes no repositories. Delete the artifacts in it: it stays in the list of"
            " repositories, and is empty."
        )
        raise DeletionRefused(NoDeletion.NOT_OFFERED, message, path)
