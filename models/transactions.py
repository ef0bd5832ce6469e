"""Transactions of Tortoise that give their connection back however they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient, TransactionContextPooled
from tortoise.backends.sqlite.client import SqliteTransactionContext


@asynccontextmanager
async def open_transaction(connection: BaseDBAsyncClient) -> AsyncIterator[TransactionalDBClient]:
    """Run the block in a transaction: committed at its end, rolled back when it raises.

    Tortoise's own context keeps the connection when BEGIN fails, as it does on a pooled connection whose
    server was restarted: five of those and the pool is dry for good. And a COMMIT that failed may leave the
    transaction open on SQLite's only connection, where the next one's BEGIN would commit it after all.
    """
    context = connection._in_transaction()
    try:
        client = await context.__aenter__()
    except BaseException:
        await _give_back(context)
        raise
    try:
        yield client
        await client.commit()
    except BaseException as error:
        try:
            await context.__aexit__(type(error), error, error.__traceback__)
        except Exception as failure:
            # A connection that is gone can't roll back, and needn't: the server has. The first error is the one
            # that tells what happened.
            error.add_note(f"The rollback failed too: {type(failure).__name__}")
        raise
    await context.__aexit__(None, None, None)


async def _give_back(context: object) -> None:
    if isinstance(context, SqliteTransactionContext):
        if context._trxlock.locked():
            context._trxlock.release()
    elif isinstance(context, TransactionContextPooled):
        client = context.client
        held = getattr(client, "_connection", None)
        pool = getattr(client._parent, "_pool", None)
        if held is not None and pool is not None:
            await pool.release(held)
