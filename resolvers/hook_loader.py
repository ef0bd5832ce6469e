"""The loader of where registries send their notifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.queries.hooks import hooks_of_integrations
from models.records import HookRecord
from resolvers.loading import Loader


class HookByIntegrationIdLoader(Loader[int, HookRecord | None]):
    """Hooks of registries, for those who administer them."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, HookRecord | None]:
        """Return the hooks."""
        if self.scope.is_platform_admin:
            return dict(await hooks_of_integrations(self.database, keys))
        if not self.scope.administers(self.scope.workspace_id):
            return {}
        return dict(await hooks_of_integrations(self.database, keys, self.scope.sight.workspace_ids))
