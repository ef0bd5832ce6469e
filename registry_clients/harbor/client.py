"""A Harbor: all that there is to see and to do of it over its API, each part in a file of its own."""

import time
from collections.abc import Callable

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.harbor.api import HarborApi
from registry_clients.harbor.artifacts import Artifacts
from registry_clients.harbor.audit_log import AuditLog
from registry_clients.harbor.deletions import Deletions
from registry_clients.harbor.health import Health
from registry_clients.harbor.paging import PAGE_SIZE
from registry_clients.harbor.project_changes import ProjectChanges
from registry_clients.harbor.projects import Projects
from registry_clients.harbor.reader_robots import ReaderRobots
from registry_clients.harbor.repositories import Repositories
from registry_clients.harbor.storage import Storage
from registry_clients.harbor.verification import Verifier
from registry_clients.kind import RegistryKind
from registry_clients.records import (
    ArtifactPage,
    ChangePage,
    FoundArtifact,
    FoundRepository,
    FoundSpace,
    ProbeAnswer,
    ReaderCredential,
    ReaderState,
    RegistryContents,
    SpaceSummary,
    StorageStatistics,
    Verification,
)
from registry_clients.transport import RegistryTransport, TransportSettings


class HarborClient:
    """Speaks to one Harbor: reads as the reader robot where there is one, the rest as the administrator."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        credential: Credential | None,
        transport: RegistryTransport,
        settings: TransportSettings,
        reader: Credential | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take over the transport: `aclose` closes it. ``clock`` gives seconds that never go back."""
        self._transport = transport
        api = HarborApi(endpoint, credential, transport, settings, reader)
        self._verifier = Verifier(api, endpoint, transport)
        self._health = Health(api, clock)
        self._projects = Projects(api)
        self._repositories = Repositories(api, self._projects)
        self._artifacts = Artifacts(api, self._projects)
        self._deletions = Deletions(api, self._projects, self._repositories, self._artifacts)
        self._storage = Storage(api, self._projects)
        self._project_changes = ProjectChanges(api)
        self._audit_log = AuditLog(api, clock)
        self._reader_robots = ReaderRobots(api)

    @property
    def kind(self) -> RegistryKind:
        """Always HARBOR."""
        return RegistryKind.HARBOR

    async def verify(self) -> Verification:
        """Find out whether this is a Harbor and the credential an administrator's; see `Verifier`."""
        return await self._verifier.verify()

    async def probe(self) -> ProbeAnswer:
        """Find out whether Harbor works and lets our routine credential in; see `Health`."""
        return await self._health.probe()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def list_spaces(self) -> tuple[FoundSpace, ...]:
        """Return every project, sorted by name."""
        return await self._projects.list()

    async def list_repositories(self, space: FoundSpace | None = None) -> tuple[FoundRepository, ...]:
        """Return every repository, or those of one project, sorted by name."""
        return await self._repositories.list() if space is None else await self._repositories.list_of(space)

    async def list_contents(self) -> RegistryContents:
        """Return all projects and their repositories."""
        return await self._repositories.list_contents()

    async def look_at_space(self, name: str) -> FoundSpace | None:
        """Return the project of a name, None when there is none."""
        return await self._projects.look_at(name)

    async def look_at_repositories(self, space: FoundSpace) -> tuple[FoundRepository, ...]:
        """Return the repositories of a project, sorted by name; none when it is gone."""
        return await self._repositories.list_of(space)

    async def list_artifacts(
        self, repository_name: str, *, page: int = 1, page_size: int = PAGE_SIZE
    ) -> ArtifactPage | None:
        """Return a page of a repository's artifacts, None when there is no such repository."""
        return await self._artifacts.list(repository_name, page, page_size)

    async def look_at_artifact(self, repository_name: str, reference: str) -> FoundArtifact | None:
        """Return the artifact that a tag or a digest names, None when there is none."""
        return await self._artifacts.look_at(repository_name, reference)

    async def delete_artifact(self, repository_name: str, digest: str) -> None:
        """Delete an artifact, its tags and its signatures; see `Deletions`."""
        await self._deletions.delete_artifact(repository_name, digest)

    async def delete_tag(self, repository_name: str, tag: str) -> None:
        """Delete a tag alone; see `Deletions`."""
        await self._deletions.delete_tag(repository_name, tag)

    async def delete_repository(self, repository_name: str) -> None:
        """Delete a repository with all that it holds; see `Deletions`."""
        await self._deletions.delete_repository(repository_name)

    async def read_storage_statistics(self) -> StorageStatistics:
        """Return what Harbor stores and hasn't collected yet."""
        return await self._storage.read_statistics()

    async def summarize_space(self, space: FoundSpace) -> SpaceSummary | None:
        """Return what a project holds by its quota, None when it is gone."""
        return await self._storage.summarize(space)

    async def create_space(self, name: str, *, is_public: bool, quota_limit_bytes: int | None = None) -> FoundSpace:
        """Make a project."""
        return await self._project_changes.create(name, is_public=is_public, quota_limit_bytes=quota_limit_bytes)

    async def set_visibility(self, space: FoundSpace, *, is_public: bool) -> None:
        """Open a project to everybody, or close it."""
        await self._project_changes.set_visibility(space, is_public=is_public)

    async def delete_space(self, space: FoundSpace) -> None:
        """Delete a project that holds no repository."""
        await self._project_changes.delete(space)

    async def newest_change(self) -> int | None:
        """Return the id of the audit log's newest entry."""
        return await self._audit_log.newest()

    async def changes_after(self, change_id: int) -> ChangePage:
        """Return what the audit log tells after an id."""
        return await self._audit_log.after(change_id)

    async def check_feed(self) -> None:
        """Find out whether the audit log is kept; see `AuditLog`."""
        await self._audit_log.check()

    async def make_reader(self, marker: str) -> ReaderCredential:
        """Make a reader robot."""
        return await self._reader_robots.make(marker)

    async def look_at_reader(self, external_id: str) -> ReaderState:
        """Return how a reader robot of ours stands."""
        return await self._reader_robots.look_at(external_id)

    async def refresh_reader(self, external_id: str) -> str | None:
        """Return the present name of a reader robot of ours, None when it is of no use any more."""
        return await self._reader_robots.refresh(external_id)

    async def remove_reader(self, external_id: str) -> None:
        """Delete a reader robot of ours."""
        await self._reader_robots.remove(external_id)

    async def remove_stray_readers(self, marker: str, but: str | None) -> int:
        """Delete all reader robots with our marker but one."""
        return await self._reader_robots.remove_strays(marker, but)
