"""What is asked of registries while somebody waits, and what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from models.enums import HealthReason
from registry_clients.errors import UnexpectedAnswer
from registry_clients.image_reference import is_digest, is_tag
from registry_clients.protocol import ListsArtifacts
from registry_clients.records import ArtifactPage, FoundArtifact

T = TypeVar("T")

NO_ARTIFACTS = ArtifactPage((), 0, is_last=True)


@dataclass(frozen=True, slots=True)
class Wanted(ABC, Generic[T]):
    """Something that a registry can be asked; equal ones are asked once."""

    integration_id: int
    repository_name: str

    @abstractmethod
    async def ask(self, client: ListsArtifacts) -> T:
        """Return what the registry says. Raises RegistryError."""


@dataclass(frozen=True, slots=True)
class ArtifactsWanted(Wanted[ArtifactPage]):
    """A page of what is in a repository, by the registry's own pages, which count from 1."""

    page: int
    page_size: int

    async def ask(self, client: ListsArtifacts) -> ArtifactPage:
        """Return the page; of a repository that isn't there, or not any more, an empty one."""
        page = await client.list_artifacts(self.repository_name, page=self.page, page_size=self.page_size)
        if page is None:
            return NO_ARTIFACTS
        _require_proper_names(page.artifacts)
        return page


@dataclass(frozen=True, slots=True)
class ArtifactWanted(Wanted[FoundArtifact | None]):
    """One artifact."""

    digest: str

    async def ask(self, client: ListsArtifacts) -> FoundArtifact | None:
        """Return the artifact, None when there is none."""
        artifact = await client.look_at_artifact(self.repository_name, self.digest)
        if artifact is not None:
            _require_proper_names([artifact])
        return artifact


def _require_proper_names(artifacts: Sequence[FoundArtifact]) -> None:
    """Raise UnexpectedAnswer where a digest or tag has not the form of one: people paste them into their shells."""
    for artifact in artifacts:
        digests = [artifact.digest, *(platform.digest for platform in artifact.platforms)]
        if not all(map(is_digest, digests)) or not all(is_tag(tag.name) for tag in artifact.tags):
            raise UnexpectedAnswer("It answers with digests or tags that no registry has.")


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a registry could not be asked. `message` says more, to those who administer what is the workspace's."""

    reason: HealthReason
    message: str | None
    workspace_id: int | None
    """The workspace that brought the registry, None for the platform's."""


class IntegrationGone(Exception):
    """The integration was removed meanwhile, or can't be used at all."""


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What a registry said. `as_of` is when it was asked; it `is_stale` where it could not be asked again."""

    value: T
    as_of: datetime
    is_stale: bool = False


NotTold = Unavailable | Exception
"""Why nothing is known. An exception is one that nobody foresaw, or says itself what it is."""
