"""Being told by PostgreSQL that another process has written events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base_postgres.client import BasePostgresClient

CONNECT_TIMEOUT_SECONDS = 10.0
ALIVE_INTERVAL_SECONDS = 30.0
"""How often a silent connection is asked whether it still is one: a cut network says nothing."""

ALIVE_TIMEOUT_SECONDS = 5.0

POOL_SETTINGS = frozenset(
    {
        *("min_size", "max_size", "init_size", "max_queries", "max_inactive_connection_lifetime"),
        *("connect", "setup", "init", "reset", "timeout"),
    }
)
"""What a pool takes and a single connection doesn't, or is given by us."""


class NoticesLost(Exception):
    """The connection over which notices come was lost, or can't be made."""

    def __init__(self, cause: BaseException | None) -> None:
        super().__init__(
            "The connection for notices was lost." if cause is None else f"No notices: {type(cause).__name__}"
        )


async def listen(pool: BaseDBAsyncClient, channel: str, notice: Callable[[], None]) -> None:
    """Call `notice` at the beginning, then at each NOTIFY on the channel. Never returns; raises NoticesLost.

    The connection is one of its own, made as those of the pool are: a listener would hold one of them for good.
    """
    if not isinstance(pool, BasePostgresClient):
        raise TypeError("only PostgreSQL has notices")
    try:
        connection = await asyncpg.connect(
            host=pool.host,
            port=pool.port,
            user=pool.user,
            password=pool.password,
            database=pool.database,
            server_settings=pool.server_settings,
            timeout=CONNECT_TIMEOUT_SECONDS,
            **{name: value for name, value in pool.extra.items() if name not in POOL_SETTINGS},
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NoticesLost(error) from error
    is_lost = asyncio.Event()
    connection.add_termination_listener(lambda _: is_lost.set())
    try:
        await connection.add_listener(channel, _ignoring_arguments(notice))
        # What was written before the connection stood was told to nobody.
        notice()
        await _stay(connection, is_lost)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NoticesLost(error) from error
    finally:
        # At once, and without waiting: nothing is under way on it.
        connection.terminate()
    raise NoticesLost(None)


def _ignoring_arguments(notice: Callable[[], None]) -> Callable[..., None]:
    def told(*_: Any) -> None:
        notice()

    return told


async def _stay(connection: Any, is_lost: asyncio.Event) -> None:
    """Return when the connection is lost; a TimeoutError is an OSError."""
    while not is_lost.is_set():
        try:
            async with asyncio.timeout(ALIVE_INTERVAL_SECONDS):
                await is_lost.wait()
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=ALIVE_TIMEOUT_SECONDS)
