"""The GraphQL surface of a server under test, as tests ask it, and what its database holds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from resolvers.global_ids import global_id
from tests.api.fake_registry import FakeRegistry
from tests.serving import RunningServer
from tests.workspaces import add_workspace

ERRORS = """
errors {
  __typename code path
  ... on NameTaken { holder { name } }
  ... on AddressTaken { holder { name } }
  ... on ImageHostTaken { holder { name } }
  ... on RegistryRefused { reason httpStatus }
  ... on UpdateConflict { current { name description } }
  ... on MirrorDoubted { missingSpaceCount standingSpaceCount }
}
"""

STORED_TABLES = {
    "integration": "id",
    "image_host": "id",
    "reader_credential": "integration_id",
    "change_feed": "integration_id",
    "hook": "integration_id",
    "space": "id",
    "repository": "id",
    "event": "position",
    "access_token": "id",
}
"""What mutations write, by their key; the audit and what probes write are looked at on their own."""

QUICK_SECONDS = 2.0
"""Less than any registry would be waited for, and enough on a machine that has other things to do."""


def tomorrow() -> str:
    """Return a DateTime to come."""
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


class Surface:
    """Sends operations as the administrator, unless another token is given."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self._numbers = count(1)
        self._member_token: str | None = None
        self._workspace_id: str | None = None

    @property
    def member_token(self) -> str:
        """The token of a WORKSPACE_MEMBER."""
        if self._member_token is None:
            self._member_token = self.new_token("WORKSPACE_MEMBER")
        return self._member_token

    @property
    def workspace_id(self) -> str:
        """The id of a workspace that has nothing: where the members of `new_token` belong."""
        if self._workspace_id is None:
            key = self.server.run(add_workspace(self.server.services.database, "a workspace with nothing"))
            self._workspace_id = global_id("Workspace", key)
        return self._workspace_id

    def new_name(self) -> str:
        """Return a name that nothing has yet."""
        return f"registry {next(self._numbers)}"

    def new_token(self, role: str) -> str:
        """Make an access token and return it."""
        given = {"name": self.new_name(), "role": role, "expiresAt": tomorrow()}
        if role != "PLATFORM_ADMIN":
            given["workspaceId"] = self.workspace_id
        token: str = self.mutate("createAccessToken", given, "token")["token"]
        return token

    def mutate(
        self, mutation: str, given: dict[str, Any], selection: str = "__typename", token: str | None = None
    ) -> dict[str, Any]:
        """Run a mutation and return its payload, with its errors."""
        capital = mutation[0].upper() + mutation[1:]
        query = f"mutation ($input: {capital}Input!) {{ {mutation}(input: $input) {{ {selection} {ERRORS} }} }}"
        payload: dict[str, Any] = self.server.graphql(query, {"input": given}, token)[mutation]
        return payload

    def errors_of(self, mutation: str, given: dict[str, Any], token: str | None = None) -> list[dict[str, Any]]:
        """Run a mutation that is to be refused and return its errors."""
        errors: list[dict[str, Any]] = self.mutate(mutation, given, token=token)["errors"]
        return errors

    def integrate(self, registry: FakeRegistry, **given: Any) -> dict[str, Any]:
        """Integrate a registry, which must succeed, and return it."""
        given = {"name": self.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url, **given}
        payload = self.mutate("integrateRegistry", given, "integration { id name url imageHost updatedAt username }")
        assert payload["errors"] == []
        integration: dict[str, Any] = payload["integration"]
        return integration

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return [tuple(row) for row in self.server.run(self.server.services.database.fetch(sql, *parameters))]

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything that mutations write, to see that nothing of it was changed.

        Not the claims of background work, which ends them a moment after what it was for is seen.
        """
        database = self.server.services.database
        stored = {}
        for table, key in STORED_TABLES.items():
            rows = self.server.run(database.fetch(f'SELECT * FROM "{table}" ORDER BY "{key}"'))
            named = [dict(row).items() for row in rows]
            stored[table] = [tuple(value for name, value in row if not name.endswith("lease_until")) for row in named]
        return stored

    def audit(self) -> list[dict[str, Any]]:
        """Return the whole audit, oldest first."""
        rows = self.rows(
            'SELECT "mutation", "outcome", "error_codes", "viewer_role", "is_dry_run", "input", "finished_at"'
            ' FROM "audit_event" ORDER BY "id"'
        )
        names = ("mutation", "outcome", "error_codes", "viewer_role", "is_dry_run", "input", "finished_at")
        audit = [dict(zip(names, row, strict=True)) for row in rows]
        for row in audit:
            row["input"], row["error_codes"] = json.loads(row["input"]), json.loads(row["error_codes"])
            row["is_dry_run"] = bool(row["is_dry_run"])
            row["is_finished"] = row.pop("finished_at") is not None
        return audit

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return type and data of every event, oldest first."""
        rows = self.rows('SELECT "type", "data" FROM "event" ORDER BY "position"')
        return [(type_, json.loads(data)) for type_, data in rows]

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Return as soon as something is so; fail when it doesn't come about."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it did not come about that {what}"
            time.sleep(0.01)
