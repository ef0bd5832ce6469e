"""What is in a repository of Harbor's."""

from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.json_fields import parse_objects
from registry_clients.harbor.paging import PAGE_SIZE, total_count_of
from registry_clients.harbor.payloads import artifact_of
from registry_clients.harbor.projects import Projects
from registry_clients.harbor.refusals import Caller
from registry_clients.harbor.urls import project_segment, repository_segment
from registry_clients.records import ArtifactPage


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
        if "/" not in repository_name:
            return None
        segments = ("projects", project_segment(repository_name), "repositories", repository_segment(repository_name))
        call = ApiCall(
            "GET",
            (*segments, "artifacts"),
            Caller.ROUTINE,
            {"page": str(page), "page_size": str(page_size), "sort": "-push_time", "with_tag": "true"},
            is_by_name=True,
        )
        response = await self._api.send(call, taken=(200, 403, 404))
        if response.status == 403:
            # To all but administrators a project that isn't there is 403 as well (seen on 2.16.0).
            if await self._projects.look_at(project_segment(repository_name)) is not None:
                raise self._api.refusal(call, response)
            return None
        if response.status == 404:
            return None
        artifacts = tuple(map(artifact_of, parse_objects(response.body, self._api.host)))
        total_count = total_count_of(response)
        is_last = len(artifacts) < page_size if total_count is None else page * page_size >= total_count
        return ArtifactPage(artifacts, total_count, is_last)
