"""From rows to records, and pages by keyset: what every list is read with."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from models.database import Database
from models.dialects import Dialect

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by: an expression that is never null, ties broken by the id."""

    expression: str
    attribute: str
    """The record's attribute with the same value."""

    id_expression: str
    id_attribute: str = "id"
    is_descending: bool = False
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most `first` records behind a place in an order."""

    first: int
    order: Order
    after: tuple[Any, int] | None = None
    """The order's value and the id of the record before the page; None begins at the beginning."""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """A part of a list."""

    records: tuple[R, ...]
    has_next_page: bool
    has_previous_page: bool
    order: Order


class Statement:
    """A statement in the making: text, and the values of its parameters."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.values: list[object] = []

    def bind(self, value: object) -> str:
        """Return what stands in the text for the value."""
        if isinstance(value, str):
            # PostgreSQL takes no text with a NUL, and none is stored: this one is in no name either.
            value = value.replace("\x00", "\uffff")
        self.values.append(value)
        return self.dialect.placeholder(len(self.values))

    def is_one_of(self, expression: str, values: Sequence[int] | Sequence[str]) -> str:
        """Return a condition whose text is the same for any number of values from two on."""
        if not values:
            # PostgreSQL can't tell what an empty list would be a list of.
            return "FALSE"
        if len(values) == 1:
            # An index whose next column is what is sorted by serves the order only when this one has one value.
            return f"{expression} = {self.bind(values[0])}"
        return self.dialect.is_one_of(expression, self.bind(self.dialect.list_parameter(values)), values)

    def moment(self, value: datetime) -> str:
        """Return what stands for a time where the database can't tell from the place that it is one."""
        return self.dialect.moment(self.bind(value))

    def contains(self, expression: str, text: str) -> str:
        """Return a condition: the text stands somewhere in the expression, taken literally."""
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{expression} LIKE {self.bind(f'%{escaped}%')} ESCAPE '\\'"


class RecordReader(Generic[R]):
    """How the rows of one source become records of one type."""

    def __init__(self, record: type[R], table: str, columns: Mapping[str, str], *, joins: str = "") -> None:
        """`table` stands behind FROM, and has all that conditions speak of; `joins` gives each row no more than more
        columns, so that counting needs none; `columns` gives the expression of each of the record's fields.
        """
        hints = typing.get_type_hints(record)
        names = [field.name for field in fields(record)]  # type: ignore[arg-type]
        self._record = record
        self._converters = [_converter(hints[name]) for name in names]
        self._table = table
        self.source = table + joins
        self.select_list = ", ".join(f'{columns[name]} AS "{name}"' for name in names)
        self._count = len(names)

    async def all(self, database: Database, where: Callable[[Statement], Sequence[str]]) -> list[R]:
        """Return every record that meets the conditions, in no order."""
        statement = Statement(database.dialect)
        sql = f"SELECT {self.select_list} FROM {self.source}{_where(where(statement))}"
        return self.read(database.dialect, await database.fetch(sql, *statement.values))

    async def page(
        self, database: Database, request: PageRequest, where: Callable[[Statement], Sequence[str]]
    ) -> Page[R]:
        """Return one page of the records that meet the conditions; its cost doesn't depend on its place."""
        statement = Statement(database.dialect)
        conditions = [*where(statement), *_behind(statement, request)]
        sql = (
            f"SELECT {self.select_list} FROM {self.source}{_where(conditions)}"
            f" ORDER BY {_ordering(request.order)} LIMIT {request.first + 1}"
        )
        return self._cut(request, self.read(database.dialect, await database.fetch(sql, *statement.values)))

    async def pages(
        self,
        database: Database,
        request: PageRequest,
        where: Callable[[Statement], Sequence[str]],
        *,
        parent: str,
        parent_attribute: str,
        parent_ids: Sequence[int],
    ) -> dict[int, Page[R]]:
        """Return the same page of each parent's list, with one statement for all of them.

        Its cost depends on what is returned, not on how much each parent has.
        """
        statement = Statement(database.dialect)
        ids = statement.bind(database.dialect.list_parameter(parent_ids))
        conditions = [*where(statement), *_behind(statement, request)]
        sql = database.dialect.page_of_each(
            ids,
            select_list=self.select_list,
            source=self.source,
            parent=parent,
            conditions="".join(f" AND {condition}" for condition in conditions),
            record_id=request.order.id_expression,
            ordering=_ordering(request.order),
            limit=request.first + 1,
        )
        found: dict[int, list[R]] = {parent_id: [] for parent_id in parent_ids}
        for record in self.read(database.dialect, await database.fetch(sql, *statement.values)):
            found[getattr(record, parent_attribute)].append(record)
        return {parent_id: self._cut(request, records) for parent_id, records in found.items()}

    async def count(self, database: Database, where: Callable[[Statement], Sequence[str]]) -> int:
        """Return how many records meet the conditions."""
        statement = Statement(database.dialect)
        sql = f"SELECT COUNT(*) AS count FROM {self._table}{_where(where(statement))}"
        rows = await database.fetch(sql, *statement.values)
        return int(rows[0]["count"])

    async def counts(
        self,
        database: Database,
        where: Callable[[Statement], Sequence[str]],
        *,
        parent: str,
        parent_ids: Sequence[int],
    ) -> dict[int, int]:
        """Return how many records of each parent meet the conditions, with one statement."""
        statement = Statement(database.dialect)
        conditions = [statement.is_one_of(parent, parent_ids), *where(statement)]
        sql = f"SELECT {parent} AS parent, COUNT(*) AS count FROM {self._table}{_where(conditions)} GROUP BY {parent}"
        rows = await database.fetch(sql, *statement.values)
        return dict.fromkeys(parent_ids, 0) | {row["parent"]: row["count"] for row in rows}

    def read(self, dialect: Dialect, rows: Sequence[Any]) -> list[R]:
        """Return the rows as records; the columns must begin with the select list."""
        return [
            self._record(
                *(
                    value if convert is None or value is None else convert(dialect, value)
                    for convert, value in zip(self._converters, row, strict=False)
                )
            )
            for row in rows
        ]

    def _cut(self, request: PageRequest, records: list[R]) -> Page[R]:
        return Page(
            records=tuple(records[: request.first]),
            has_next_page=len(records) > request.first,
            has_previous_page=request.after is not None,
            order=request.order,
        )


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _ordering(order: Order) -> str:
    direction = "DESC" if order.is_descending else "ASC"
    return ", ".join(f"{expression} {direction}" for expression in _sorted_by(order))


def _sorted_by(order: Order) -> tuple[str, ...]:
    # Named twice, SQLite would sort again what an index gives in order.
    is_by_id = order.expression == order.id_expression
    return (order.expression,) if is_by_id else (order.expression, order.id_expression)


def _behind(statement: Statement, request: PageRequest) -> list[str]:
    if request.after is None:
        return []
    expressions = _sorted_by(request.order)
    sign = "<" if request.order.is_descending else ">"
    values = [statement.bind(value) for value in request.after[-len(expressions) :]]
    return [f"({', '.join(expressions)}) {sign} ({', '.join(values)})"]


def _converter(hint: Any) -> Callable[[Dialect, Any], Any] | None:
    """Return what turns a column's value into the hinted type; None when the driver gives it as it is."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if hint is datetime:
        return lambda dialect, value: dialect.datetime(value)
    if hint is bool:
        return lambda _, value: bool(value)
    if typing.get_origin(hint) in (dict, list):
        return lambda dialect, value: dialect.json(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = hint._value2member_map_
        return lambda _, value: members[value]
    return None
