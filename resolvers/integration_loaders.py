"""The loaders of what integrations are to workspaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.queries.integrations import bound_workspace_counts
from resolvers.loading import Loader


class BoundWorkspaceCountByIntegrationIdLoader(Loader[int, int]):
    """To how many workspaces that the viewer may see the spaces of each integration are given."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, int]:
        """Return the counts."""
        return await bound_workspace_counts(self.database, keys, self.scope.sight)

    def missing(self, key: int) -> int:
        """Return what stands for an integration without bindings."""
        return 0
