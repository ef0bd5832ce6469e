"""Harbor's repositories: of one project, and across all."""

from functools import partial

from registry_clients.errors import CredentialRejected
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.json_fields import parse_object, parse_objects
from registry_clients.harbor.paging import PAGE_SIZE, Page, list_everything, total_count_of
from registry_clients.harbor.payloads import repository_of
from registry_clients.harbor.projects import Projects
from registry_clients.harbor.reader_rights import require_reader_rights
from registry_clients.harbor.refusals import Caller
from registry_clients.harbor.urls import is_harbor_repository, project_segment, repository_segments
from registry_clients.records import FoundRepository, FoundSpace, RegistryContents


class Repositories:
    """Reads the repositories of one Harbor."""

    def __init__(self, api: HarborApi, projects: Projects) -> None:
        self._api = api
        self._projects = projects

    async def list(self) -> tuple[FoundRepository, ...]:
        """Return every repository of all projects, sorted by name."""
        await require_reader_rights(self._api)
        return await self._everything(("repositories",), is_by_name=False)

    async def list_of(self, space: FoundSpace) -> tuple[FoundRepository, ...]:
        """Return the repositories of one project, sorted by name; none when it is gone.

        A project made again under an old name is another: none of its repositories are returned.
        """
        try:
            found = await self._everything(("projects", space.name, "repositories"), is_by_name=True)
        except CredentialRejected as error:
            if error.http_status != 403 or await self._projects.look_at(space.name) is not None:
                raise
            return ()
        return tuple(repository for repository in found if repository.space_external_id == space.external_id)

    async def look_at(self, repository_name: str) -> FoundRepository | None:
        """Return a repository by its whole name, None when there is none."""
        if not is_harbor_repository(repository_name):
            return None
        call = ApiCall("GET", repository_segments(repository_name), Caller.ROUTINE, is_by_name=True)
        response = await self._api.send(call, taken=(200, 403, 404))
        if response.status == 403 and await self._projects.look_at(project_segment(repository_name)) is not None:
            raise self._api.refusal(call, response)
        return repository_of(parse_object(response.body, self._api.host)) if response.status == 200 else None

    async def list_contents(self) -> RegistryContents:
        """Return all projects and all their repositories.

        Repositories first: one whose project goes in between is left out, and none is without its project.
        """
        repositories = await self.list()
        spaces = await self._projects.list()
        known = {space.external_id for space in spaces}
        return RegistryContents(
            spaces=spaces,
            repositories=tuple(found for found in repositories if found.space_external_id in known),
        )

    async def _everything(self, segments: tuple[str, ...], *, is_by_name: bool) -> tuple[FoundRepository, ...]:
        read_page = partial(self._page, segments, is_by_name)
        found = await list_everything(read_page, lambda repository: repository.name, self._api.host)
        return tuple(sorted(found, key=lambda repository: repository.name))

    async def _page(self, segments: tuple[str, ...], is_by_name: bool, number: int) -> Page[FoundRepository]:
        query = {"page": str(number), "page_size": str(PAGE_SIZE), "sort": "name"}
        call = ApiCall("GET", segments, Caller.ROUTINE, query, is_by_name=is_by_name)
        response = await self._api.send(call, taken=(200, 404) if is_by_name else (200,))
        if response.status == 404:
            return Page((), 0)
        return Page(tuple(map(repository_of, parse_objects(response.body, self._api.host))), total_count_of(response))
