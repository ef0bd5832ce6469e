"""What registries tell us, as frozen records."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from registry_clients.endpoint import Credential
from registry_clients.kind import RegistryKind


@dataclass(frozen=True, slots=True)
class Verification:
    """A registry is what it was said to be, and what we have is enough to use it.

    ``version`` is None where the registry doesn't tell. ``is_credential_verified`` is False when there is no
    credential, or when the registry let us in without asking for it: then nobody knows whether it is good.
    """

    kind: RegistryKind
    version: str | None
    is_credential_verified: bool


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """One part of a registry, by its own account. ``message`` is its words, for administrators."""

    name: str
    is_healthy: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """A registry works. ``latency_milliseconds`` is the time of its lightest call, connecting included."""

    latency_milliseconds: float
    version: str | None
    is_read_only: bool
    components: tuple[ComponentHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundSpace:
    """A space as it stands at the registry.

    ``external_id`` is what it is known by there, for good: a name reused is another space where the registry
    has ids of its own. ``is_public`` is None where the registry has no such notion. ``repository_names`` are
    whole names as they are pulled, sorted, where the list comes with the spaces, else empty.
    """

    external_id: str
    name: str
    is_public: bool | None
    repository_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundRepository:
    """A repository as it stands at the registry; None for what the registry doesn't tell.

    ``name`` is the whole name as it is pulled, ``space_external_id`` that of the space it belongs to.
    """

    name: str
    space_external_id: str
    artifact_count: int | None
    pull_count: int | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegistryContents:
    """Everything that a registry holds, both sorted by name; each repository's space is among the spaces."""

    spaces: tuple[FoundSpace, ...]
    repositories: tuple[FoundRepository, ...]


@dataclass(frozen=True, slots=True)
class FoundTag:
    """A name for an artifact."""

    name: str
    pushed_at: datetime | None
    pulled_at: datetime | None
    is_immutable: bool | None


@dataclass(frozen=True, slots=True)
class PlatformManifest:
    """One of an index's images: its digest, and the platform that it is for."""

    digest: str
    os: str
    architecture: str
    variant: str | None


@dataclass(frozen=True, slots=True)
class FoundArtifact:
    """Something that can be pulled by its digest.

    ``media_type`` is its manifest's; ``artifact_type`` says what else than an image it is, None for an image and where
    nothing says so. ``size_bytes`` are its manifest's, its configuration's and its layers', for an index those of its
    images as well. ``platforms`` are those of an index, else empty.
    """

    digest: str
    media_type: str
    artifact_type: str | None
    size_bytes: int
    tags: tuple[FoundTag, ...]
    platforms: tuple[PlatformManifest, ...]
    pushed_at: datetime | None
    pulled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    """A part of a repository's artifacts.

    ``total_count`` is that of all artifacts, None where it isn't told; ``is_last`` says that no page follows.
    """

    artifacts: tuple[FoundArtifact, ...]
    total_count: int | None
    is_last: bool


@dataclass(frozen=True, slots=True)
class Blob:
    """What a manifest refers to: a configuration or a layer, with the size that the manifest says it has."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """A manifest, whose digest says for good what is in it.

    ``size_bytes`` are its own. ``blobs`` are what an image refers to and the registry stores, each once; a sum of their
    sizes may be past 64 bits. ``platforms`` are the manifests of an index: one without a platform may be an index too,
    and one that was deleted is still named.
    """

    digest: str
    media_type: str
    artifact_type: str | None
    size_bytes: int
    blobs: tuple[Blob, ...]
    platforms: tuple[PlatformManifest, ...]


@dataclass(frozen=True, slots=True)
class StorageStatistics:
    """What a registry stores in all: blobs not yet collected, each of them once."""

    storage_bytes: int
    space_count: int
    repository_count: int


@dataclass(frozen=True, slots=True)
class SpaceSummary:
    """What a space holds, by its own quota.

    ``quota_used_bytes`` is None where the registry counts no quota; ``quota_limit_bytes`` is None then too, and
    where there is no limit.
    """

    repository_count: int
    quota_used_bytes: int | None
    quota_limit_bytes: int | None


class ChangeKind(StrEnum):
    """What was done at a registry."""

    SPACE_CREATED = "SPACE_CREATED"
    SPACE_CHANGED = "SPACE_CHANGED"
    SPACE_DELETED = "SPACE_DELETED"
    ARTIFACT_PUSHED = "ARTIFACT_PUSHED"
    ARTIFACT_DELETED = "ARTIFACT_DELETED"
    TAG_CHANGED = "TAG_CHANGED"
    TAG_DELETED = "TAG_DELETED"
    REPOSITORY_DELETED = "REPOSITORY_DELETED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a registry's log of changes: where to look, never what is true.

    ``repository_name`` is the whole name as it is pulled; ``reference`` is a tag, or a digest. What an entry
    doesn't name is None: a change of artifacts without a repository means that anything may have changed.
    """

    id: int
    occurred_at: datetime | None
    kind: ChangeKind
    space_name: str | None
    repository_name: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class NotifiedChange:
    """What a registry told us unasked: where to look, never what is true.

    ``space_external_id`` is that of the space which the repository belongs to. Of a push, ``tag`` is what was pushed
    and ``digest`` what it names then; of what was deleted both are None.
    """

    repository_name: str
    space_external_id: str
    tag: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in order of id. ``newest_id`` is where to go on; at once when the page is not complete."""

    changes: tuple[Change, ...]
    newest_id: int | None
    is_complete: bool


@dataclass(frozen=True, slots=True)
class ReaderCredential:
    """A credential for reading alone, made for us. ``external_id`` stays the same when its name changes."""

    external_id: str
    credential: Credential


class ReaderFlaw(StrEnum):
    """What is wrong with a credential for reading that was made for us."""

    GONE = "GONE"
    """Deleted, or there is another one under its id."""
    DISABLED = "DISABLED"
    EXPIRED = "EXPIRED"
    CUT = "CUT"
    """It may no longer do all that it was made for."""


@dataclass(frozen=True, slots=True)
class ReaderState:
    """How a credential for reading stands. ``name`` is its present user name, None when it is gone."""

    name: str | None
    flaw: ReaderFlaw | None
