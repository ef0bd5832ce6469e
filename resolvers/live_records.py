"""What stands behind artifacts and tags: what a registry told of them, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from models.records import RepositoryRecord
from registry_clients.media_types import IMAGE_CONFIGURATIONS
from registry_clients.records import ArtifactPage, FoundArtifact, FoundTag, PlatformManifest
from resolvers.global_ids import ArtifactKey
from services.live_answers import Told


class ArtifactRecord(Struct, frozen=True):
    """An artifact of a repository, as of a moment."""

    repository: RepositoryRecord
    found: FoundArtifact
    as_of: datetime
    is_stale: bool

    @property
    def id(self) -> ArtifactKey:
        """What tells it from every other."""
        return ArtifactKey(self.repository.id, self.found.digest)

    @property
    def digest(self) -> str:
        """What its content is known by."""
        return self.found.digest

    @property
    def media_type(self) -> str:
        """The type of its manifest."""
        return self.found.media_type

    @property
    def artifact_type(self) -> str | None:
        """What it is where it is no container image."""
        # Some registries call images by the type of their configuration, others call them nothing.
        return None if self.found.artifact_type in IMAGE_CONFIGURATIONS else self.found.artifact_type

    @property
    def size_bytes(self) -> int:
        """Its size, with all that it refers to."""
        return self.found.size_bytes

    @property
    def platforms(self) -> Sequence[PlatformManifest]:
        """The images of an index."""
        return self.found.platforms

    @property
    def pushed_at(self) -> datetime | None:
        """When it came, where that is told."""
        return self.found.pushed_at

    @property
    def pulled_at(self) -> datetime | None:
        """When it was last pulled, where that is told."""
        return self.found.pulled_at

    @property
    def tags(self) -> list[TagRecord]:
        """Its names."""
        return [TagRecord(self.repository, self.found, tag) for tag in self.found.tags]


class TagRecord(Struct, frozen=True):
    """A tag of an artifact."""

    repository: RepositoryRecord
    artifact: FoundArtifact
    found: FoundTag

    @property
    def name(self) -> str:
        """The tag itself."""
        return self.found.name

    @property
    def image(self) -> str:
        """The whole name of the image."""
        return f"{self.repository.image_host}/{self.repository.name}:{self.found.name}"

    @property
    def digest(self) -> str:
        """What it names."""
        return self.artifact.digest

    @property
    def pushed_at(self) -> datetime | None:
        """When it was put there, where that is told."""
        return self.found.pushed_at

    @property
    def is_immutable(self) -> bool | None:
        """Whether it may not be moved, where that is told."""
        return self.found.is_immutable


def artifacts_of(repository: RepositoryRecord, told: Told[ArtifactPage]) -> list[ArtifactRecord]:
    """Return what a page of a repository's artifacts holds."""
    return [ArtifactRecord(repository, found, told.as_of, told.is_stale) for found in told.value.artifacts]


def tags_of(repository: RepositoryRecord, told: Told[ArtifactPage]) -> list[TagRecord]:
    """Return the tags of the artifacts that a page holds."""
    return [TagRecord(repository, found, tag) for found in told.value.artifacts for tag in found.tags]
