"""From rows to records, and pages by keyset: what every list is read with."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from models.dialects import Dialect

R = TypeVar("R", bound=Struct)


class Readable(Protocol):
    """What can be read from: the database as it was committed, or as a transaction sees it."""

    @property
    def dialect(self) -> Dialect:
        """What the SQL must be like."""
        ...

    async def fetch(self, sql: str, *parameters: object) -> Sequence[Any]:
        """Return the rows of a reading statement."""
        ...


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


class Page(Struct, Generic[R], frozen=True):
    """A part of a list."""

    records: Sequence[R]
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


class OneOf(str):
    """A condition that is met when one of several is, of which each has an index of its own.

    As a text it is looked for in every row. Lists are read part by part instead: the first, which may be long, in
    order and as far as it is needed, the others whole.
    """

    __slots__ = ("parts",)
    parts: tuple[str, ...]

    def __new__(cls, text: str, *parts: str) -> OneOf:
        """`parts` say what `text` says, in this order."""
        condition = super().__new__(cls, text)
        condition.parts = parts
        return condition


class RecordReader(Generic[R]):
    """How the rows of one source become records of one type."""

    def __init__(
        self, record: type[R], table: str, columns: Mapping[str, str], *, joins: str = "", of_parent: Sequence[str] = ()
    ) -> None:
        """`table` stands behind FROM, and has all that conditions speak of; `joins` gives each row no more than more
        columns, so that counting needs none; `columns` gives the expression of each of the record's fields.
        `of_parent`: for what can be in the lists of several parents, conditions of which it meets one when it is in
        the list of `parents."id"`; the first may be met by many.
        """
        hints = typing.get_type_hints(record)
        names = record.__struct_fields__
        self._record = record
        converters = [(index, _converter(hints[name])) for index, name in enumerate(names)]
        self._converters = [(index, convert) for index, convert in converters if convert is not None]
        self._table = table
        self._of_parent = of_parent
        self.source = table + joins
        self.select_list = ", ".join(f'{columns[name]} AS "{name}"' for name in names)
        self._count = len(names)

    async def all(self, readable: Readable, where: Callable[[Statement], Sequence[str]]) -> list[R]:
        """Return every record that meets the conditions, in no order."""
        statement = Statement(readable.dialect)
        sql = f"SELECT {self.select_list} FROM {self.source}{_where(where(statement))}"
        return self.read(readable.dialect, await readable.fetch(sql, *statement.values))

    async def page(
        self, database: Readable, request: PageRequest, where: Callable[[Statement], Sequence[str]]
    ) -> Page[R]:
        """Return one page of the records that meet the conditions; its cost doesn't depend on its place."""
        statement = Statement(database.dialect)
        ordering, limit = _ordering(request.order), request.first + 1
        conditions, one_of = _split([*where(statement), *_behind(statement, request)])
        if one_of is not None:
            record_id = request.order.id_expression
            conditions = [f"{record_id} IN ({self._in_parts(record_id, one_of.parts, conditions, ordering, limit)})"]
        sql = f"SELECT {self.select_list} FROM {self.source}{_where(conditions)} ORDER BY {ordering} LIMIT {limit}"
        return self._cut(request, self.read(database.dialect, await database.fetch(sql, *statement.values)))

    async def pages(
        self,
        database: Readable,
        request: PageRequest,
        where: Callable[[Statement], Sequence[str]],
        *,
        parent: str,
        parent_attribute: str,
        parent_ids: Sequence[int],
    ) -> dict[int, Page[R]]:
        """Return the same page of each parent's list, with one statement for all of them.

        `parent` is the column that names it, where the reader doesn't say how records belong to parents. The cost
        depends on what is returned, not on how much each parent has.
        """
        statement = Statement(database.dialect)
        ids = statement.bind(database.dialect.list_parameter(parent_ids))
        conditions = [*where(statement), *_behind(statement, request)]
        record_id, ordering, limit = request.order.id_expression, _ordering(request.order), request.first + 1
        if self._of_parent:
            membership = f"{record_id} IN ({self._in_parts(record_id, self._of_parent, conditions, ordering, limit)})"
        else:
            membership = " AND ".join([f'{parent} = parents."id"', *conditions])
        sql = database.dialect.page_of_each(
            ids,
            select_list=self.select_list,
            source=self.source,
            membership=membership,
            record_id=record_id,
            ordering=ordering,
            limit=limit,
        )
        found: dict[int, list[R]] = {parent_id: [] for parent_id in parent_ids}
        for record in self.read(database.dialect, await database.fetch(sql, *statement.values)):
            found[getattr(record, parent_attribute)].append(record)
        return {parent_id: self._cut(request, records) for parent_id, records in found.items()}

    async def count(self, database: Readable, where: Callable[[Statement], Sequence[str]]) -> int:
        """Return how many records meet the conditions."""
        statement = Statement(database.dialect)
        others, one_of = _split(where(statement))
        if one_of is None:
            sql = f"SELECT COUNT(*) AS count FROM {self._table}{_where(others)}"
        else:
            sql = f"SELECT COUNT(*) AS count FROM ({self._in_parts('1', one_of.parts, others)}) AS members"
        rows = await database.fetch(sql, *statement.values)
        return int(rows[0]["count"])

    async def counts(
        self,
        database: Readable,
        where: Callable[[Statement], Sequence[str]],
        *,
        parent: str,
        parent_ids: Sequence[int],
    ) -> dict[int, int]:
        """Return how many records of each parent meet the conditions, with one statement."""
        statement = Statement(database.dialect)
        if self._of_parent:
            parents = database.dialect.parents(statement.bind(database.dialect.list_parameter(parent_ids)))
            members = self._in_parts(parent, self._of_parent, where(statement))
            sql = (
                f'SELECT parents."id" AS parent, (SELECT COUNT(*) FROM ({members}) AS members) AS count FROM {parents}'
            )
        else:
            conditions = _where([statement.is_one_of(parent, parent_ids), *where(statement)])
            sql = f"SELECT {parent} AS parent, COUNT(*) AS count FROM {self._table}{conditions} GROUP BY {parent}"
        rows = await database.fetch(sql, *statement.values)
        return dict.fromkeys(parent_ids, 0) | {row["parent"]: row["count"] for row in rows}

    def read(self, dialect: Dialect, rows: Sequence[Any]) -> list[R]:
        """Return the rows as records; the columns must begin with the select list."""
        if not rows:
            return []
        # Column by column: what needs no converting, most of it, is not looked at.
        columns: list[Any] = list(zip(*rows, strict=True))[: self._count]
        for index, convert in self._converters:
            columns[index] = convert(dialect, columns[index])
        return list(map(self._record, *columns))

    def _in_parts(
        self,
        selected: str,
        parts: Sequence[str],
        conditions: Sequence[str],
        ordering: str | None = None,
        limit: int | None = None,
    ) -> str:
        """Return a statement that selects what meets one of the parts and all conditions, each once.

        One part alone is met by way of an index; any of several would be looked for in every row. With an order, no
        more of the first part is selected than can be needed. The others are short: told to read them in order as
        well, PostgreSQL reads everything in that order to look for them.
        """
        selects = []
        for number, part in enumerate(parts):
            met_before = [f"NOT ({other})" for other in parts[:number]]
            select = f"SELECT {selected} FROM {self._table}{_where([part, *met_before, *conditions])}"
            if number == 0 and ordering is not None:
                select = f"SELECT * FROM ({select} ORDER BY {ordering} LIMIT {limit}) AS first_part"
            selects.append(select)
        return " UNION ALL ".join(selects)

    def _cut(self, request: PageRequest, records: list[R]) -> Page[R]:
        return Page(
            records=records if len(records) <= request.first else records[: request.first],
            has_next_page=len(records) > request.first,
            has_previous_page=request.after is not None,
            order=request.order,
        )


def _split(conditions: Sequence[str]) -> tuple[list[str], OneOf | None]:
    """Return the conditions that are met as they stand, and the one that is met in parts, if there is one."""
    one_of = next((condition for condition in conditions if isinstance(condition, OneOf)), None)
    return [condition for condition in conditions if condition is not one_of], one_of


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


def _moments(dialect: Dialect, column: Sequence[Any]) -> Sequence[Any]:
    convert = dialect.datetime
    return [None if value is None else convert(value) for value in column]


def _converter(hint: Any) -> Callable[[Dialect, Sequence[Any]], Sequence[Any]] | None:
    """Return what turns a column's values into the hinted type; None when the driver gives them as they are."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if hint is datetime:
        return _moments
    if hint is bool:
        return lambda _, column: [None if value is None else bool(value) for value in column]
    if typing.get_origin(hint) in (dict, list):
        return lambda dialect, column: [None if value is None else dialect.json(value) for value in column]
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = {None: None, **hint._value2member_map_}
        return lambda _, column: [members[value] for value in column]
    return None
