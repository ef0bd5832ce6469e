"""The loaders, named for what they return and by what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.queries.access_tokens import access_tokens_by_id
from models.queries.events import audit_events_by_id
from models.queries.integrations import (
    HEALTH_CHECKS,
    NEWEST_CHECK_FIRST,
    image_host_aliases,
    integrations_by_id,
)
from models.queries.spaces import SPACES, SpaceConditions, spaces_by_id
from models.reading import Page, PageRequest
from models.records import (
    AccessTokenRecord,
    AuditEventRecord,
    HealthCheckRecord,
    IntegrationRecord,
    SpaceRecord,
)
from resolvers.loading import Loader


class IntegrationByIdLoader(Loader[int, IntegrationRecord | None]):
    """Integrations that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, IntegrationRecord | None]:
        """Return the integrations."""
        return dict(await integrations_by_id(self.database, keys))


class SpaceByIdLoader(Loader[int, SpaceRecord | None]):
    """Spaces that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, SpaceRecord | None]:
        """Return the spaces."""
        return dict(await spaces_by_id(self.database, keys))


class AccessTokenByIdLoader(Loader[int, AccessTokenRecord | None]):
    """Access tokens, for administrators alone."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, AccessTokenRecord | None]:
        """Return the tokens' records."""
        if not self.viewer.is_platform_admin:
            return {}
        return dict(await access_tokens_by_id(self.database, keys))


class AuditEventByIdLoader(Loader[int, AuditEventRecord | None]):
    """Rows of the audit, for administrators alone."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, AuditEventRecord | None]:
        """Return the rows."""
        if not self.viewer.is_platform_admin:
            return {}
        return dict(await audit_events_by_id(self.database, keys))


class ImageHostAliasesByIntegrationIdLoader(Loader[int, list[str]]):
    """Further image hosts."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, list[str]]:
        """Return the hosts, sorted."""
        return await image_host_aliases(self.database, keys)


class SpaceCountByIntegrationIdLoader(Loader[int, int]):
    """How many spaces stand at each integration."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, int]:
        """Return the counts."""
        return await SPACES.counts(self.database, SpaceConditions(), parent='s."integration_id"', parent_ids=keys)


@dataclass(frozen=True, slots=True)
class SpacesOfIntegration:
    """A part of the spaces of an integration; `page` is None where only their number is asked for."""

    integration_id: int
    conditions: SpaceConditions
    page: PageRequest | None = None


class SpacePageLoader(Loader[SpacesOfIntegration, Page[SpaceRecord]]):
    """The same page of the spaces of many integrations, with one statement."""

    async def fetch(self, keys: Sequence[SpacesOfIntegration]) -> Mapping[SpacesOfIntegration, Page[SpaceRecord]]:
        """Return the pages."""
        found: dict[SpacesOfIntegration, Page[SpaceRecord]] = {}
        for (conditions, page), group in _grouped(keys).items():
            if page is None:
                continue
            pages = await SPACES.pages(
                self.database,
                page,
                conditions,
                parent='s."integration_id"',
                parent_attribute="integration_id",
                parent_ids=[key.integration_id for key in group],
            )
            found |= {key: pages[key.integration_id] for key in group}
        return found


class SpaceTotalLoader(Loader[SpacesOfIntegration, int]):
    """How many spaces of many integrations meet conditions, with one statement."""

    async def fetch(self, keys: Sequence[SpacesOfIntegration]) -> Mapping[SpacesOfIntegration, int]:
        """Return the counts."""
        found: dict[SpacesOfIntegration, int] = {}
        for (conditions, _), group in _grouped(keys).items():
            counts = await SPACES.counts(
                self.database,
                conditions,
                parent='s."integration_id"',
                parent_ids=[key.integration_id for key in group],
            )
            found |= {key: counts[key.integration_id] for key in group}
        return found


@dataclass(frozen=True, slots=True)
class ChecksOfIntegration:
    """The latest checks of an integration."""

    integration_id: int
    last: int


class HealthCheckLoader(Loader[ChecksOfIntegration, tuple[HealthCheckRecord, ...]]):
    """The latest checks of many integrations, with one statement."""

    async def fetch(
        self, keys: Sequence[ChecksOfIntegration]
    ) -> Mapping[ChecksOfIntegration, tuple[HealthCheckRecord, ...]]:
        """Return the checks, newest first."""
        groups: defaultdict[int, list[ChecksOfIntegration]] = defaultdict(list)
        for key in keys:
            groups[key.last].append(key)
        found: dict[ChecksOfIntegration, tuple[HealthCheckRecord, ...]] = {}
        for last, group in groups.items():
            pages = await HEALTH_CHECKS.pages(
                self.database,
                PageRequest(last, NEWEST_CHECK_FIRST),
                lambda _: [],
                parent='c."integration_id"',
                parent_attribute="integration_id",
                parent_ids=[key.integration_id for key in group],
            )
            found |= {key: pages[key.integration_id].records for key in group}
        return found


def _grouped(
    keys: Sequence[SpacesOfIntegration],
) -> Mapping[tuple[SpaceConditions, PageRequest | None], list[SpacesOfIntegration]]:
    groups: defaultdict[tuple[SpaceConditions, PageRequest | None], list[SpacesOfIntegration]] = defaultdict(list)
    for key in keys:
        groups[(key.conditions, key.page)].append(key)
    return groups
