"""The loaders of what registries and spaces hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.queries.usage import (
    Span,
    history_of_integrations,
    history_of_spaces,
    usage_of_integrations,
    usage_of_spaces,
)
from models.records import UsagePointRecord, UsageRecord
from resolvers.loading import Loader


class UsageByIntegrationIdLoader(Loader[int, UsageRecord | None]):
    """What registries hold, for those who administer them."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, UsageRecord | None]:
        """Return what was measured."""
        if self.scope.is_platform_admin:
            return dict(await usage_of_integrations(self.database, keys))
        if not self.scope.administers(self.scope.workspace_id):
            return {}
        return dict(await usage_of_integrations(self.database, keys, self.scope.sight.workspace_ids))


class UsageBySpaceIdLoader(Loader[int, UsageRecord | None]):
    """What spaces hold that the viewer was shown."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, UsageRecord | None]:
        """Return what was measured."""
        return dict(await usage_of_spaces(self.database, keys))


@dataclass(frozen=True, slots=True)
class HistoryWanted:
    """What one integration or space held in a time."""

    owner_id: int
    span: Span


class _HistoryLoader(Loader[HistoryWanted, Sequence[UsagePointRecord]]):
    """What each of several held, with one statement for each time that is asked for."""

    async def fetch(self, keys: Sequence[HistoryWanted]) -> Mapping[HistoryWanted, Sequence[UsagePointRecord]]:
        """Return the points, oldest first."""
        groups: defaultdict[Span, list[int]] = defaultdict(list)
        for key in keys:
            groups[key.span].append(key.owner_id)
        found: dict[HistoryWanted, Sequence[UsagePointRecord]] = {}
        for span, ids in groups.items():
            points = await self.points(ids, span)
            found |= {HistoryWanted(id_, span): points[id_] for id_ in ids}
        return found

    async def points(self, ids: Sequence[int], span: Span) -> dict[int, list[UsagePointRecord]]:
        """Return the points of each, oldest first."""
        raise NotImplementedError


class HistoryOfIntegrationLoader(_HistoryLoader):
    """What registries held."""

    async def points(self, ids: Sequence[int], span: Span) -> dict[int, list[UsagePointRecord]]:
        """Return the points of each, oldest first."""
        return await history_of_integrations(self.database, ids, span)


class HistoryOfSpaceLoader(_HistoryLoader):
    """What spaces held."""

    async def points(self, ids: Sequence[int], span: Span) -> dict[int, list[UsagePointRecord]]:
        """Return the points of each, oldest first."""
        return await history_of_spaces(self.database, ids, span)
