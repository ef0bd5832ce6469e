"""Images, as they are searched for."""

from __future__ import annotations

from functools import partial
from typing import cast

import strawberry

from models.queries.images import BEST_FIRST, is_place
from models.reading import Page, PageRequest
from models.records import FoundImageRecord
from resolvers.context import RequestContext
from resolvers.paging import invalid_cursor, page_request
from schema.arguments import required_text
from schema.connection import Edge, ListPage, PageInfo, edges_of, nodes_of, page_info_of
from schema.pull_access import NamespaceRef, asked_namespace
from schema.repository import Repository, image_of
from services.image_search import search_images

MOST_COUNTED = 1000


def _repository(root: strawberry.Parent[FoundImageRecord]) -> Repository:
    return cast(Repository, root)


async def _total_count(root: strawberry.Parent[ListPage]) -> int | None:
    counted: Page[FoundImageRecord] = await root.count()
    return None if counted.has_next_page else len(counted.records)


@strawberry.type(description="An image that was found: what a container is made from, all but the tag.")
class Image:
    """A repository, as one that was searched for."""

    image: str = strawberry.field(resolver=image_of, description="Host and name, ready to copy; a tag may follow.")
    repository: Repository = strawberry.field(
        resolver=_repository, description="The repository that holds it, with its space and its registry."
    )


@strawberry.type(description="A page of the images that were found, the best first.")
class ImageConnection:
    """A page of what was found."""

    edges: list[Edge[Image]] = strawberry.field(resolver=edges_of, description="The items with their cursors.")
    nodes: list[Image] = strawberry.field(resolver=nodes_of, description="The items.")
    page_info: PageInfo = strawberry.field(resolver=page_info_of, description="Where this page stands.")
    total_count: int | None = strawberry.field(
        resolver=_total_count,
        description=f"How many there are in all; null for more than {MOST_COUNTED:,}. Only computed when asked for.",
    )


async def found(
    context: RequestContext, query: str, namespace: NamespaceRef | None, first: int | None, after: str | None
) -> ImageConnection:
    """Return a page of what is found. Raises PublicError for arguments that can't be taken."""
    request = page_request(first, after, BEST_FIRST)
    if request.after is not None and not is_place(request.after[0]):
        raise invalid_cursor()
    of_request = partial(
        search_images,
        context.database,
        required_text(query),
        None if namespace is None else asked_namespace(namespace),
        context.scope.sight,
    )
    counted = PageRequest(MOST_COUNTED, BEST_FIRST)
    return cast(ImageConnection, ListPage(await of_request(request), partial(of_request, counted)))
