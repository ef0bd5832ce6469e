"""How many SQL statements a query makes."""

from __future__ import annotations

from typing import Any

from tests.api.surface import Surface

TRIES = 10


def cost(surface: Surface, query: str, **variables: object) -> tuple[int, Any]:
    """Return how many statements a query makes beside those of who asks, and its data.

    The background work makes some as well, so the least of several tries is what the query needs.
    """
    authentication, _ = _least(surface, "{ __typename }", {})
    statements, data = _least(surface, query, variables)
    return statements - authentication, data


def _least(surface: Surface, query: str, variables: dict[str, object]) -> tuple[int, Any]:
    database = surface.server.services.database
    counts = []
    for _ in range(TRIES):
        before = database.statement_count
        data = surface.server.graphql(query, variables)
        counts.append(database.statement_count - before)
    return min(counts), data
