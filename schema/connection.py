"""Connections: lists in pages, by keyset."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from models.reading import Page
from resolvers.paging import cursor_of
from schema.node import backed
from schema.scalars import Cursor

T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description="How many at most: 20 by default, 100 at most.")]
After = Annotated[Cursor | None, strawberry.argument(description="Begin behind this cursor, taken from the same list.")]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands."""

    has_next_page: bool = strawberry.field(description="Whether there is more behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether the page began behind a cursor.")
    start_cursor: Cursor | None = strawberry.field(description="The first item's cursor.")
    end_cursor: Cursor | None = strawberry.field(description="The last item's cursor: `after` for the next page.")


@strawberry.type(description="An item of a list, with its place.")
class Edge(Generic[T]):
    """An item and its cursor."""

    node: T = strawberry.field(description="The item.")
    cursor: Cursor = strawberry.field(description="Its place: give it as `after` to begin behind it.")


async def _total_count(root: strawberry.Parent[Any]) -> int:
    count: int = await root.count()
    return count


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page."""

    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    nodes: list[T] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    total_count: int = strawberry.field(
        resolver=_total_count, description="How many there are in all. Only computed when asked for."
    )


def connection(type_: type[T], page: Page[Any], count: Callable[[], Awaitable[int]]) -> Connection[T]:
    """Return a page of records as a connection of the type behind which they stand.

    `count` is called when the total is asked for.
    """
    cursors = [Cursor(cursor_of(record, page.order)) for record in page.records]
    return Connection(
        edges=[
            Edge(node=backed(type_, record), cursor=cursor)
            for record, cursor in zip(page.records, cursors, strict=True)
        ],
        nodes=[backed(type_, record) for record in page.records],
        page_info=PageInfo(
            has_next_page=page.has_next_page,
            has_previous_page=page.has_previous_page,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
        count=count,
    )
