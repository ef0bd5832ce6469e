"""Lists within lists: the same page for all parents of a level, with one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from msgspec import Struct

from models.reading import Page, PageRequest, RecordReader, Statement
from resolvers.loading import Loader

R = TypeVar("R", bound=Struct)


@dataclass(frozen=True, slots=True)
class PartOf:
    """A part of what one parent has; `page` is None where only the number is asked for.

    `conditions` are compared by value: parents that ask for the same are answered together.
    """

    parent_id: int
    conditions: Callable[[Statement], Sequence[str]]
    page: PageRequest | None = None


class NestedPageLoader(Loader[PartOf, Page[R]]):
    """Pages of the lists of many parents."""

    reader: ClassVar[RecordReader[Any]]
    parent: ClassVar[str]
    """The column that names the parent."""

    parent_attribute: ClassVar[str]

    async def fetch(self, keys: Sequence[PartOf]) -> Mapping[PartOf, Page[R]]:
        """Return the pages."""
        found: dict[PartOf, Page[R]] = {}
        for group in _grouped(keys):
            page = group[0].page
            if page is None:
                raise ValueError("a page is asked for by a page request")
            pages = await self.pages_of([key.parent_id for key in group], group[0].conditions, page)
            found |= {key: pages[key.parent_id] for key in group}
        return found

    async def pages_of(
        self, parent_ids: Sequence[int], conditions: Callable[[Statement], Sequence[str]], page: PageRequest
    ) -> Mapping[int, Page[R]]:
        """Return the same page of the list of each parent."""
        return await self.reader.pages(
            self.database,
            page,
            conditions,
            parent=self.parent,
            parent_attribute=self.parent_attribute,
            parent_ids=parent_ids,
        )


class NestedTotalLoader(Loader[PartOf, int]):
    """How long the lists of many parents are."""

    reader: ClassVar[RecordReader[Any]]
    parent: ClassVar[str]

    async def fetch(self, keys: Sequence[PartOf]) -> Mapping[PartOf, int]:
        """Return the counts."""
        found: dict[PartOf, int] = {}
        for group in _grouped(keys):
            counts = await self.reader.counts(
                self.database,
                group[0].conditions,
                parent=self.parent,
                parent_ids=[key.parent_id for key in group],
            )
            found |= {key: counts[key.parent_id] for key in group}
        return found


def _grouped(keys: Sequence[PartOf]) -> list[list[PartOf]]:
    groups: defaultdict[Hashable, list[PartOf]] = defaultdict(list)
    for key in keys:
        groups[(key.conditions, key.page)].append(key)
    return list(groups.values())
