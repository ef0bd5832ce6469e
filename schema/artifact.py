"""Artifacts and tags: what is in a repository, as its registry tells."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.live_records import ArtifactRecord, artifacts_of, tags_of
from schema.live_connection import HeldList, LiveConnection, LiveList, live_list
from schema.node import Node, RecordBacked
from schema.scalars import ByteSize, Digest

if TYPE_CHECKING:
    from schema.repository import Repository


@strawberry.type(description="A name for an artifact. It may name another one later, unless it is immutable.")
class Tag:
    """A tag."""

    name: str = strawberry.field(description="What stands behind the colon.")
    image: str = strawberry.field(description="Host, name and tag, ready to copy.")
    digest: Digest | None = strawberry.field(description="What it names now.")
    pushed_at: datetime | None = strawberry.field(
        description="When it was put there; null where the registry doesn't tell."
    )
    is_immutable: bool | None = strawberry.field(
        description="Whether the registry keeps it from being moved; null where it doesn't tell."
    )


@strawberry.type(name="TagConnection", description="A page of tags.")
class TagConnection(LiveConnection[Tag]):
    """A page of tags."""


@strawberry.type(description="One of an index's images.")
class PlatformManifest:
    """An image of an index."""

    digest: Digest = strawberry.field(description="What it is known by.")
    os: str = strawberry.field(description="The operating system that it runs on, such as linux.")
    architecture: str = strawberry.field(description="The processor that it runs on, such as amd64.")
    variant: str | None = strawberry.field(description="Which kind of that processor, such as v8; mostly null.")


def _pull_command(root: strawberry.Parent[ArtifactRecord]) -> str | None:
    if root.artifact_type is not None:
        return None
    repository = root.repository
    # By digest, though a tag would be easier to read: it pulls what is shown here, wherever the tag points by then.
    return f"docker pull {repository.image_host}/{repository.name}@{root.digest}"


TAGS_OF_ARTIFACT = HeldList("tags of artifact", attrgetter("tags"))


@strawberry.type(description="Something that can be pulled by its digest: an image, or what else registries keep.")
class Artifact(RecordBacked, Node):
    """An artifact, as its registry told of it."""

    record = ArtifactRecord

    repository: Annotated[Repository, strawberry.lazy("schema.repository")] = strawberry.field(
        description="The repository that it is in."
    )
    digest: Digest = strawberry.field(description="What its content is known by, for good.")
    media_type: str = strawberry.field(description="The media type of its manifest.")
    artifact_type: str | None = strawberry.field(
        description="What it is where it is no container image, such as a Helm chart; null for images."
    )
    size_bytes: ByteSize = strawberry.field(
        description="Its size with all that it refers to, in bytes; of an index, with all its images."
    )
    tags: TagConnection | None = live_list(
        TAGS_OF_ARTIFACT,
        description="Its names, as far as the registry tells of them together with it. A Docker Registry doesn't where "
        "an artifact is asked for by its id, and in lists it tells those of the same page.",
    )
    platforms: list[PlatformManifest] = strawberry.field(description="Of an index: its images. Else empty.")
    pushed_at: datetime | None = strawberry.field(description="When it came; null where the registry doesn't tell.")
    pulled_at: datetime | None = strawberry.field(
        description="When it was last pulled; null where it never was, and where the registry doesn't tell."
    )
    pull_command: str | None = strawberry.field(
        resolver=_pull_command,
        description="What pulls exactly this, ready to paste into a terminal; null for what is no container image.",
    )
    is_stale: bool = strawberry.field(
        description="Whether this is from an earlier answer of the registry, as it did not answer now."
    )
    as_of: datetime = strawberry.field(description="When the registry was asked for this.")


@strawberry.type(name="ArtifactConnection", description="A page of artifacts.")
class ArtifactConnection(LiveConnection[Artifact]):
    """A page of artifacts."""


ARTIFACTS = LiveList("artifacts", artifacts_of, is_counted=True)
TAGS = LiveList("tags", tags_of, is_counted=False)
