"""Who may do what with registries: platform administrators everything, a workspace's with what it brought."""

from __future__ import annotations

from models.database import Database
from models.queries.integrations import integrations_by_id
from models.queries.workspaces import workspaces_by_id
from models.records import IntegrationRecord
from services.user_errors import Forbidden, NotFound, Path
from services.viewer import Viewer


async def administered_integration(
    database: Database, viewer: Viewer, integration_id: int, path: Path
) -> IntegrationRecord:
    """Return an integration that the viewer may change. Once is enough: whose it is never changes.

    Raises NotFound for one that the viewer doesn't see, Forbidden for one that is seen.
    """
    found = await integrations_by_id(database, [integration_id], viewer.sight)
    if integration_id not in found:
        raise NotFound("integration", path)
    if not viewer.administers(found[integration_id].workspace_id):
        raise Forbidden("The platform's registries are for platform administrators.", path)
    return found[integration_id]


async def require_may_bring(database: Database, viewer: Viewer, workspace_id: int | None, path: Path) -> None:
    """Raise unless the viewer may bring a registry for a workspace; None stands for the platform.

    Raises NotFound for a workspace that the viewer doesn't see or that is being deleted, and Forbidden.
    """
    if workspace_id is not None:
        found = await workspaces_by_id(database, [workspace_id], viewer.sight)
        if workspace_id not in found or found[workspace_id].deleted_at is not None:
            raise NotFound("workspace", path)
    if not viewer.administers(workspace_id):
        raise Forbidden("Give workspaceId: registries of the platform are for platform administrators.", path)
