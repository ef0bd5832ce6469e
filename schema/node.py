"""Things with an id of their own."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar, cast

import strawberry

from resolvers.context import Info
from resolvers.global_ids import global_id

T = TypeVar("T")

MOST_ITEMS = "most_items"
"""The key in a list field's metadata, and then in its extensions, of how many items it holds at most: limits on what a
document may cost count with it."""


def backed(type_: type[T], value: object) -> T:
    """Return a record, or an error of a service, as the type of the surface that it stands behind.

    Nothing is copied: types read their fields from what stands behind them.
    """
    return cast(T, value)


def backed_if_any(type_: type[T], value: object | None) -> T | None:
    """Return the same of what may be None."""
    return None if value is None else cast(T, value)


class RecordBacked:
    """Base of types whose values are records as they come from the loaders, not copies of them.

    Such a type says which record stands behind it, or graphql-core could not tell what an interface holds.
    """

    record: ClassVar[type[Any]]

    @classmethod
    def is_type_of(cls, value: object, _info: Info) -> bool:
        """Return whether a value is of this type."""
        return isinstance(value, cls.record)


def node_id(root: strawberry.Parent[Any], info: Info) -> strawberry.ID:
    """Return the id of a thing: of the type as which it is shown."""
    return strawberry.ID(global_id(info._raw_info.parent_type.name, root.id))


@strawberry.interface(description="Anything that has an id of its own and can be asked for by it.")
class Node:
    """A thing with a global id."""

    id: strawberry.ID = strawberry.field(
        resolver=node_id,
        description="Opaque, and unique over all types. The same for as long as the thing exists.",
    )
