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
    health_by_integration_id,
    image_host_aliases,
    integrations_by_id,
)
from models.queries.repositories import REPOSITORIES, repositories_by_id, routine_credentials
from models.queries.spaces import SPACES, SpaceConditions, spaces_by_id
from models.reading import PageRequest
from models.records import (
    AccessTokenRecord,
    AuditEventRecord,
    HealthCheckRecord,
    IntegrationRecord,
    PresentHealthRecord,
    RepositoryRecord,
    RoutineCredentialRecord,
    SpaceRecord,
)
from resolvers.loading import Loader
from resolvers.nested_pages import NestedPageLoader, NestedTotalLoader


class IntegrationByIdLoader(Loader[int, IntegrationRecord | None]):
    """Integrations that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, IntegrationRecord | None]:
        """Return the integrations."""
        return dict(await integrations_by_id(self.database, keys, self.scope.sight))


class HealthByIntegrationIdLoader(Loader[int, PresentHealthRecord | None]):
    """How integrations are that the viewer was shown."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, PresentHealthRecord | None]:
        """Return their health."""
        return dict(await health_by_integration_id(self.database, keys))


class SpaceByIdLoader(Loader[int, SpaceRecord | None]):
    """Spaces that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, SpaceRecord | None]:
        """Return the spaces."""
        return dict(await spaces_by_id(self.database, keys, self.scope.sight))


class AccessTokenByIdLoader(Loader[int, AccessTokenRecord | None]):
    """Access tokens, for administrators alone."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, AccessTokenRecord | None]:
        """Return the tokens' records."""
        if not self.scope.is_platform_admin:
            return {}
        return dict(await access_tokens_by_id(self.database, keys))


class AuditEventByIdLoader(Loader[int, AuditEventRecord | None]):
    """Rows of the audit, for administrators alone."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, AuditEventRecord | None]:
        """Return the rows."""
        if not self.scope.is_platform_admin:
            return {}
        return dict(await audit_events_by_id(self.database, keys))


class ImageHostAliasesByIntegrationIdLoader(Loader[int, list[str]]):
    """Further image hosts."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, list[str]]:
        """Return the hosts, sorted."""
        return await image_host_aliases(self.database, keys)


class SpaceCountByIntegrationIdLoader(Loader[int, int]):
    """How many spaces stand at each integration, of those that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, int]:
        """Return the counts."""
        conditions = SpaceConditions(sight=self.scope.sight)
        return await SPACES.counts(self.database, conditions, parent='s."integration_id"', parent_ids=keys)


class SpacePageLoader(NestedPageLoader[SpaceRecord]):
    """The same page of the spaces of many integrations."""

    reader = SPACES
    parent = 's."integration_id"'
    parent_attribute = "integration_id"


class SpaceTotalLoader(NestedTotalLoader):
    """How many spaces of many integrations meet conditions."""

    reader = SPACES
    parent = 's."integration_id"'


class RepositoryPageLoader(NestedPageLoader[RepositoryRecord]):
    """The same page of the repositories of many spaces."""

    reader = REPOSITORIES
    parent = 'r."space_id"'
    parent_attribute = "space_id"


class RepositoryTotalLoader(NestedTotalLoader):
    """How many repositories of many spaces meet conditions."""

    reader = REPOSITORIES
    parent = 'r."space_id"'


class RepositoryByIdLoader(Loader[int, RepositoryRecord | None]):
    """Repositories of spaces that the viewer may see."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, RepositoryRecord | None]:
        """Return the repositories."""
        return dict(await repositories_by_id(self.database, keys, self.scope.sight))


class RoutineCredentialByIntegrationIdLoader(Loader[int, RoutineCredentialRecord | None]):
    """With what integrations are read, for those who administer them."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, RoutineCredentialRecord | None]:
        """Return the credentials' names."""
        if self.scope.is_platform_admin:
            return dict(await routine_credentials(self.database, keys))
        if not self.scope.administers(self.scope.workspace_id):
            return {}
        return dict(await routine_credentials(self.database, keys, self.scope.sight.workspace_ids))


@dataclass(frozen=True, slots=True)
class ChecksOfIntegration:
    """The latest checks of an integration."""

    integration_id: int
    last: int


class HealthCheckLoader(Loader[ChecksOfIntegration, Sequence[HealthCheckRecord]]):
    """The latest checks of many integrations, with one statement."""

    async def fetch(
        self, keys: Sequence[ChecksOfIntegration]
    ) -> Mapping[ChecksOfIntegration, Sequence[HealthCheckRecord]]:
        """Return the checks, newest first."""
        groups: defaultdict[int, list[ChecksOfIntegration]] = defaultdict(list)
        for key in keys:
            groups[key.last].append(key)
        found: dict[ChecksOfIntegration, Sequence[HealthCheckRecord]] = {}
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
