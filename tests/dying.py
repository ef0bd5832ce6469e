"""Processes that die by SIGKILL at a chosen moment: just before their n-th step to a database or a disk."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg

NEVER = 0


def die_at(moment: int) -> list[int]:
    """Have this process killed before its moment-th step; return a list that holds the count so far."""
    count = [0]

    def counted(original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **options)

        return call

    for owner, names in (
        (aiosqlite.Connection, ["_execute"]),
        (asyncpg.Connection, ["execute", "fetch", "fetchrow"]),
        (Path, ["replace"]),
        (os, ["open", "write", "fsync"]),
    ):
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))
    return count
