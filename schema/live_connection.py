"""Connections of what only registries know: asked for while somebody waits, and sometimes as it was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

import strawberry

from models.records import RepositoryRecord
from registry_clients.records import ArtifactPage
from resolvers.context import Info, RequestContext
from resolvers.live_paging import LivePage, LivePageRequest, listed_page, live_page_request, page_of
from resolvers.live_records import ArtifactRecord
from resolvers.public_errors import PublicError
from schema.connection import After, Edge, First, PageInfo
from schema.health import REASONS
from schema.scalars import Count, Cursor
from services.live_answers import ArtifactsWanted, IntegrationGone, NotTold, Told, Unavailable
from services.viewer import ViewerScope

T = TypeVar("T")

LIVE_METADATA = "live"
"""The key in a field's metadata under which its `LiveList` or `HeldList` lies."""


def _edges(root: strawberry.Parent[LivePage]):  # type: ignore[no-untyped-def]
    return [
        Edge(node=item, cursor=Cursor(root.cursor(place))) for item, place in zip(root.items, root.behind, strict=True)
    ]


def _nodes(root: strawberry.Parent[LivePage]):  # type: ignore[no-untyped-def]
    return root.items


def _page_info(root: strawberry.Parent[LivePage]) -> PageInfo:
    return PageInfo(
        has_next_page=root.has_next_page,
        has_previous_page=root.has_previous_page,
        start_cursor=Cursor(root.cursor(root.behind[0])) if root.behind else None,
        # A page may be empty and have a next one all the same.
        end_cursor=Cursor(root.cursor(root.end)) if root.behind or root.has_next_page else None,
    )


@strawberry.type(description="A page of a list that is kept by a registry.")
class LiveConnection(Generic[T]):
    """A page."""

    edges: list[Edge[T]] = strawberry.field(resolver=_edges, description="The items with their cursors.")
    nodes: list[T] = strawberry.field(
        resolver=_nodes,
        description="The items. There may be fewer than were asked for, even none, and a next page all the same.",
    )
    page_info: PageInfo = strawberry.field(resolver=_page_info, description="Where this page stands.")
    total_count: Count | None = strawberry.field(
        description="How many there are in all; null where the registry doesn't tell."
    )
    is_stale: bool = strawberry.field(
        description="Whether this is from an earlier answer of the registry, as it did not answer now."
    )
    as_of: datetime = strawberry.field(description="When the registry was asked for this.")


@dataclass(frozen=True, slots=True)
class LiveList:
    """A list that is made of what registries tell of artifacts: for many repositories at once."""

    name: str
    """What its cursors are marked with."""

    items_of: Callable[[RepositoryRecord, Told[ArtifactPage]], Sequence[Any]]
    is_counted: bool
    """Whether registries that tell how many artifacts there are tell with it how long this list is."""

    is_slow: ClassVar[bool] = True
    """Whether nothing else should wait for it."""

    async def pages(
        self,
        context: RequestContext,
        repositories: Sequence[RepositoryRecord],
        first: int | None = None,
        after: str | None = None,
    ) -> list[LivePage | Exception]:
        """Return the page of each repository, in their order; an exception is why there is none."""
        request = live_page_request(self.name, first, after)
        told = await context.live.told(
            [
                ArtifactsWanted(repository.integration_id, repository.name, page, request.place.page_size)
                for repository in repositories
                for page in request.pages
            ]
        )
        count = len(request.pages)
        return [
            self._page(context.scope, request, repository, told[number * count : (number + 1) * count])
            for number, repository in enumerate(repositories)
        ]

    def _page(
        self,
        scope: ViewerScope,
        request: LivePageRequest,
        repository: RepositoryRecord,
        answers: Sequence[Told[ArtifactPage] | NotTold],
    ) -> LivePage | Exception:
        told = []
        for answer in answers:
            if not isinstance(answer, Told):
                return error_for(answer, scope)
            told.append(answer)
        return page_of(request, told, partial(self.items_of, repository), is_counted=self.is_counted)


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list that came from a registry together with the artifact that it is of."""

    name: str
    items_of: Callable[[ArtifactRecord], Sequence[Any]]
    is_slow: ClassVar[bool] = False

    async def pages(
        self,
        context: RequestContext,
        artifacts: Sequence[ArtifactRecord],
        first: int | None = None,
        after: str | None = None,
    ) -> list[LivePage]:
        """Return the page of each artifact, in their order."""
        return [
            listed_page(self.name, first, after, self.items_of(artifact), artifact.as_of, is_stale=artifact.is_stale)
            for artifact in artifacts
        ]


def live_list(live: LiveList | HeldList, *, description: str) -> Any:
    """Declare a field: a list that registries told, of the type that the class gives it."""

    async def resolve(root: strawberry.Parent[Any], info: Info, first: First = None, after: After = None) -> Any:
        (page,) = await live.pages(info.context, [root], first, after)
        if isinstance(page, Exception):
            raise page
        return page

    return strawberry.field(resolver=resolve, description=description, metadata={LIVE_METADATA: live})


def error_for(why: NotTold, scope: ViewerScope) -> Exception:
    """Return the error of a field for which a registry was asked in vain, as the viewer may read it."""
    if isinstance(why, Unavailable):
        detail = (why.message if scope.administers(why.workspace_id) else None) or REASONS[why.reason]
        return PublicError(
            f"The registry can't be read now. {detail}", "REGISTRY_UNAVAILABLE", {"reason": why.reason.value}
        )
    if isinstance(why, IntegrationGone):
        return PublicError("The integration was removed while this was answered. Ask again.", "GONE")
    return why
