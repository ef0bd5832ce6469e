"""Repositories: as mirrored, and what is in them now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.queries.repositories import RepositoryConditions
from models.records import RepositoryRecord
from resolvers.loaders import SpaceByIdLoader
from resolvers.loading import loaded
from schema.arguments import checked_text
from schema.artifact import ARTIFACTS, TAGS, ArtifactConnection, TagConnection
from schema.live_connection import live_list
from schema.node import Node, RecordBacked
from schema.scalars import Count

if TYPE_CHECKING:
    from schema.space import Space


def _image(root: strawberry.Parent[RepositoryRecord]) -> str:
    return f"{root.image_host}/{root.name}"


@strawberry.type(description="A repository: what an image's name leads to, without its tag.")
class Repository(RecordBacked, Node):
    """A repository of the mirror."""

    record = RepositoryRecord

    space: Annotated[Space, strawberry.lazy("schema.space")] = loaded(
        SpaceByIdLoader, key="space_id", required="space", description="The space that it belongs to."
    )
    name: str = strawberry.field(description="Its whole name at the registry.")
    image: str = strawberry.field(resolver=_image, description="Host and name, ready to copy.")
    artifact_count: Count | None = strawberry.field(
        description="How many artifacts it holds, where the registry tells."
    )
    pull_count: Count | None = strawberry.field(description="How often it was pulled, where the registry tells.")
    updated_at: datetime | None = strawberry.field(description="When it last changed, where the registry tells.")
    created_at: datetime = strawberry.field(description="When it was first seen here.")
    artifacts: ArtifactConnection | None = live_list(
        ARTIFACTS,
        description="What is in it, asked of the registry now: the newest first, or by their tags' names where the "
        "registry doesn't tell when they came. Null, with an error, when it doesn't answer and nothing is known.",
    )
    tags: TagConnection | None = live_list(
        TAGS, description="The names of what is in it, asked of the registry now, in the order of the artifacts."
    )


@strawberry.input(description="Which repositories.")
class RepositoryFilter:
    """What repositories must meet."""

    text: str | None = strawberry.field(default=None, description="Part of the name, whatever its case.")


def repository_conditions(given: RepositoryFilter | None) -> RepositoryConditions:
    """Return the conditions that a filter stands for."""
    return RepositoryConditions(text=None if given is None else checked_text(given.text))
