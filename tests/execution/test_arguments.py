"""What fields are given is the same in every run, whoever works it out, and belongs to whom it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    parse,
)
from graphql.execution import Executor

from execution import Level, LevelExecutor, PlanCache, give_hint
from tests.execution.answers import answered, told

COLOUR = GraphQLEnumType("Colour", {"RED": 1, "BLUE": "blue"})
POINT = GraphQLInputObjectType(
    "Point", {"x": GraphQLInputField(GraphQLInt), "y": GraphQLInputField(GraphQLInt, default_value=7)}
)
ARGUMENTS = {
    "number": GraphQLArgument(GraphQLInt),
    "numbers": GraphQLArgument(GraphQLList(GraphQLInt), default_value=[1, 2]),
    "text": GraphQLArgument(GraphQLNonNull(GraphQLString), default_value="none", out_name="words"),
    "colour": GraphQLArgument(COLOUR),
    "point": GraphQLArgument(POINT),
}
GIVEN = [
    "",
    "(number: 5)",
    "(number: null)",
    '(number: 5, text: "a", numbers: null)',
    "(colour: BLUE, number: 2)",
    "(numbers: [3], number: 1)",
    "(numbers: 3)",
    "(point: {x: 1})",
    "(point: {x: $n}, number: $n)",
    "(number: $n, text: $t)",
    "(number: $m, numbers: [$n])",
    # None of these passes validation.
    "(number: 99999999999)",
    '(number: "five")',
    "(number: [$n])",
    "(text: null)",
    "(colour: GREEN)",
    "(number: $m, text: 5)",
    "(unheard: 1)",
]
TWICE: Sequence[dict[str, Any]] = ({}, {})


def _schema(**arguments: GraphQLArgument) -> GraphQLSchema:
    async def resolve(_: object, sources: Sequence[Any], given: Mapping[str, Any]) -> list[str]:
        return [repr(given) for _ in sources]

    resolved = GraphQLField(GraphQLString, arguments, resolve=lambda _, __, **given: repr(given))
    level = GraphQLField(GraphQLString, arguments, resolve=lambda _, __, **given: repr(given))
    give_hint(level, Level(resolve))
    return GraphQLSchema(GraphQLObjectType("Query", {"resolved": resolved, "level": level}))


async def _run(
    executor_class: type[Executor[Any]], schema: GraphQLSchema, text: str, variables: Sequence[dict[str, Any]]
) -> list[Any]:
    document, plans = parse(text), PlanCache()
    answers = []
    for values in variables:
        executor = executor_class.build(schema, document, raw_variable_values=values)
        assert isinstance(executor, Executor)
        if isinstance(executor, LevelExecutor):
            executor.plans = plans
        result = await answered(executor)
        answers.append((result.data, told(result)))
    return answers


@pytest.mark.parametrize("given", GIVEN)
def test_each_run_is_given_what_graphql_core_gives(given: str) -> None:
    text = f'query ($n: Int = 4, $m: Int, $t: String = "t") {{ resolved{given} level{given} }}'
    variables: list[dict[str, Any]] = [{}, {"n": 1, "t": "x"}, {"n": None, "m": 2}, {}]
    core = asyncio.run(_run(Executor, _schema(**ARGUMENTS), text, variables))
    assert asyncio.run(_run(LevelExecutor, _schema(**ARGUMENTS), text, variables)) == core


def test_a_required_argument_that_is_missing_fails_each_time() -> None:
    schema = _schema(number=GraphQLArgument(GraphQLNonNull(GraphQLInt)), text=GraphQLArgument(GraphQLString))
    text = '{ resolved(text: "a") level }'
    core = asyncio.run(_run(Executor, schema, text, TWICE))
    assert asyncio.run(_run(LevelExecutor, schema, text, TWICE)) == core
    assert [len(errors) for _, errors in core] == [2, 2]


def test_what_a_resolver_does_to_its_arguments_is_seen_by_nobody_else() -> None:
    seen = []

    def resolve(_: object, __: object, **given: Any) -> None:
        seen.append(repr(given))
        given["items"].append(0)
        given["point"]["x"] = 0
        given.clear()

    arguments = {"items": GraphQLArgument(GraphQLList(GraphQLInt)), "point": GraphQLArgument(POINT)}
    schema = GraphQLSchema(GraphQLObjectType("Query", {"f": GraphQLField(GraphQLInt, arguments, resolve=resolve)}))
    asyncio.run(_run(LevelExecutor, schema, "{ f(items: [1], point: {x: 2}) }", TWICE))
    assert seen == ["{'items': [1], 'point': {'x': 2, 'y': 7}}"] * 2


def test_a_scalar_of_the_schema_is_parsed_anew_in_each_run() -> None:
    numbers = iter(range(9))
    counted = GraphQLScalarType("Counted", parse_value=lambda _: next(numbers))
    schema = _schema(counted=GraphQLArgument(counted), number=GraphQLArgument(GraphQLInt))
    answers = asyncio.run(_run(LevelExecutor, schema, "{ resolved(counted: 1, number: 2) }", TWICE))
    assert [data for data, _ in answers] == [{"resolved": f"{{'counted': {n}, 'number': 2}}"} for n in (0, 1)]
