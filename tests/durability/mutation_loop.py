"""A client that changes things without end, and keeps book of what the server acknowledged."""

from __future__ import annotations

import http.client
import itertools
import random
import threading
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.server.processes import ServerProcess
from tests.servers.fake_registries import FakeRegistries

CREATE = """
mutation ($name: String!) {
  createAccessToken(input: { name: $name, role: PLATFORM_ADMIN, expiresAt: "2030-01-01T00:00:00Z" }) {
    accessToken { id } errors { code }
  }
}"""
REVOKE = """
mutation ($id: ID!) { revokeAccessToken(input: { id: $id }) { accessToken { id } errors { code } } }"""
INTEGRATE = """
mutation ($name: String!, $url: URL!, $host: String!) {
  integrateRegistry(input: {
    name: $name, kind: DOCKER_REGISTRY, url: $url, imageHost: $host, username: "robot", password: "planted"
  }) { integration { id } errors { code message } }
}"""
UPDATE = """
mutation ($id: ID!, $text: String!, $alias: String!) {
  updateIntegration(input: {
    id: $id, description: $text, imageHostAliases: [$alias], username: "robot", password: "planted"
  }) {
    integration { id } errors { code }
  }
}"""
REMOVE = """
mutation ($id: ID!) { removeIntegration(input: { id: $id }) { integration { id } errors { code } } }"""


class Died(Exception):
    """The server was gone before it answered: what was asked of it is there, or isn't."""


@dataclass
class Book:
    """What was acknowledged, and what was asked and not answered; both by name."""

    tokens: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    maybe_tokens: set[str] = field(default_factory=set)
    maybe_revoked: set[str] = field(default_factory=set)
    integrations: dict[str, str | None] = field(default_factory=dict)
    """The description of each that stands, by name."""

    maybe_integrations: set[str] = field(default_factory=set)
    """Those of which a change was not answered: asked to come, to change or to go."""

    removed: set[str] = field(default_factory=set)
    acknowledged: int = 0


class MutationLoop:
    """Changes things, one after the other, until it is told to stop or the server has died."""

    def __init__(self, book: Book, registries: FakeRegistries, name: str) -> None:
        self._book = book
        self._registries = registries
        self._name = name
        self._numbers = itertools.count()
        self._token_ids: dict[str, str] = {}
        self._integration_ids: dict[str, str] = {}

    def run(self, server: ServerProcess, is_over: threading.Event, at_each: Callable[[], None]) -> None:
        """Go on until the server dies; `at_each` is called after each acknowledged change."""
        while not is_over.is_set():
            try:
                random.choice([self._create, self._create, self._revoke, self._integrate, self._update, self._remove])(
                    server
                )
            except Died:
                return
            at_each()

    def _create(self, server: ServerProcess) -> None:
        name = f"token-{self._name}-{next(self._numbers)}"
        self._book.maybe_tokens.add(name)
        payload = self._ask(server, "createAccessToken", CREATE, {"name": name})
        self._book.maybe_tokens.remove(name)
        self._book.tokens.add(name)
        self._token_ids[name] = payload["accessToken"]["id"]

    def _revoke(self, server: ServerProcess) -> None:
        if not self._token_ids:
            return
        name = random.choice(list(self._token_ids))
        token_id = self._token_ids.pop(name)
        self._book.maybe_revoked.add(name)
        self._ask(server, "revokeAccessToken", REVOKE, {"id": token_id})
        self._book.maybe_revoked.remove(name)
        self._book.revoked.add(name)

    def _integrate(self, server: ServerProcess) -> None:
        name = f"registry-{self._name}-{next(self._numbers)}"
        self._registries.repositories[name] = ["team/app", "other/app"]
        self._book.maybe_integrations.add(name)
        variables = {"name": name, "url": self._registries.url(name), "host": f"{name}.example"}
        payload = self._ask(server, "integrateRegistry", INTEGRATE, variables)
        self._book.maybe_integrations.remove(name)
        self._book.integrations[name] = None
        self._integration_ids[name] = payload["integration"]["id"]

    def _update(self, server: ServerProcess) -> None:
        if not self._integration_ids:
            return
        name = random.choice(list(self._integration_ids))
        text = f"text {next(self._numbers)}"
        self._book.maybe_integrations.add(name)
        variables = {"id": self._integration_ids[name], "text": text, "alias": f"{name}.alias.example"}
        self._ask(server, "updateIntegration", UPDATE, variables)
        self._book.maybe_integrations.remove(name)
        self._book.integrations[name] = text

    def _remove(self, server: ServerProcess) -> None:
        if len(self._integration_ids) < 3:
            return
        name = random.choice(list(self._integration_ids))
        integration_id = self._integration_ids.pop(name)
        self._book.maybe_integrations.add(name)
        self._ask(server, "removeIntegration", REMOVE, {"id": integration_id})
        self._book.maybe_integrations.remove(name)
        del self._book.integrations[name]
        self._book.removed.add(name)

    def _ask(self, server: ServerProcess, mutation: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = server.post(document, variables)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            raise Died from error
        assert answer.status == 200, answer.body
        payload: dict[str, Any] = answer.json["data"][mutation]
        assert payload["errors"] == [], payload
        self._book.acknowledged += 1
        return payload
