"""Connections: lists in pages, by keyset."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, cast

import strawberry
from msgspec import Struct

from models.reading import Page, PageRequest, Statement
from resolvers.context import Info, RequestContext
from resolvers.nested_pages import NestedPageLoader, NestedTotalLoader, PartOf
from resolvers.paging import cursor_of
from schema.scalars import Cursor

T = TypeVar("T")

Conditions: TypeAlias = Callable[[Statement], Sequence[str]]

First = Annotated[int | None, strawberry.argument(description="How many at most: 20 by default, 100 at most.")]
After = Annotated[Cursor | None, strawberry.argument(description="Begin behind this cursor, taken from the same list.")]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands."""

    has_next_page: bool = strawberry.field(description="Whether there is more behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether the page began behind a cursor.")
    start_cursor: Cursor | None = strawberry.field(description="The first item's cursor.")
    end_cursor: Cursor | None = strawberry.field(description="The last item's cursor: `after` for the next page.")


class ListPage(Struct, frozen=True):
    """What stands behind a connection: a page of records, and what counts them all when that is asked for."""

    page: Page[Any]
    count: Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which part of each parent's list is asked for."""

    conditions: Conditions
    page: PageRequest


@strawberry.type(description="An item of a list, with its place.")
class Edge(Generic[T]):
    """An item and its cursor."""

    node: T = strawberry.field(description="The item.")
    cursor: Cursor = strawberry.field(description="Its place: give it as `after` to begin behind it.")


def _cursor(page: Page[Any], index: int) -> Cursor | None:
    return Cursor(cursor_of(page.records[index], page.order)) if page.records else None


def edges_of(root: strawberry.Parent[ListPage]):  # type: ignore[no-untyped-def]
    """Return the items of a page with their cursors."""
    order = root.page.order
    return [Edge(node=record, cursor=Cursor(cursor_of(record, order))) for record in root.page.records]


def nodes_of(root: strawberry.Parent[ListPage]):  # type: ignore[no-untyped-def]
    """Return the items of a page."""
    return root.page.records


def page_info_of(root: strawberry.Parent[ListPage]) -> PageInfo:
    """Return where a page stands."""
    page = root.page
    return PageInfo(
        has_next_page=page.has_next_page,
        has_previous_page=page.has_previous_page,
        start_cursor=_cursor(page, 0),
        end_cursor=_cursor(page, -1),
    )


async def _total_count(root: strawberry.Parent[ListPage]) -> int:
    count: int = await root.count()
    return count


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page."""

    edges: list[Edge[T]] = strawberry.field(resolver=edges_of, description="The items with their cursors.")
    nodes: list[T] = strawberry.field(resolver=nodes_of, description="The items.")
    page_info: PageInfo = strawberry.field(resolver=page_info_of, description="Where this page stands.")
    total_count: int = strawberry.field(
        resolver=_total_count, description="How many there are in all. Only computed when asked for."
    )


def connection(page: Page[Any], count: Callable[[], Awaitable[int]]) -> Connection[Any]:
    """Return a page of records as a connection of the type behind which they stand.

    `count` is called when the total is asked for.
    """
    return cast("Connection[Any]", ListPage(page, count))


NESTED_METADATA = "nested"
"""The key in a field's metadata under which its `NestedList` lies."""


@dataclass(frozen=True, slots=True)
class NestedList:
    """A list that each of many parents has: read for all of them at once."""

    request_of: Callable[..., ListRequest]
    page_loader: type[NestedPageLoader[Any]]
    total_loader: type[NestedTotalLoader]

    async def pages(self, context: RequestContext, parent_ids: Sequence[int], arguments: Any) -> list[ListPage]:
        """Return the page of each parent, in their order."""
        request = self.request_of(context, **arguments)
        # Several objects of a level may be the same one.
        once = list(dict.fromkeys(parent_ids))
        pages = await context.loader(self.page_loader).pages_of(once, request.conditions, request.page)
        return [
            ListPage(pages[parent_id], partial(self._count, context, parent_id, request.conditions))
            for parent_id in parent_ids
        ]

    async def _count(self, context: RequestContext, parent_id: int, conditions: Conditions) -> int:
        return await context.loader(self.total_loader).load(PartOf(parent_id, conditions))


def nested_list(
    request_of: Callable[..., ListRequest],
    page_loader: type[NestedPageLoader[Any]],
    total_loader: type[NestedTotalLoader],
    *,
    description: str,
) -> Any:
    """Declare a field: a list of what the parent has, of the type that the class gives it.

    `request_of` takes the request context and the field's arguments, and says which part of the list is meant.
    """
    nested = NestedList(request_of, page_loader, total_loader)

    async def resolve(root: Any, info: Info, **arguments: Any) -> Any:
        request = request_of(info.context, **arguments)
        page = await info.context.loader(page_loader).load(PartOf(root.id, request.conditions, request.page))
        total = PartOf(root.id, request.conditions)
        return ListPage(page, partial(info.context.loader(total_loader).load, total))

    # What strawberry makes the field's arguments of.
    _, *arguments = inspect.signature(request_of).parameters.values()
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("root", kind), inspect.Parameter("info", kind, annotation=Info), *arguments]
    )
    resolve.__annotations__ = {"info": Info, **{each.name: each.annotation for each in arguments}}
    resolve.__module__ = request_of.__module__
    return strawberry.field(resolver=resolve, description=description, metadata={NESTED_METADATA: nested})
