"""Doing something without doing it: in a transaction that is undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from models.database import Database, Transaction

T = TypeVar("T")


class _Undone(Exception):
    """Everything was done that would be, and is to be undone."""

    def __init__(self, result: Any) -> None:
        super().__init__("undone")
        self.result = result


async def transact_or_try(database: Database, work: Callable[[Transaction], Awaitable[T]], *, is_dry_run: bool) -> T:
    """Run the work in a transaction and return its result; in a dry run, undo all that it did, its events included.

    So what a dry run tells is what would happen. Raises what the work raises.
    """
    if not is_dry_run:
        return await database.transact(work)

    async def undone(transaction: Transaction) -> T:
        raise _Undone(await work(transaction))

    try:
        return await database.transact(undone)
    except _Undone as undone_work:
        result: T = undone_work.result
        return result
