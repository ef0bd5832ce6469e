"""What the application asks the database for an answer, so that somebody else can ask the same."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from benchmarks.application import OpenApplication, post
from benchmarks.handwritten import Call
from models.versions import read_tables

_is_watched: contextvars.ContextVar[bool] = contextvars.ContextVar("is_watched", default=False)


async def captured_calls(application: OpenApplication, query: str) -> list[Call]:
    """Return the statements that are made to answer a query, in their order; those of the login are left out."""
    database = application.services.database
    fetch: Callable[..., Awaitable[Sequence[Any]]] = database.fetch
    calls: list[Call] = []

    async def noted(sql: str, *parameters: object) -> Sequence[Any]:
        # The background work makes some as well, in contexts that were there before. And it may write what has the
        # token looked up again.
        if _is_watched.get() and "access_token" not in read_tables(sql):
            calls.append((sql, parameters))
        return await fetch(sql, *parameters)

    database.fetch = noted  # type: ignore[method-assign]
    watching = _is_watched.set(True)
    try:
        await post(application.app, application.token, query)
    finally:
        _is_watched.reset(watching)
        del database.fetch
    return calls
