"""From what fields hold to what the answer has for it: leaves, lists, objects of this type or that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from copy import copy
from functools import partial
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo, Undefined
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import is_iterable

from execution.failures import LAST, Failure, NotedErrors
from execution.plan import FieldPlan, Kind, Layer, instances_of, sub_selection_plan
from execution.results import (
    BUBBLE,
    FieldColumn,
    Group,
    LeafResult,
    ListResult,
    ObjectResult,
    Place,
    Result,
    path_of,
)

if TYPE_CHECKING:
    from execution.executor import LevelExecutor

_PLAIN = frozenset((str, bytes, int, float, bool, type(None), list, tuple, dict, set, frozenset))

Taker: TypeAlias = Callable[[Sequence[Any]], None]
"""Takes what was awaited; what raised is there as an exception."""


class Completer:
    """Completes columns. What they lead to is left in `groups` and `awaited`, for the run to go on with."""

    def __init__(self, executor: LevelExecutor) -> None:
        self._executor = executor
        self.groups: list[Group] = []
        self.awaited: list[tuple[Sequence[Awaitable[Any]], Taker]] = []
        self._failures: list[Failure] = []
        self._noted: list[tuple[Place, NotedErrors]] = []

    def failures(self) -> list[Failure]:
        """Return everything that has failed, in no order."""
        return self._failures + [
            Failure(place, error, sequence, path)
            for place, noted in self._noted
            for sequence, (error, path) in enumerate(noted.told)
        ]

    def complete(self, column: FieldColumn, values: Sequence[Any]) -> None:
        """Take what a field holds for all objects of its group."""
        field = column.field
        # What hints hold is plain, by their contract.
        is_plain = field.hint is not None and not self._executor.middleware_manager
        if is_plain or field.layers[0].kind is not Kind.LIST:
            column.result = self._completed(column, 0, values)
            return
        values = [_at_hand(field, 0, value) for value in values]
        odd = [number for number, value in enumerate(values) if self._is_odd(field, 0, value)]
        if not odd:
            column.result = self._completed(column, 0, values)
            return
        left = set(odd)
        column.numbers = [number for number in range(len(values)) if number not in left]
        column.result = self._completed(column, 0, [values[number] for number in column.numbers])
        self._leave_to_graphql_core(column, [(number, values[number]) for number in odd])

    def _completed(self, origin: FieldColumn | ListResult, depth: int, values: Sequence[Any]) -> Result:
        layer = _field_of(origin).layers[depth]
        if layer.kind is Kind.LEAF:
            return self._completed_leaves(origin, layer, values)
        if layer.kind is Kind.LIST:
            return self._completed_lists(origin, layer, depth, values)
        return self._completed_objects(origin, layer, values)

    def _completed_leaves(self, origin: FieldColumn | ListResult, layer: Layer, values: Sequence[Any]) -> LeafResult:
        if layer.column is None:
            raise AssertionError("a leaf has its column")
        completed, failures = layer.column(values)
        if not layer.is_non_null:
            for number, error in failures:
                self._fail(origin, number, error)
            return LeafResult(completed, has_bubbles=False)
        if not failures and None not in completed:
            return LeafResult(completed, has_bubbles=False)
        failed = dict(failures)
        bubbling = [BUBBLE if value is None else value for value in completed]
        for number, value in enumerate(bubbling):
            if value is BUBBLE:
                self._fail(origin, number, failed.get(number) or _null_error(origin))
        return LeafResult(bubbling, has_bubbles=True)

    def _completed_lists(
        self, origin: FieldColumn | ListResult, layer: Layer, depth: int, values: Sequence[Any]
    ) -> ListResult:
        lengths: list[Any] = []
        items: list[Any] = []
        result = ListResult(origin, lengths, is_non_null=layer.is_non_null)
        for number, value in enumerate(values):
            if type(value) is list or type(value) is tuple:
                items += value
                lengths.append(len(value))
            elif _is_none_or_failure(type(value)):
                lengths.append(self._instead(origin, number, layer, value))
            elif is_iterable(value):
                given = list(value)
                items += given
                lengths.append(len(given))
            else:
                field = _field_of(origin)
                what = f"Expected Iterable, but did not find one for field '{field.parent_type}.{_name_of(field)}'."
                lengths.append(self._instead(origin, number, layer, GraphQLError(what)))
        result.inner = self._completed(result, depth + 1, items)
        return result

    def _completed_objects(self, origin: FieldColumn | ListResult, layer: Layer, values: Sequence[Any]) -> ObjectResult:
        result = ObjectResult(origin, len(values), is_non_null=layer.is_non_null)
        if not values:
            return result
        if layer.kind is Kind.OBJECT:
            if _are_of(layer.type, values):
                self._add_group(result, layer.type, values, None)
                return result
            # Nulls and failures among them, mostly: the others are looked at together all the same.
            kinds = {kind for kind in set(map(type, values)) if not _is_none_or_failure(kind)}
            are_objects = list(map(kinds.__contains__, map(type, values)))
            objects = list(compress(values, are_objects))
            if len(objects) < len(values) and _are_of(layer.type, objects):
                for number in compress(range(len(values)), map(not_, are_objects)):
                    result.nulls[number] = self._instead(origin, number, layer, values[number])
                if objects:
                    self._add_group(result, layer.type, objects, list(compress(range(len(values)), are_objects)))
                return result
        by_type: dict[GraphQLObjectType, tuple[list[Any], list[int]]] = {}
        for number, value in enumerate(values):
            if _is_none_or_failure(type(value)):
                result.nulls[number] = self._instead(origin, number, layer, value)
                continue
            try:
                type_ = self._type_of(origin, number, layer, value)
            except Exception as error:
                result.nulls[number] = self._instead(origin, number, layer, error)
                continue
            if isinstance(type_, GraphQLObjectType):
                of_type, numbers = by_type.setdefault(type_, ([], []))
                of_type.append(value)
                numbers.append(number)
            else:
                self.awaited.append(([type_], partial(self._take_type, result, layer, number, value)))
        for type_, (of_type, numbers) in by_type.items():
            self._add_group(result, type_, of_type, None if len(numbers) == len(values) else numbers)
        return result

    def _take_type(
        self, result: ObjectResult, layer: Layer, number: int, value: object, awaited: Sequence[Any]
    ) -> None:
        (type_,) = awaited
        if isinstance(type_, Exception):
            result.nulls[number] = self._instead(result.origin, number, layer, type_)
        else:
            self._add_group(result, type_, [value], [number])

    def _type_of(
        self, origin: FieldColumn | ListResult, number: int, layer: Layer, value: object
    ) -> GraphQLObjectType | Awaitable[GraphQLObjectType]:
        """Return the type of an object, or what yields it. Raises what is wrong with it."""
        executor, field = self._executor, _field_of(origin)
        column, object_number, _ = origin.place(number)
        info = resolve_info(executor, column, object_number)

        def checked(name: Any) -> GraphQLObjectType | Awaitable[GraphQLObjectType]:
            type_ = executor.ensure_valid_runtime_type(name, layer.type, field.details, info, value)
            return self._of_type(field, type_, value, info)

        async def awaited(name: Awaitable[Any]) -> GraphQLObjectType:
            type_ = checked(await name)
            return type_ if isinstance(type_, GraphQLObjectType) else await type_

        if layer.kind is Kind.OBJECT:
            return self._of_type(field, layer.type, value, info)
        resolve_type = layer.type.resolve_type or executor.type_resolver
        name = resolve_type(value, info, layer.type)
        return awaited(name) if executor.is_awaitable(name) else checked(name)

    def _of_type(
        self, field: FieldPlan, type_: GraphQLObjectType, value: object, info: GraphQLResolveInfo[Any]
    ) -> GraphQLObjectType | Awaitable[GraphQLObjectType]:
        """Return the type, if the value is of it, or what yields that. Raises GraphQLError when it isn't."""
        if type_.is_type_of is None:
            return type_
        classes = instances_of(type_)
        if classes is not None and type(value) in classes:
            return type_
        answer = type_.is_type_of(value, info)

        def checked(is_of_type: object) -> GraphQLObjectType:
            if not is_of_type:
                raise invalid_return_type_error(type_, value, field.details)
            return type_

        async def awaited(answer: Awaitable[bool]) -> GraphQLObjectType:
            return checked(await answer)

        return awaited(answer) if self._executor.is_awaitable(answer) else checked(answer)

    def _add_group(
        self, result: ObjectResult, type_: GraphQLObjectType, sources: Sequence[Any], numbers: list[int] | None
    ) -> None:
        plan = sub_selection_plan(self._executor, _field_of(result.origin), type_)
        group = Group(plan, sources, result, numbers)
        result.groups.append(group)
        self.groups.append(group)

    def _instead(self, origin: FieldColumn | ListResult, number: int, layer: Layer, value: object) -> Any:
        """Return what stands in the place of a null or a failure, and note the failure."""
        if isinstance(value, Exception):
            self._fail(origin, number, value)
        elif layer.is_non_null:
            self._fail(origin, number, _null_error(origin))
        else:
            return None
        return BUBBLE if layer.is_non_null else None

    def _fail(self, origin: FieldColumn | ListResult, number: int, error: Exception) -> None:
        self._failures.append(Failure(origin.place(number), error))

    # What graphql-core completes, value by value

    def _is_odd(self, field: FieldPlan, depth: int, value: Any) -> bool:
        """Return whether a list holds something that has to be awaited, or can only be awaited itself."""
        if not isinstance(value, Collection):
            return self._executor.is_async_iterable(value)
        if isinstance(value, str):
            return False
        is_nested = field.layers[depth + 1].kind is Kind.LIST
        return any(
            (type(item) not in _PLAIN and self._executor.is_awaitable(item))
            or (is_nested and self._is_odd(field, depth + 1, item))
            for item in value
        )

    def _leave_to_graphql_core(self, column: FieldColumn, values: Sequence[tuple[int, Any]]) -> None:
        field = column.field
        settled: list[tuple[int, Any]] = []
        numbers: list[int] = []
        awaitables: list[Awaitable[Any]] = []
        for number, value in values:
            executor = copy(self._executor)
            executor.collected_errors = noted = NotedErrors()
            self._noted.append(((column, number, ()), noted))
            path = path_of((column, number, ()))
            try:
                completed = executor.complete_value(
                    field.definition.type, field.details, resolve_info(executor, column, number), path, value, None
                )
            except Exception as error:
                completed = error
            if executor.is_awaitable(completed):
                numbers.append(number)
                awaitables.append(completed)
            else:
                settled.append((number, completed))
        self._settle(column, settled)
        if numbers:
            self.awaited.append((awaitables, lambda awaited: self._settle(column, zip(numbers, awaited, strict=True))))

    def _settle(self, column: FieldColumn, completed: Iterable[tuple[int, Any]]) -> None:
        layer = column.field.layers[0]
        for number, value in completed:
            if isinstance(value, Exception):
                self._failures.append(Failure((column, number, ()), value, sequence=LAST))
                column.settled[number] = BUBBLE if layer.is_non_null else None
            else:
                column.settled[number] = value


def resolve_info(executor: LevelExecutor, column: FieldColumn, number: int) -> GraphQLResolveInfo[Any]:
    """Return what the resolver of a field wants to know, for one object of its group."""
    field = column.field
    return executor.build_resolve_info(field.definition, field.nodes, field.parent_type, path_of((column, number, ())))


def _at_hand(field: FieldPlan, depth: int, value: Any) -> Any:
    """Return a value with all that can be walked through only once as a list, or what walking through it raised."""
    if field.layers[depth].kind is not Kind.LIST or isinstance(value, str | Exception) or not is_iterable(value):
        return value
    is_nested = field.layers[depth + 1].kind is Kind.LIST
    if isinstance(value, Collection) and not is_nested:
        return value
    try:
        return [_at_hand(field, depth + 1, item) for item in value]
    except Exception as error:
        return error


def _is_none_or_failure(kind: type) -> bool:
    return kind is type(None) or kind is type(Undefined) or issubclass(kind, Exception)


def _are_of(type_: GraphQLObjectType, values: Sequence[Any]) -> bool:
    """Return whether it shows from the classes of values alone that they are objects of a type."""
    kinds = set(map(type, values))
    classes = instances_of(type_)
    if classes is not None and kinds <= classes:
        return True
    return type_.is_type_of is None and not any(map(_is_none_or_failure, kinds))


def _field_of(origin: FieldColumn | ListResult) -> FieldPlan:
    while isinstance(origin, ListResult):
        origin = origin.origin
    return origin.field


def _name_of(field: FieldPlan) -> str:
    return field.details[0].node.name.value


def _null_error(origin: FieldColumn | ListResult) -> TypeError:
    field = _field_of(origin)
    return TypeError(f"Cannot return null for non-nullable field {field.parent_type}.{_name_of(field)}.")
