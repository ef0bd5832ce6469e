"""The loader of the overview: only those of its parts are counted that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from models.queries.overview import (
    binding_counts,
    integration_counts,
    space_counts,
    storage_of_integrations,
    storage_of_spaces,
    workspace_count,
)
from resolvers.loading import Loader


class OverviewPart(Enum):
    """What is counted at once."""

    INTEGRATIONS = "integrations"
    SPACES = "spaces"
    STORAGE = "storage"
    WORKSPACES = "workspaces"
    BINDINGS = "bindings"


class OverviewLoader(Loader[OverviewPart, Any]):
    """The parts of the overview, of what the viewer may see."""

    async def fetch(self, keys: Sequence[OverviewPart]) -> Mapping[OverviewPart, Any]:
        """Return the parts, each as `models.queries.overview` counts it."""
        return {key: await self._count(key) for key in keys}

    async def _count(self, part: OverviewPart) -> object:
        database, sight = self.database, self.scope.sight
        match part:
            case OverviewPart.INTEGRATIONS:
                return await integration_counts(database, sight)
            case OverviewPart.SPACES:
                return await space_counts(database, sight)
            case OverviewPart.STORAGE:
                if self.scope.is_platform_admin:
                    return await storage_of_integrations(database)
                return await storage_of_spaces(database, sight)
            case OverviewPart.WORKSPACES:
                return await workspace_count(database, sight)
            case OverviewPart.BINDINGS:
                return await binding_counts(database, sight)
