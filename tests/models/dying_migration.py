"""A process that migrates, and dies at a chosen moment: `python -m tests.models.dying_migration ADDRESS MOMENT`.

One that lives prints how many moments there were.
"""

from __future__ import annotations

import asyncio
import sys

from models.database import Database
from models.migrate import migrate
from tests.dying import die_at


async def main(address: str, moment: int) -> None:
    """Migrate."""
    database = await Database.open(address)
    try:
        # Whoever started us says when: several of us are to begin at once.
        print("ready", flush=True)  # noqa: T201
        sys.stdin.readline()
        count = die_at(moment)
        applied = await migrate(database)
        print(count[0], *applied, flush=True)  # noqa: T201
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
