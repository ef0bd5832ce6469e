"""What every command begins with: its settings, and a loop to run in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from models.database import Database
from server.assembly import open_database
from server.log_setup import set_up_logs
from server.operator_errors import clear_errors
from server.settings import Settings, read_settings
from services.clock import utc_now
from services.installation import ensure_installation

T = TypeVar("T")


def command_settings(**overrides: Any) -> Settings:
    """Return the settings, with the logs set up as they say. Raises InvalidSettings."""
    settings = read_settings(**overrides)
    set_up_logs(settings.log_format, settings.log_level)
    return settings


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own and return its result."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Run work on the opened database and return its result; what the operator can put right ends the process."""

    async def run(settings: Settings) -> T:
        async with open_database(settings) as (database, cipher):
            await ensure_installation(database, cipher, utc_now)
            return await work(database)

    with clear_errors():
        return run_to_end(run(command_settings()))
