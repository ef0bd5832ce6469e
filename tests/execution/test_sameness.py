"""Level by level, everything is as graphql-core answers it."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from random import Random
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLError, Source, parse, validate
from graphql.execution import Executor
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from execution import LevelExecutor, PlanCache
from tests.execution.answers import answered, shown, told
from tests.execution.documents import DocumentWriter
from tests.execution.worlds import World

pytestmark = [
    # graphql-core leaves coroutines behind where one of several fails.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]

CASES = int(os.environ.get("SAMENESS_CASES", "2500"))
"""For each of the two tests; five thousand in all."""

MANY = settings(
    max_examples=CASES,
    # The same each time, where nobody asks for more: `make sameness` tries others.
    derandomize="SAMENESS_CASES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
SEEDS = st.integers(0, 2**63)
"""What a case follows from. Drawing every choice by hypothesis itself costs more than what is tried."""


def compared(world: World, text: str) -> tuple[ExecutionResult, ExecutionResult]:
    """Return both answers to a document, which has to be valid: looking for it takes longer than the answers."""
    document = parse(Source(text))
    plans = PlanCache()

    async def answers() -> list[ExecutionResult]:
        found = []
        # A second run goes by the plan that the first one has left.
        for executor_class in (Executor, LevelExecutor, LevelExecutor):
            executor = executor_class.build(world.schema, document)
            assert isinstance(executor, Executor)
            if isinstance(executor, LevelExecutor):
                executor.plans = plans
            found.append(await answered(executor))
        return found

    core, first, second = asyncio.run(answers())
    assert shown(first.data) == shown(second.data)
    assert told(first) == told(second)
    return core, first


def nulls(result: ExecutionResult) -> set[tuple[Any, ...]]:
    """Return what the errors of an answer have nulled: for each, the first null on its path."""
    return {_null_on(result.data, error) for error in result.errors or []}


def _null_on(data: Any, error: GraphQLError) -> tuple[Any, ...]:
    path: list[Any] = []
    for key in error.path or ():
        if data is None:
            break
        data = data[key]
        path.append(key)
    assert data is None, "an error stands for a null"
    return tuple(path)


@MANY
@given(SEEDS, st.sampled_from(["query", "mutation"]))
def test_what_is_at_hand(seed: int, operation: str) -> None:
    random = Random(seed)
    world = World(random, awaits=False)
    root = world.schema.query_type if operation == "query" else world.schema.mutation_type
    assert root is not None
    core, level = compared(world, DocumentWriter(random, world.schema).document(operation, root))
    event("errors" if core.errors else "no errors")

    assert shown(level.data) == shown(core.data)
    assert told(level) == told(core)


@MANY
@given(SEEDS, st.sampled_from(["query", "mutation"]))
def test_what_is_awaited(seed: int, operation: str) -> None:
    random = Random(seed)
    world = World(random, awaits=True)
    root = world.schema.query_type if operation == "query" else world.schema.mutation_type
    assert root is not None
    core, level = compared(world, DocumentWriter(random, world.schema).document(operation, root))
    event("errors" if core.errors else "no errors")

    assert shown(level.data) == shown(core.data)
    # Which of several errors that null the same is told depends on time there, and not here.
    assert nulls(level) == nulls(core)


@pytest.mark.parametrize("awaits", [False, True])
def test_worlds_are_worth_trying(awaits: bool) -> None:
    kinds: Counter[str] = Counter()
    for seed in range(300):
        random = Random(seed)
        world = World(random, awaits=awaits)
        assert world.schema.query_type is not None
        text = DocumentWriter(random, world.schema).document("query", world.schema.query_type)
        assert validate(world.schema, parse(Source(text))) == [], text
        core, _ = compared(world, text)
        kinds["nulled" if core.data is None else "errors" if core.errors else "plain"] += 1
        kinds["large"] += len(shown(core.data)) > 300
    assert min(kinds["nulled"], kinds["errors"], kinds["plain"], kinds["large"]) >= 10, kinds
