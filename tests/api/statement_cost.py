"""How many SQL statements a query makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import structlog

from tests.api.surface import Surface
from tests.serving import RunningServer

TRIES = 10

_numbers = count()


def cost(surface: Surface, query: str, **variables: object) -> tuple[int, Any]:
    """Return how many statements a query makes beside those of who asks, and its data.

    The background work makes some as well, so the least of several tries is what the query needs.
    """
    authentication, _ = _least(surface, "{ __typename }", {})
    statements, data = _least(surface, query, variables)
    return statements - authentication, data


@contextmanager
def noted_statements(server: RunningServer) -> Iterator[list[str]]:
    """Note the statements of requests, without those that find out who asks, and those of background work."""
    database = server.services.database
    original, statements = database.fetch, []

    async def fetch(sql: str, *parameters: object) -> Sequence[Any]:
        if "request_id" in structlog.contextvars.get_contextvars() and '"token_hash"' not in sql:
            statements.append(sql)
        return await original(sql, *parameters)

    database.fetch = fetch  # type: ignore[method-assign]
    try:
        yield statements
    finally:
        del database.fetch


def _least(surface: Surface, query: str, variables: dict[str, object]) -> tuple[int, Any]:
    database = surface.server.services.database
    counts = []
    for _ in range(TRIES):
        # A document of its own, or the answer would be the one that is kept.
        document = f"{query} # {next(_numbers)}"
        before = database.statement_count
        data = surface.server.graphql(document, variables)
        counts.append(database.statement_count - before)
    return min(counts), data
