"""The loop: resolve the columns of a group, complete them, go on with the groups that they made.

What is declared (`Loaded`, `Level`) is fetched level by level: all that the groups at hand want, then on with what
came. What a resolver returned to be awaited, and what is declared to run beside it, runs in tasks, and holds up
only what is behind.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from graphql.pyutils import Path

from execution.completing import Completer, Taker, resolve_info
from execution.failures import tell_failures
from execution.hints import Level, Loaded
from execution.plan import FieldPlan, SelectionPlan
from execution.results import FieldColumn, Group, LeafResult

if TYPE_CHECKING:
    from execution.executor import LevelExecutor


@dataclass(slots=True)
class _Wanted:
    """A column whose values are fetched for the whole level."""

    column: FieldColumn
    keys: Sequence[Any]
    arguments: Mapping[str, Any]


class Run:
    """One run over a selection, from one object on."""

    def __init__(self, executor: LevelExecutor, plan: SelectionPlan, source: object, base: Path | None) -> None:
        self._executor = executor
        self._root = Group(plan, [source], None, None, base)
        self._groups: list[Group] = []
        self._completer = Completer(executor)
        self._completer.groups.append(self._root)
        self._wanted: list[_Wanted] = []
        self._tasks: dict[asyncio.Future[list[Any]], Taker] = {}

    def start(self) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        """Return the object's answer, or what yields it. Raises GraphQLError when the object itself is to be null."""
        self._advance()
        if self._wanted or self._completer.awaited:
            return self._finish()
        return self._answer()

    async def _finish(self) -> dict[str, Any]:
        try:
            while self._wanted or self._completer.awaited or self._tasks:
                if len(self._completer.awaited) == 1 and not self._wanted and not self._tasks:
                    # A small query, mostly: nothing is beside it, so no task is needed.
                    ((awaitables, take),) = self._completer.awaited
                    self._completer.awaited = []
                    take(await _all_of(awaitables))
                    self._advance()
                    continue
                self._start_awaiting()
                if self._wanted:
                    wanted, self._wanted = self._wanted, []
                    await self._fetch(wanted)
                elif self._tasks:
                    done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        self._tasks.pop(task)(task.result())
                self._advance()
        finally:
            if self._tasks:
                for task in self._tasks:
                    task.cancel()
                await asyncio.wait(self._tasks)
        return self._answer()

    def _start_awaiting(self) -> None:
        awaited, self._completer.awaited = self._completer.awaited, []
        for awaitables, take in awaited:
            self._tasks[asyncio.ensure_future(_all_of(awaitables))] = take

    def _advance(self) -> None:
        """Resolve everything that can be without waiting."""
        while self._completer.groups:
            groups, self._completer.groups = self._completer.groups, []
            for group in groups:
                self._groups.append(group)
                for field in group.plan.fields:
                    column = FieldColumn(group, field)
                    group.columns.append(column)
                    self._resolve(column)

    def _resolve(self, column: FieldColumn) -> None:
        field, sources = column.field, column.group.sources
        hint = None if self._executor.middleware_manager else field.hint
        if field.is_typename:
            column.result = LeafResult([column.group.plan.type.name] * len(sources), has_bubbles=False)
        elif hint is None:
            self._call_resolvers(column)
        elif isinstance(hint, Level):
            try:
                arguments = field.arguments.coerced(self._executor)
            except GraphQLError as error:
                self._completer.complete(column, [error] * len(sources))
            else:
                wanted = _Wanted(column, sources, arguments)
                if hint.runs_beside:
                    self._begin_beside(hint, wanted)
                else:
                    self._wanted.append(wanted)
        else:
            values = _gotten(field, sources)
            if isinstance(hint, Loaded):
                self._wanted.append(_Wanted(column, values, {}))
            else:
                self._completer.complete(column, values)

    def _begin_beside(self, hint: Level, wanted: _Wanted) -> None:
        def take(awaited: Sequence[Any]) -> None:
            ((values,),) = awaited
            self._completer.complete(wanted.column, values)

        self._completer.awaited.append(([self._fetch_level(hint, wanted)], take))

    def _call_resolvers(self, column: FieldColumn) -> None:
        executor, field, group = self._executor, column.field, column.group
        resolve = field.definition.resolve or executor.field_resolver
        if executor.middleware_manager:
            resolve = executor.middleware_manager.get_field_resolver(resolve)
        values: list[Any] = []
        numbers: list[int] = []
        awaitables: list[Awaitable[Any]] = []
        for number, source in enumerate(group.sources):
            try:
                # Coerced for each, as resolvers may change what they are given.
                value = resolve(source, resolve_info(executor, column, number), **field.arguments.coerced(executor))
                if executor.is_awaitable(value):
                    numbers.append(number)
                    awaitables.append(value)
            except Exception as error:
                value = error
            values.append(value)
        if not numbers:
            self._completer.complete(column, values)
            return

        def take(awaited: Sequence[Any]) -> None:
            for number, value in zip(numbers, awaited, strict=True):
                values[number] = value
            self._completer.complete(column, values)

        self._completer.awaited.append((awaitables, take))

    async def _fetch(self, wanted: Sequence[_Wanted]) -> None:
        """Fetch what is declared, all of it side by side, and what has the same loader at once."""
        by_loader: defaultdict[Any, list[_Wanted]] = defaultdict(list)
        works: list[Awaitable[Sequence[Sequence[Any]]]] = []
        parts: list[Sequence[_Wanted]] = []
        for each in wanted:
            hint = each.column.field.hint
            if isinstance(hint, Loaded):
                by_loader[hint.loader].append(each)
            elif isinstance(hint, Level):
                works.append(self._fetch_level(hint, each))
                parts.append([each])
        for together in by_loader.values():
            works.append(self._fetch_keys(together))
            parts.append(together)
        if len(works) == 1:
            fetched = [await works[0]]
        else:
            fetched = await _all_or_cancel(works)
        for part, columns in zip(parts, fetched, strict=True):
            for each, values in zip(part, columns, strict=True):
                self._completer.complete(each.column, values)

    async def _fetch_level(self, hint: Level, wanted: _Wanted) -> Sequence[Sequence[Any]]:
        try:
            values = await hint.resolve(self._executor.context_value, wanted.keys, wanted.arguments)
        except Exception as error:
            return [[error] * len(wanted.keys)]
        return [values]

    async def _fetch_keys(self, wanted: Sequence[_Wanted]) -> Sequence[Sequence[Any]]:
        hint: Any = wanted[0].column.field.hint
        context = self._executor.context_value
        keys = list(
            dict.fromkeys(
                key for each in wanted for key in each.keys if key is not None and not isinstance(key, Exception)
            )
        )
        found: Mapping[Any, Any] = {}
        if keys:
            try:
                found = await hint.load(context, keys)
            except Exception as error:
                found = dict.fromkeys(keys, error)
        answers = {key: found.get(key) for key in keys}
        answers[None] = None
        return [
            _made(each, [key if isinstance(key, Exception) else answers[key] for key in each.keys]) for each in wanted
        ]

    def _answer(self) -> dict[str, Any]:
        failures = self._completer.failures()
        fatal = tell_failures(self._executor, failures) if failures else None
        if fatal is not None:
            raise fatal
        for group in reversed(self._groups):
            group.assemble()
        answer: dict[str, Any] = self._root.objects[0]
        return answer


def _gotten(field: FieldPlan, sources: Sequence[Any]) -> Sequence[Any]:
    getter = field.getter
    if getter is None:
        raise AssertionError("a hint by attribute has its getter")
    try:
        return list(map(getter, sources))
    except Exception:
        return [_one_gotten(getter, source) for source in sources]


def _one_gotten(getter: Any, source: object) -> Any:
    try:
        return getter(source)
    except Exception as error:
        return error


def _made(wanted: _Wanted, fetched: Sequence[Any]) -> Sequence[Any]:
    """Return the values of fields of what was fetched for them."""
    hint = wanted.column.field.hint
    if not isinstance(hint, Loaded) or hint.made_by is None:
        return fetched
    return [_one_made(hint.made_by, *each) for each in zip(wanted.column.group.sources, fetched, strict=True)]


def _one_made(made_by: Callable[[Any, Any], Any], source: object, value: Any) -> Any:
    if value is None or isinstance(value, Exception):
        return value
    try:
        return made_by(source, value)
    except Exception as error:
        return error


async def _all_of(awaitables: Sequence[Awaitable[Any]]) -> list[Any]:
    """Return what each yields, or the exception that it raises."""
    if len(awaitables) == 1:
        return [await _one_of(awaitables[0])]
    return list(await asyncio.gather(*map(_one_of, awaitables)))


async def _one_of(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except Exception as error:
        return error


async def _all_or_cancel(works: Sequence[Awaitable[Any]]) -> list[Any]:
    """Return what each yields; cancelled, none goes on."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
