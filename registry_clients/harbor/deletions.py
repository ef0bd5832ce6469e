"""Deleting artifacts, tags and repositories, as the administrator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from registry_clients.errors import ReadOnly, UnexpectedAnswer
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.artifacts import Artifacts
from registry_clients.harbor.projects import Projects
from registry_clients.harbor.refusals import Caller, says
from registry_clients.harbor.repositories import Repositories
from registry_clients.harbor.urls import artifacts_segments, is_harbor_repository, project_segment, repository_segments
from registry_clients.image_reference import is_digest, is_tag
from registry_clients.refusals import DeletionRefused, NoDeletion
from registry_clients.transport import RegistryResponse

# Harbor's own words (read; the second seen on 2.16.0 as well).
_IMMUTABLE_SIGN = "configured as immutable"
_IN_USE_SIGN = "referenced by others"


class Deletions:
    """Deletes what is in repositories. What is gone, or can't ever have been there, is left at that.

    Raises ReadOnly and DeletionRefused: for a tag that a rule keeps, with its artifact and its repository, and for an
    image that an index needs.
    """

    def __init__(self, api: HarborApi, projects: Projects, repositories: Repositories, artifacts: Artifacts) -> None:
        self._api = api
        self._projects = projects
        self._repositories = repositories
        self._artifacts = artifacts

    async def delete_artifact(self, repository_name: str, digest: str) -> None:
        """Delete an artifact with its tags and its signatures; of an index, its images that have no tag."""
        if is_harbor_repository(repository_name) and is_digest(digest):
            segments = (*artifacts_segments(repository_name), digest)
            await self._delete(repository_name, segments, partial(self._artifacts.look_at, repository_name, digest))

    async def delete_tag(self, repository_name: str, tag: str) -> None:
        """Delete a tag; its artifact stands, if need be without any."""
        if is_harbor_repository(repository_name) and is_tag(tag):
            segments = (*artifacts_segments(repository_name), tag, "tags", tag)
            await self._delete(repository_name, segments, partial(self._artifacts.look_at, repository_name, tag))

    async def delete_repository(self, repository_name: str) -> None:
        """Delete a repository with all that it holds."""
        if is_harbor_repository(repository_name):
            segments = repository_segments(repository_name)
            await self._delete(repository_name, segments, partial(self._repositories.look_at, repository_name))

    async def _delete(
        self, repository_name: str, segments: tuple[str, ...], look: Callable[[], Awaitable[object]]
    ) -> None:
        """Delete what is at a path. ``look`` says None when it isn't there."""
        call = ApiCall("DELETE", segments, Caller.ADMINISTRATOR, is_by_name=True)
        response = await self._api.send(call, taken=(200, 403, 404, 412))
        if response.status == 200 and response.body:
            # Harbor says nothing. A page of somebody in between is not its word.
            raise UnexpectedAnswer(f"{self._api.host} answers a deletion with a page: was it asked at all?")
        if response.status == 412:
            raise self._refused(response)
        if response.status == 403:
            refusal = self._api.refusal(call, response)
            if isinstance(refusal, ReadOnly):
                raise refusal
            # To all but administrators a project that isn't there is 403 as well (seen on 2.16.0).
            if await self._projects.look_at(project_segment(repository_name)) is not None:
                raise refusal
        # Not only what isn't there is 404: seen on 2.16.0, a repository whose project has no quota is, and stays.
        if response.status == 404 and await look() is not None:
            message = f"{self._api.host} doesn't delete it."
            raise DeletionRefused(NoDeletion.OTHER, message, registry_message=self._api.words_of(response))

    def _refused(self, response: RegistryResponse) -> DeletionRefused:
        host = self._api.host
        if says(response, _IMMUTABLE_SIGN):
            reason, message = NoDeletion.IMMUTABLE, f"A rule at {host} keeps a tag of it: it is immutable."
        elif says(response, _IN_USE_SIGN):
            reason, message = NoDeletion.IN_USE, f"Something else at {host} needs it: delete that first."
        else:
            reason, message = NoDeletion.OTHER, f"{host} doesn't delete it."
        return DeletionRefused(reason, message, registry_message=self._api.words_of(response))
