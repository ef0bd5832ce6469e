"""Answers to operations: had from an executor, and in a form to compare."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from graphql import ExecutionResult
from graphql.execution import Executor


async def answered(executor: Executor[Any]) -> ExecutionResult:
    """Run an executor to its end."""
    result = executor.execute_operation()
    if executor.is_awaitable(result):
        result = await result
    assert isinstance(result, ExecutionResult)
    return result


def shown(data: object) -> str:
    """Return data as text: keys in their order, values with their types."""
    return json.dumps(data, default=repr)


def told(result: ExecutionResult) -> Counter[tuple[str, str, str]]:
    """Return the errors of an answer, in no order."""
    return Counter(
        (repr(error.path), error.message, repr([tuple(location) for location in error.locations or []]))
        for error in result.errors or []
    )
