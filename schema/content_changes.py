"""Deleting what is in repositories: what it takes, and what it answers."""

from __future__ import annotations

from typing import Any

import strawberry

from schema.artifact import Artifact, Tag
from schema.payloads import Payload
from schema.repository import Repository
from schema.scalars import Count
from services.tags_that_go import MOST_LISTED, TagsThatGo

DRY_RUN = "Only say what would go. The registry is asked what there is, and nothing is tried there."


@strawberry.input(description="An artifact to delete, with all its tags.")
class DeleteArtifactInput:
    """What deleteArtifact takes."""

    id: strawberry.ID = strawberry.field(description="Which artifact.")
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)


@strawberry.input(description="A tag to delete.")
class DeleteTagInput:
    """What deleteTag takes."""

    repository_id: strawberry.ID = strawberry.field(description="Of which repository.")
    name: str = strawberry.field(description="Its name: what stands behind the colon.")
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)


@strawberry.input(description="A repository to delete, with all that it holds.")
class DeleteRepositoryInput:
    """What deleteRepository takes."""

    id: strawberry.ID = strawberry.field(description="Which repository.")
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)


# No losses: they tell who can no longer pull what others still can. What goes here is gone for all.
@strawberry.interface(description="What every mutation that deletes images answers, in a dry run too.")
class DeletingPayload(Payload):
    """The tags that go, beside the thing."""

    deleted_tags: list[str] = strawberry.field(
        default_factory=list,
        description=f"The tags that go, by name; the first {MOST_LISTED:,} of them. Nobody can pull by them any more, "
        "whoever may pull from the space.",
    )
    has_more_tags: bool = strawberry.field(
        default=False,
        description=f"Whether more tags may go than are listed: more than {MOST_LISTED:,}, or more than the registry "
        "tells in some seconds.",
    )


@strawberry.type(description="What deleteArtifact answers.")
class DeleteArtifactPayload(DeletingPayload):
    """deleteArtifact."""

    artifact: Artifact | None = strawberry.field(
        default=None, description="The artifact as it was, or, in a dry run, as it is; null when it was not done."
    )


@strawberry.type(description="What deleteTag answers.")
class DeleteTagPayload(DeletingPayload):
    """deleteTag."""

    tag: Tag | None = strawberry.field(
        default=None,
        description="The tag as it was, with what it named, or, in a dry run, as it is; null when it was not done.",
    )


@strawberry.type(description="What deleteRepository answers.")
class DeleteRepositoryPayload(DeletingPayload):
    """deleteRepository."""

    repository: Repository | None = strawberry.field(
        default=None, description="The repository as it was, or, in a dry run, as it is; null when it was not done."
    )
    artifact_count: Count | None = strawberry.field(
        default=None, description="How many artifacts go with it, as its registry counts them; null when it doesn't."
    )


def deleting(tags: TagsThatGo) -> dict[str, Any]:
    """Return the part of a payload that tells the tags."""
    return {"deleted_tags": list(tags.names), "has_more_tags": not tags.is_complete}
