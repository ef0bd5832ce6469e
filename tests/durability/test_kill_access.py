"""kill -9 while several clients change who may pull what: afterwards it is as the events tell, and nothing is lost."""

from __future__ import annotations

import asyncio
import http.client
import random
import signal
import threading
import time
import urllib.error
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.assembly import open_database
from server.settings import read_settings
from tests.databases import until
from tests.durability.access_accounts import require_accounted_for
from tests.durability.access_invariants import require_access_whole, require_pull_access_agrees
from tests.durability.access_replay import replay
from tests.durability.access_world import NAMESPACES, SPACES, AccessClient, Died, Post, new_client_token
from tests.durability.test_kill import SOAK_MINUTES, is_alone
from tests.server.processes import ServerProcess, running_process
from tests.servers.fake_registries import FakeRegistries, running_fake_registries

KILLS = 3
CHANGES_BETWEEN_KILLS = 40
CLIENTS = 4


def test_who_may_pull_what_survives_kills(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    with running_fake_registries() as registries:
        kill_and_look(tmp_path, database_settings, registries, lambda kills, _: kills < KILLS)


@pytest.mark.soak
def test_who_may_pull_what_survives_kills_for_long(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    with running_fake_registries() as registries:
        kill_and_look(
            tmp_path, database_settings, registries, lambda _, started: time.monotonic() < started + 60 * SOAK_MINUTES
        )


def kill_and_look(
    folder: Path,
    database_settings: dict[str, Any],
    registries: FakeRegistries,
    goes_on: Callable[[int, float], bool],
) -> None:
    """Start the server, change things, kill it, look at what is stored; and again."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    clients = [AccessClient(f"client {number}", registries, seed + number) for number in range(CLIENTS)]
    settings = {name.upper(): value for name, value in database_settings.items()}
    # Probes come often, so that they are hit as well.
    settings |= {"PROBE_INTERVAL_SECONDS": "1", "CONSOLE": "false", "ALLOW_LOOPBACK_WORKSPACE_REGISTRIES": "true"}
    with running_process(folder, settings=settings) as server:
        tokens = [new_client_token(post_to(server), client.name) for client in clients]
        clients[0].furnish(post_to(server, tokens[0]))
    started = time.monotonic()
    kills = 0
    while goes_on(kills, started):
        kill_once(folder, settings, clients, tokens)
        kills += 1
        asyncio.run(look(folder / "data", database_settings, clients))
    done = sum(each.codes == [] for client in clients for each in client.book.asked)
    asked = sum(len(client.book.asked) for client in clients)
    print(f"{kills} kills under {asked} mutations, {done} done, all told")  # noqa: T201
    assert done > kills


def kill_once(folder: Path, settings: dict[str, str], clients: Sequence[AccessClient], tokens: Sequence[str]) -> None:
    """Run a server under load and kill it after a random number of changes, in the middle of the others."""
    left = random.randint(1, CHANGES_BETWEEN_KILLS)
    lock = threading.Lock()
    with running_process(folder, settings=settings) as server:

        def go_on(client: AccessClient, post: Post) -> None:
            nonlocal left
            try:
                while True:
                    client.look(post)
                    client.do(client.choose(), post)
                    with lock:
                        left -= 1
                        if left == 0:
                            # At once, or a moment later: others are anywhere in theirs.
                            threading.Timer(
                                random.uniform(0, 0.05), server.process.send_signal, [signal.SIGKILL]
                            ).start()
            except Died:
                return
            except BaseException as error:
                server.process.kill()
                # What it says of the answer's requestId is there, and nowhere else.
                error.add_note(server.stderr)
                raise

        with ThreadPoolExecutor(len(clients)) as pool:
            running = [
                pool.submit(go_on, client, post_to(server, token))
                for client, token in zip(clients, tokens, strict=True)
            ]
            for each in running:
                each.result()
        assert server.process.wait(30) == -signal.SIGKILL
        assert "Traceback" not in server.stderr, server.stderr


def post_to(server: ServerProcess, token: str | None = None) -> Post:
    """Return what sends operations to a server that may die."""

    def post(document: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = server.post(document, variables, token)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            raise Died from error
        assert answer.status == 200, answer.body
        result: dict[str, Any] = answer.json
        return result

    return post


async def look(data: Path, database_settings: dict[str, Any], clients: Sequence[AccessClient]) -> None:
    """Open what is stored as the next start would, and fail unless all that must hold holds."""
    async with open_database(read_settings({}, data=data, **database_settings)) as (database, _):
        if database.dialect.name == "postgres":
            # What the dead server had sent may be going on in the database still.
            await until(lambda: is_alone(database))
        events = await require_access_whole(database)
        await require_accounted_for(database, events, clients, was_killed=True)
        await require_pull_access_agrees(database, replay(events), NAMESPACES, SPACES)
