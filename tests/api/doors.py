"""Mutations that go in at several servers of one database at the same time."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from models.database import Transaction
from services.access_writing import lock_access
from tests.durability.access_invariants import deadlock_count, require_access_whole
from tests.servers.fake_registries import FakeRegistries
from tests.serving import RunningServer

Call = tuple[str, dict[str, Any], str]
"""A mutation, its input, and what is wanted of its payload."""

ERRORS = "errors { code path ... on NamespaceTaken { holder { id } } }"


class Doors:
    """One or more servers on one database; each mutation goes in at any of them, as the administrator."""

    def __init__(self, servers: Sequence[RunningServer], registries: FakeRegistries) -> None:
        self._servers = servers
        self._token = servers[0].admin_token
        self._numbers = count()
        self._threads = ThreadPoolExecutor(3)
        self.registries = registries

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def new_name(self) -> str:
        """Return a name that nothing has yet."""
        return f"n{next(self._numbers)}"

    def mutate(self, mutation: str, given: dict[str, Any], selection: str = "__typename") -> dict[str, Any]:
        """Run a mutation and return its payload: whatever is in the way, it is told there."""
        document = (
            f"mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!)"
            f" {{ {mutation}(input: $input) {{ {selection} {ERRORS} }} }}"
        )
        result = random.choice(self._servers).post(document, {"input": given}, self._token)
        assert "errors" not in result, result["errors"]
        payload: dict[str, Any] = result["data"][mutation]
        return payload

    def do(self, mutation: str, given: dict[str, Any], selection: str = "__typename") -> dict[str, Any]:
        """Run a mutation that must succeed and return its payload."""
        payload = self.mutate(mutation, given, selection)
        assert payload["errors"] == []
        return payload

    def at_once(self, *calls: Call) -> list[dict[str, Any]]:
        """Run mutations at the same time and return their payloads, in order."""
        barrier = threading.Barrier(len(calls))

        def run(call: Call) -> dict[str, Any]:
            barrier.wait()
            return self.mutate(*call)

        return [each.result() for each in [self._threads.submit(run, call) for call in calls]]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        server = self._servers[0]
        return [tuple(row) for row in server.run(server.services.database.fetch(sql))]

    def events(self, *types: str) -> int:
        """Return how many events of these types there are."""
        names = ", ".join(f"'{type_}'" for type_ in types)
        (row,) = self.rows(f'SELECT COUNT(*) FROM "event" WHERE "type" IN ({names})')
        return int(row[0])

    def write(self, sql: str) -> None:
        """Run a statement in a transaction that holds the lock of access."""

        async def work(transaction: Transaction) -> None:
            await lock_access(transaction)
            await transaction.execute(sql)

        server = self._servers[0]
        server.run(server.services.database.transact(work))

    def require_whole(self) -> None:
        """Fail unless everything holds that must."""
        server = self._servers[0]
        server.run(require_access_whole(server.services.database))
        assert server.run(deadlock_count(server.services.database)) == 0

    def workspace(self, **given: Any) -> str:
        """Make a workspace and return its id."""
        payload = self.do("createWorkspace", {"name": self.new_name(), **given}, "workspace { id }")
        return str(payload["workspace"]["id"])

    def integration(self, *repositories: str) -> str:
        """Integrate a registry with these repositories and return its id."""
        given = self.new_registry(*repositories)
        return str(self.do("integrateRegistry", given, "integration { id }")["integration"]["id"])

    def new_registry(self, *repositories: str) -> dict[str, Any]:
        """Return what it takes to integrate a registry."""
        name = self.new_name()
        self.registries.repositories[name] = list(repositories)
        url = self.registries.url(name)
        return {"name": name, "kind": "DOCKER_REGISTRY", "url": url, "imageHost": f"{name}.example"}

    def declared(self, integration_id: str) -> str:
        """Declare a space and return its id."""
        given = {"integrationId": integration_id, "name": self.new_name()}
        return str(self.do("createSpace", given, "space { id }")["space"]["id"])

    def found(self, integration_id: str) -> str:
        """Return the id of the one space of a registry."""
        query = f'{{ integration(id: "{integration_id}") {{ spaces(first: 1) {{ nodes {{ id }} }} }} }}'
        (space,) = self._servers[0].graphql(query)["integration"]["spaces"]["nodes"]
        return str(space["id"])
