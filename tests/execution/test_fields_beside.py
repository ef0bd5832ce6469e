"""A field that is declared to run beside the others holds up what is behind it, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    parse,
)

from execution import Computed, Level, LevelExecutor, give_hint

DEPTH = 5


def test_what_is_stored_is_fetched_to_the_end_while_a_slow_field_waits() -> None:
    fetched: list[str] = []
    all_fetched, is_waiting = asyncio.Event(), asyncio.Event()

    async def slow(_: Any, sources: Sequence[Any], arguments: Mapping[str, Any]) -> list[list[str]]:
        is_waiting.set()
        # Whoever waited for this first would wait for ever.
        await all_fetched.wait()
        return [["a", "b"] for _ in sources]

    async def deeper(_: Any, sources: Sequence[str], arguments: Mapping[str, Any]) -> list[str]:
        await is_waiting.wait()
        fetched.extend(sources)
        if len(sources[0]) == DEPTH:
            all_fetched.set()
        return [f"{source}." for source in sources]

    async def failing(_: Any, sources: Sequence[Any], arguments: Mapping[str, Any]) -> list[str]:
        raise LookupError("nothing there")

    thing = GraphQLObjectType("Thing", lambda: fields)
    fields = {
        "name": GraphQLField(GraphQLString),
        "deeper": GraphQLField(thing),
        "slow": GraphQLField(GraphQLList(GraphQLNonNull(thing))),
        "failing": GraphQLField(thing),
    }
    give_hint(fields["name"], Computed(lambda source: source))
    give_hint(fields["deeper"], Level(deeper))
    give_hint(fields["slow"], Level(slow, runs_beside=True))
    give_hint(fields["failing"], Level(failing, runs_beside=True))
    schema = GraphQLSchema(GraphQLObjectType("Query", {"root": GraphQLField(thing, resolve=lambda *_: ".")}))
    deep = "{ deeper " * DEPTH + "{ name }" + " }" * DEPTH
    text = f"{{ root {{ slow {{ name deeper {{ name }} }} failing {{ name }} deeper {deep} }} }}"

    async def run() -> ExecutionResult:
        executor = LevelExecutor.build(schema, parse(text))
        assert isinstance(executor, LevelExecutor)
        result = executor.execute_operation()
        async with asyncio.timeout(20):
            found = await result if executor.is_awaitable(result) else result
        assert isinstance(found, ExecutionResult)
        return found

    result = asyncio.run(run())

    assert result.data is not None
    root = result.data["root"]
    assert root["slow"] == [{"name": name, "deeper": {"name": f"{name}."}} for name in ("a", "b")]
    assert root["failing"] is None
    assert [error.path for error in result.errors or ()] == [["root", "failing"]]
    assert fetched == ["." * count for count in range(1, DEPTH + 2)] + ["a", "b"]
