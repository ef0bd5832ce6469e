"""kill -9 while a registry sends notifications: what was acknowledged is to be looked at by the next start."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import threading
import urllib.error
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from models.database import Database, Transaction
from server.assembly import open_database
from server.settings import read_settings
from tests.api.fake_registry import running_fake_registry
from tests.databases import until
from tests.durability.test_kill import is_alone
from tests.server.processes import ServerProcess, running_process
from tests.services.notifying import CONTENT_TYPE

KILLS = 2
MOST_BEFORE_A_KILL = 60
SENDERS = 2

INTEGRATE = """mutation ($url: URL!) {
  integrateRegistry(input: {name: "one", kind: DOCKER_REGISTRY, url: $url}) { integration { id } errors { message } }
}"""
ROTATE = """mutation ($id: ID!) {
  rotateHookSecret(input: {integrationId: $id}) { secret integration { hook { url } } errors { message } }
}"""


def test_what_was_acknowledged_is_not_lost(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    # Nothing is measured: what is noted stays.
    settings = {"USAGE_INTERVAL_SECONDS": "0", "CONSOLE": "false"}
    settings |= {name.upper(): value for name, value in database_settings.items()}
    names = [f"team/app-{number}" for number in range(1000)]
    with running_fake_registry() as registry:
        registry.repositories = names
        with running_process(tmp_path, settings=settings) as server:
            integration = data_of(server, INTEGRATE, {"url": registry.url})["integrateRegistry"]["integration"]
            rotated = data_of(server, ROTATE, {"id": integration["id"]})["rotateHookSecret"]
        public_id = rotated["integration"]["hook"]["url"].rpartition("/")[2]
        fresh = iter(names)
        for _ in range(KILLS):
            asyncio.run(look(tmp_path / "data", database_settings, forget))
            acknowledged = send_and_kill(tmp_path, settings, public_id, rotated["secret"], fresh)
            noted = asyncio.run(look(tmp_path / "data", database_settings, noted_names))
            assert acknowledged <= noted
            # And at most what was under way besides.
            assert len(noted - acknowledged) <= SENDERS


def data_of(server: ServerProcess, query: str, variables: dict[str, Any]) -> Any:
    """Send an operation that must succeed and return its data."""
    answer = server.post(query, variables).json
    assert "errors" not in answer
    return answer["data"]


def send_and_kill(
    folder: Path, settings: dict[str, str], public_id: str, secret: str, names: Iterable[str]
) -> set[str]:
    """Send one notification after the other, each of another repository, until a kill; return what was acknowledged."""
    acknowledged: set[str] = set()
    left, lock = count(-random.randint(1, MOST_BEFORE_A_KILL)), threading.Lock()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": CONTENT_TYPE}
    with running_process(folder, settings=settings) as server:

        def send() -> None:
            while True:
                with lock:
                    name = next(iter(names))
                target = {"repository": name, "tag": "1", "digest": "sha256:" + "0" * 64}
                body = json.dumps({"events": [{"action": "push", "target": target}]}).encode()
                try:
                    status = server.request("POST", f"/hooks/distribution/{public_id}", body, headers).status
                except (OSError, urllib.error.URLError):
                    return
                assert status == 200
                with lock:
                    acknowledged.add(name)
                    if next(left) == 0:
                        threading.Timer(random.uniform(0, 0.02), server.process.send_signal, [signal.SIGKILL]).start()

        with ThreadPoolExecutor(SENDERS) as pool:
            for each in [pool.submit(send) for _ in range(SENDERS)]:
                each.result()
        assert server.process.wait(30) == -signal.SIGKILL
    return acknowledged


async def look(data: Path, database_settings: dict[str, Any], work: Any) -> Any:
    """Open what is stored as the next start would, and return what is made of it."""
    async with open_database(read_settings({}, data=data, **database_settings)) as (database, _):
        if database.dialect.name == "postgres":
            # What the dead server had sent may be going on in the database still.
            await until(partial(is_alone, database))
        return await work(database)


async def forget(database: Database) -> None:
    """Take away what is noted."""

    async def work(transaction: Transaction) -> None:
        await transaction.execute('DELETE FROM "usage_hint"')

    await database.transact(work)


async def noted_names(database: Database) -> set[str]:
    """Return the repositories of which a tag is to be looked at."""
    rows = await database.fetch('SELECT "repository_name" FROM "usage_hint"')
    return {row["repository_name"].removesuffix(":1") for row in rows}
