"""What is in a repository of Harbor's."""

from collections.abc import Mapping

from registry_clients.errors import UnexpectedAnswer
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.json_fields import parse_object, parse_objects
from registry_clients.harbor.paging import PAGE_SIZE, total_count_of
from registry_clients.harbor.payloads import artifact_of
from registry_clients.harbor.projects import Projects
from registry_clients.harbor.refusals import Caller
from registry_clients.harbor.urls import artifacts_segments, is_harbor_repository, project_segment
from registry_clients.image_reference import is_digest, is_tag
from registry_clients.records import ArtifactPage, FoundArtifact
from registry_clients.transport import RegistryResponse

# Without it every tag is said to be none that a rule keeps (read).
_WITH_TAGS: Mapping[str, str] = {"with_tag": "true", "with_immutable_status": "true"}


class Artifacts:
    """Reads artifacts with their tags and platforms."""

    def __init__(self, api: HarborApi, projects: Projects) -> None:
        self._api = api
        self._projects = projects

    async def list(self, repository_name: str, page: int, page_size: int) -> ArtifactPage | None:
        """Return a page of a repository's artifacts, newest push first; None when there is no such repository.

        The images of an index and accessories (signatures) are in no list (seen on 2.16.0).
        """
        if page < 1 or not 1 <= page_size <= PAGE_SIZE:
            raise ValueError(f"pages count from 1 and hold 1 to {PAGE_SIZE} artifacts")
        query = {"page": str(page), "page_size": str(page_size), "sort": "-push_time", **_WITH_TAGS}
        response = await self._read(repository_name, (), query)
        if response is None:
            return None
        artifacts = tuple(map(artifact_of, parse_objects(response.body, self._api.host)))
        total_count = total_count_of(response)
        is_last = len(artifacts) < page_size if total_count is None else page * page_size >= total_count
        return ArtifactPage(artifacts, total_count, is_last)

    async def look_at(self, repository_name: str, reference: str) -> FoundArtifact | None:
        """Return the artifact that a tag or a digest names, None when there is none.

        Found by its digest is also what is in no list: the images of an index, and accessories.
        """
        if not (is_tag(reference) or is_digest(reference)):
            return None
        response = await self._read(repository_name, (reference,), _WITH_TAGS)
        if response is None:
            return None
        found = artifact_of(parse_object(response.body, self._api.host))
        if reference != found.digest and is_digest(reference):
            raise UnexpectedAnswer(f"{self._api.host} answers with another artifact than was asked for.")
        return found

    async def _read(
        self, repository_name: str, segments: tuple[str, ...], query: Mapping[str, str]
    ) -> RegistryResponse | None:
        if not is_harbor_repository(repository_name):
            return None
        path = (*artifacts_segments(repository_name), *segments)
        call = ApiCall("GET", path, Caller.ROUTINE, query, is_by_name=True)
        response = await self._api.send(call, taken=(200, 403, 404))
        if response.status == 403:
            # To all but administrators a project that isn't there is 403 as well (seen on 2.16.0).
            if await self._projects.look_at(project_segment(repository_name)) is not None:
                raise self._api.refusal(call, response)
            return None
        return None if response.status == 404 else response
