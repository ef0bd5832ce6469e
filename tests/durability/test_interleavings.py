"""Several clients that change who may pull what, all at once, again and again: what is true is what the events tell."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models.database import Transaction
from services.access_writing import lock_access
from tests.durability.access_accounts import require_accounted_for
from tests.durability.access_invariants import deadlock_count, require_access_whole, require_pull_access_agrees
from tests.durability.access_replay import replay
from tests.durability.access_world import NAMESPACES, SPACES, AccessClient, Asked, new_client_token
from tests.durability.replicas import running_replicas
from tests.servers.fake_registries import running_fake_registries
from tests.serving import RunningServer

CLIENTS = 4
ROUNDS = 100
SOAK_ROUNDS = 1000
ROUNDS_BETWEEN_LOOKS = 20


def test_what_is_done_at_once_is_done_in_some_order(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    interleave(tmp_path, database_settings, ROUNDS)


@pytest.mark.soak
def test_what_is_done_at_once_a_thousand_times_is_done_in_some_order(
    tmp_path: Path, database_settings: dict[str, Any]
) -> None:
    interleave(tmp_path, database_settings, SOAK_ROUNDS)


def interleave(folder: Path, database_settings: dict[str, Any], rounds: int) -> None:
    """Let clients do one mutation each at the same time, that often, and look at what came of it."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    with running_fake_registries() as registries, running_replicas(folder, database_settings) as servers:
        clients = [AccessClient(f"client {number}", registries, seed + number) for number in range(CLIENTS)]
        posts = []
        for number, client in enumerate(clients):
            server = servers[number % len(servers)]
            token = new_client_token(servers[0].post, client.name)
            posts.append(partial(server.post, token=token))
        clients[0].furnish(posts[0])
        steward = random.Random(seed)
        outcomes: Counter[str] = Counter()
        with ThreadPoolExecutor(CLIENTS + 1) as threads:
            for round_ in range(1, rounds + 1):
                asked = at_once(threads, clients, posts, steward, servers[0])
                outcomes.update("refused" if each.codes else "done" for each in asked)
                if round_ % ROUNDS_BETWEEN_LOOKS == 0 or round_ == rounds:
                    servers[0].run(look(servers[0], clients))
    print(f"{rounds} interleavings of {CLIENTS} mutations: {dict(outcomes)}")  # noqa: T201
    # Else nothing was tried.
    assert outcomes["done"] > rounds
    assert outcomes["refused"] > rounds // 4


def at_once(
    threads: ThreadPoolExecutor,
    clients: Sequence[AccessClient],
    posts: Sequence[Any],
    steward: random.Random,
    server: RunningServer,
) -> list[Asked]:
    """Have each client see what there is, then all do something with that at the same time; return what they asked."""
    for looking in [threads.submit(client.look, post) for client, post in zip(clients, posts, strict=True)]:
        looking.result()
    asked = [client.choose() for client in clients]
    barrier = threading.Barrier(len(clients) + 1)

    def do(client: AccessClient, each: Asked, post: Any) -> None:
        barrier.wait()
        client.do(each, post)

    running = [threads.submit(do, *all_) for all_ in zip(clients, asked, posts, strict=True)]
    barrier.wait()
    if steward.random() < 0.3:
        enforcing = make_true if steward.random() < 0.5 else try_to_make_true
        server.run(server.services.database.transact(enforcing))
    for each in running:
        each.result()
    return asked


async def try_to_make_true(transaction: Transaction) -> None:
    """Write that it was begun to make everything true: from now on it may be in force."""
    await lock_access(transaction)
    await transaction.execute('UPDATE "registry_enforcement" SET "attempted_version" = "desired_version"')


async def make_true(transaction: Transaction) -> None:
    """Write that everything is true at its registry, and let go what was taken away."""
    await try_to_make_true(transaction)
    await transaction.execute('UPDATE "registry_enforcement" SET "applied_version" = "attempted_version"')
    await transaction.execute('DELETE FROM "binding" WHERE "revoked_at" IS NOT NULL')
    await transaction.execute(
        'DELETE FROM "workspace" WHERE "deleted_at" IS NOT NULL AND "id" NOT IN (SELECT "workspace_id" FROM "binding")'
    )


async def look(server: RunningServer, clients: Sequence[AccessClient]) -> None:
    """Fail unless all that must hold holds."""
    database = server.services.database
    events = await require_access_whole(database)
    await require_accounted_for(database, events, clients, was_killed=False)
    await require_pull_access_agrees(database, replay(events), NAMESPACES, SPACES)
    assert await deadlock_count(database) == 0
