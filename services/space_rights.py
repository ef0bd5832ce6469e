"""Who may change which space."""

from __future__ import annotations

from collections.abc import Mapping

from models.database import Database, Transaction
from models.queries.spaces import spaces_by_id
from models.records import SpaceRecord
from services.space_registries import gone
from services.user_errors import Forbidden, NotFound, Path, UserError, UserErrors
from services.viewer import Viewer

NOT_YOURS = "Spaces of the platform's registries are for platform administrators to change."


async def changeable_spaces(
    readable: Database | Transaction, paths: Mapping[int, Path], viewer: Viewer
) -> dict[int, SpaceRecord]:
    """Return spaces that stand and that the viewer may change, in the order of their ids in `paths`.

    Raises UserErrors with NotFound, Forbidden, and InvalidInput for one that is gone, each with the path of its id.
    """
    records = await spaces_by_id(readable, list(paths), viewer.sight)
    errors: list[UserError] = []
    for id_, path in paths.items():
        record = records.get(id_)
        if record is None:
            errors.append(NotFound("space", path))
        elif not viewer.administers(record.integration_workspace_id):
            errors.append(Forbidden(NOT_YOURS, path))
        elif not record.is_standing:
            errors.append(gone(record.name, path))
    if errors:
        raise UserErrors(errors)
    return {id_: records[id_] for id_ in paths}
