"""What columns become: values, lists, objects; and the way back from any of them to its path.

Nothing is noted for the way back: from how long the lists were it can be told which value came from where. It is only
needed for errors, and for resolvers that want to know their path.

While a run goes on, everything here leads to where it came from and to what came of it. Putting the answer together
lets go of the latter, so that nothing is left for the garbage collector.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql.pyutils import Path

if TYPE_CHECKING:
    from execution.plan import FieldPlan, SelectionPlan

BUBBLE: Any = object()
"""Stands where a value failed that must not be null: the null moves up from here."""

Place: TypeAlias = "tuple[FieldColumn, int, tuple[int, ...]]"
"""A field's column, the number of the object in its group, and the places in the lists."""


class Group:
    """Objects of one type of which the same is asked. `base` is the path of the only one of a first group."""

    __slots__ = ("base", "columns", "has_bubbles", "numbers", "objects", "origin", "paths", "plan", "sources")

    def __init__(
        self,
        plan: SelectionPlan,
        sources: Sequence[Any],
        origin: ObjectResult | None,
        numbers: Sequence[int] | None,
        base: Path | None = None,
    ) -> None:
        self.plan = plan
        self.sources = sources
        self.origin = origin
        self.numbers = numbers
        """The places of the objects in what they came from; None where that are all of them, in order."""
        self.base = base
        self.columns: list[FieldColumn] = []
        self.objects: list[Any] = []
        self.has_bubbles = False
        self.paths: dict[int, Path | None] = {}

    def place(self, number: int) -> Place | None:
        """Return where an object came from; None for the first one."""
        if self.origin is None:
            return None
        return self.origin.place(number if self.numbers is None else self.numbers[number])

    def path(self, number: int) -> Path | None:
        """Return the path of an object."""
        if number not in self.paths:
            place = self.place(number)
            self.paths[number] = self.base if place is None else path_of(place)
        return self.paths[number]

    def assemble(self) -> None:
        """Put the objects together from their columns, whose groups were put together before."""
        columns = [column.values() for column in self.columns]
        # Column by column: a third of the time that a dict from each row takes.
        objects: list[Any] = [{} for _ in self.sources]
        for name, values in zip(self.plan.names, columns, strict=True):
            for of_one, value in zip(objects, values, strict=True):
                of_one[name] = value
        self.objects = objects
        for column, values in zip(self.columns, columns, strict=True):
            if column.has_bubbles:
                self.has_bubbles = True
                for number, value in enumerate(values):
                    if value is BUBBLE:
                        self.objects[number] = BUBBLE
        # What is behind is in the objects now.
        self.columns = []


class FieldColumn:
    """The values of one field for all objects of a group."""

    __slots__ = ("field", "group", "has_bubbles", "numbers", "result", "settled")

    def __init__(self, group: Group, field: FieldPlan) -> None:
        self.group = group
        self.field = field
        self.result: Result | None = None
        self.numbers: Sequence[int] | None = None
        """The objects that the result is of; None: all."""
        self.settled: dict[int, Any] = {}
        """What graphql-core completed for the others."""
        self.has_bubbles = False

    def place(self, number: int) -> Place:
        """Return the place of a value of the outermost layer."""
        return self, number if self.numbers is None else self.numbers[number], ()

    def values(self) -> Sequence[Any]:
        """Return what the answer has for each object, once."""
        values: Sequence[Any] = ()
        if self.result is not None:
            values = self.result.values()
            self.has_bubbles = self.result.has_bubbles
            self.result = None
        if self.numbers is None:
            return values
        settled = dict(self.settled)
        settled.update(zip(self.numbers, values, strict=True))
        self.has_bubbles = self.has_bubbles or _has_bubble(self.settled.values())
        return [settled[number] for number in range(len(self.group.sources))]


class LeafResult:
    """Scalars and enums."""

    __slots__ = ("_values", "has_bubbles")

    def __init__(self, values: Sequence[Any], *, has_bubbles: bool) -> None:
        self._values = values
        self.has_bubbles = has_bubbles

    def values(self) -> Sequence[Any]:
        """Return the values, nulls and bubbles."""
        return self._values


class ListResult:
    """Lists. `lengths` has a number for each, or what stands in its place: None, or a bubble."""

    __slots__ = ("_ends", "has_bubbles", "inner", "is_non_null", "lengths", "origin")

    def __init__(self, origin: FieldColumn | ListResult, lengths: list[Any], *, is_non_null: bool) -> None:
        self.origin = origin
        self.lengths = lengths
        self.is_non_null = is_non_null
        self.inner: Result | None = None
        self.has_bubbles = False
        self._ends: list[int] | None = None

    def place(self, number: int) -> Place:
        """Return the place of an item, counted over all lists."""
        if self._ends is None:
            self._ends = list(accumulate(length if type(length) is int else 0 for length in self.lengths))
        owner = bisect_right(self._ends, number)
        begin = self._ends[owner - 1] if owner else 0
        column, object_number, indices = self.origin.place(owner)
        return column, object_number, (*indices, number - begin)

    def values(self) -> Sequence[Any]:
        """Return the lists, once."""
        items = iter(() if self.inner is None else self.inner.values())
        lists = [list(islice(items, length)) if type(length) is int else length for length in self.lengths]
        if self.inner is not None and self.inner.has_bubbles:
            instead = BUBBLE if self.is_non_null else None
            lists = [instead if type(each) is list and _has_bubble(each) else each for each in lists]
        self.has_bubbles = _has_bubble(lists) if self.is_non_null else False
        self.inner = None
        return lists


class ObjectResult:
    """Objects, in a group for each of their types. `nulls` has what stands in the place of those that are none."""

    __slots__ = ("count", "groups", "has_bubbles", "is_non_null", "nulls", "origin")

    def __init__(self, origin: FieldColumn | ListResult, count: int, *, is_non_null: bool) -> None:
        self.origin = origin
        self.count = count
        self.is_non_null = is_non_null
        self.groups: list[Group] = []
        self.nulls: dict[int, Any] = {}
        self.has_bubbles = False

    def place(self, number: int) -> Place:
        """Return the place of an object."""
        return self.origin.place(number)

    def values(self) -> Sequence[Any]:
        """Return the objects, once, when their groups were put together."""
        groups, self.groups = self.groups, []
        if len(groups) == 1 and groups[0].numbers is None:
            objects = groups[0].objects
        else:
            objects = [None] * self.count
            for number, null in self.nulls.items():
                objects[number] = null
            for group in groups:
                numbers = range(self.count) if group.numbers is None else group.numbers
                for number, one in zip(numbers, group.objects, strict=True):
                    objects[number] = one
        if any(group.has_bubbles for group in groups):
            if not self.is_non_null:
                return [None if each is BUBBLE else each for each in objects]
            self.has_bubbles = True
        elif self.nulls:
            self.has_bubbles = _has_bubble(self.nulls.values())
        return objects


def _has_bubble(values: Iterable[Any]) -> bool:
    return any(value is BUBBLE for value in values)


Result: TypeAlias = LeafResult | ListResult | ObjectResult


def path_of(place: Place) -> Path:
    """Return the path of a place."""
    column, number, indices = place
    path = Path(column.group.path(number), column.field.name, column.group.plan.type.name)
    for index in indices:
        path = path.add_key(index, None)
    return path


def order_of(place: Place) -> tuple[int, ...]:
    """Return what sorts places as a walk through the query meets them."""
    steps: list[int] = []
    present: Place | None = place
    while present is not None:
        column, number, indices = present
        steps[:0] = (column.field.order, *indices)
        present = column.group.place(number)
    return tuple(steps)


def nulled_by(place: Place, path: Path) -> Path | None:
    """Return the path of what becomes null when a place of a path fails; None for the whole answer."""
    if not place[0].field.layers[len(place[2])].is_non_null:
        return path
    present: Place | None = place
    while present is not None:
        column, number, indices = present
        for depth in range(len(indices), -1, -1):
            if not column.field.layers[depth].is_non_null:
                return path_of((column, number, indices[:depth]))
        present = column.group.place(number)
    return None
