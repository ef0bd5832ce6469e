"""What was told in confidence is found nowhere: a marker planted as secret, looked for in everything that leaves."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from tests.security.echoing_registry import EchoingRegistry, echoing_registry
from tests.server.live_clients import open_socket, open_stream, subscribe
from tests.server.processes import ServerProcess, running_process
from tests.servers.postgresql import PostgreSQLServer

USERNAME = "somebody"

INTEGRATE = """mutation ($input: IntegrateRegistryInput!) {
  integrateRegistry(input: $input) { integration { id } errors { __typename message path
    ... on RegistryRefused { reason registryMessage httpStatus } } } }"""
CHECK_REGISTRY = """mutation ($input: CheckRegistryInput!) {
  checkRegistry(input: $input) { check { kind } errors { __typename message path
    ... on RegistryRefused { reason registryMessage httpStatus } } } }"""
UPDATE = """mutation ($input: UpdateIntegrationInput!) {
  updateIntegration(input: $input) { integration { id } errors { __typename message path
    ... on RegistryRefused { reason registryMessage httpStatus } } } }"""
ROTATE = """mutation ($input: RotateIntegrationCredentialInput!) {
  rotateIntegrationCredential(input: $input) { integration { id } errors { __typename message path
    ... on RegistryRefused { reason registryMessage httpStatus } } } }"""
CHECK = """mutation ($id: ID!) { checkIntegration(input: {id: $id}) {
  integration { health { status reason message registryMessage } } errors { message } } }"""
SYNCHRONIZE = """mutation ($id: ID!) { synchronizeIntegration(input: {id: $id}) { errors { __typename message
    ... on RegistryRefused { reason registryMessage httpStatus } } } }"""
EVERYTHING = """{
  auditEvents(first: 100) { nodes { mutation input outcome errorCodes viewerName } }
  integrations(first: 100) { nodes { name url username health { status reason message registryMessage } } }
  accessTokens(first: 100) { nodes { name } }
}"""


HOOKS = "{ integrations { nodes { id hook { url configuration hasSecret lastReceivedAt } } } }"
ROTATE_HOOK_SECRET = """mutation ($id: ID!) {
  rotateHookSecret(input: {integrationId: $id}) { secret errors { message } } }"""

EVENTS = """subscription { events { type occurredAt integration { name }
  ... on HealthChanged { previous { message registryMessage } current { message registryMessage } } } }"""
HEALTH = """subscription { integrationHealth {
  previous { message registryMessage } current { status message registryMessage } } }"""


@dataclass
class Confided:
    """The markers that were planted, and what came back meanwhile."""

    markers: dict[str, str] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)

    def plant(self, what: str) -> str:
        """Return a new marker."""
        marker = f"marker-{len(self.markers)}-{what}-secret"
        self.markers[what] = marker
        return marker

    def look_for_in(self, place: str, content: bytes) -> None:
        """Fail when any marker stands in a text, as it is or as it travels."""
        for what, marker in self.markers.items():
            for form in forms_of(marker):
                at = content.find(form)
                around = content[max(0, at - 200) : at + 200]
                assert at < 0, f"{what} is in {place}: {around!r}"


def forms_of(marker: str) -> set[bytes]:
    """Return how a secret may look: plain, escaped, in a header of basic authentication, backwards in base64."""
    plain = marker.encode()
    return {
        plain,
        quote(marker).encode(),
        base64.b64encode(plain),
        base64.b64encode(f"{USERNAME}:{marker}".encode()),
        base64.urlsafe_b64encode(f"{USERNAME}:{marker}".encode()),
        plain.hex().encode(),
    }


def ask(server: ServerProcess, confided: Confided, query: str, variables: dict[str, Any]) -> Any:
    """Send an operation; keep the answer and return it."""
    answer = server.post(query, variables)
    confided.answers.append(answer.body + repr(answer.headers).encode())
    return answer.json


def integrate_and_break(server: ServerProcess, confided: Confided, registry: EchoingRegistry) -> None:
    """Go through everything that takes a password, well and badly."""
    registered = {"name": "one", "kind": "DOCKER_REGISTRY", "url": registry.url, "username": USERNAME}
    wanted: list[str] = []

    def wrong(what: str) -> str:
        wanted.append(confided.plant(what))
        return wanted[-1]

    def right(what: str) -> str:
        registry.passwords.add(wrong(what))
        return wanted[-1]

    for is_html in (False, True):
        registry.is_html = is_html
        for status in (400, 401, 404, 500):
            registry.refusal_status = status
            mark = f"{'html' if is_html else 'json'}-{status}"
            password = wrong(f"refused-{mark}")
            refused = ask(server, confided, INTEGRATE, {"input": {**registered, "password": password}})
            assert refused["data"]["integrateRegistry"]["errors"][0]["__typename"] == "RegistryRefused"
            given = {"url": registry.url, "username": USERNAME, "password": wrong(f"checked-{mark}")}
            ask(server, confided, CHECK_REGISTRY, {"input": {**given, "kind": "DOCKER_REGISTRY"}})
    checked = {"url": registry.url, "username": USERNAME, "password": right("checked")}
    found = ask(server, confided, CHECK_REGISTRY, {"input": checked})
    assert found["data"]["checkRegistry"] == {"check": {"kind": "DOCKER_REGISTRY"}, "errors": []}
    added = ask(server, confided, INTEGRATE, {"input": {**registered, "password": right("integrated")}})
    assert added["data"]["integrateRegistry"]["errors"] == []
    integration_id = added["data"]["integrateRegistry"]["integration"]["id"]
    change = {"id": integration_id, "username": USERNAME}
    ask(server, confided, UPDATE, {"input": {**change, "password": wrong("update-refused")}})
    updated = ask(server, confided, UPDATE, {"input": {**change, "password": right("updated")}})
    assert updated["data"]["updateIntegration"]["errors"] == []
    ask(server, confided, ROTATE, {"input": {**change, "password": wrong("rotation-refused")}})
    rotated = ask(server, confided, ROTATE, {"input": {**change, "password": right("rotated")}})
    assert rotated["data"]["rotateIntegrationCredential"]["errors"] == []
    ask(server, confided, INTEGRATE, {"input": {**registered, "password": confided.plant("name-taken")}})
    registry.is_broken = True
    for status, is_html in ((500, False), (500, True), (401, False)):
        registry.refusal_status, registry.is_html = status, is_html
        ask(server, confided, SYNCHRONIZE, {"id": integration_id})
        ask(server, confided, CHECK, {"id": integration_id})
    # They really were sent: else none of this would say anything.
    assert set(wanted) <= registry.seen


def give_nonsense(server: ServerProcess, confided: Confided) -> None:
    """Plant secrets in everything that is refused before it gets anywhere."""
    registered = {"name": "two", "kind": "DOCKER_REGISTRY", "url": "http://127.0.0.1:1", "username": USERNAME}
    plant = confided.plant
    for what, variables in {
        "nested": {**registered, "password": {"value": plant("nested")}},
        "listed": {**registered, "password": [plant("listed"), plant("listed-twice")]},
        "unknown-field": {**registered, "passwort": plant("unknown-field")},
        # Names (of enum values, of fields) are quoted to who wrote them; what stands beside them isn't.
        "wrong-kind": {**registered, "kind": "NONSENSE", "password": plant("beside-kind")},
        "wrong-key": {**registered, "nonsense": 1, "password": plant("beside-key")},
        "missing-name": {"url": registered["url"], "password": plant("missing-name")},
        "in-url": {**registered, "url": f"https://{USERNAME}:{plant('in-url')}@127.0.0.1"},
        "in-url-port": {**registered, "url": f"https://{USERNAME}:{plant('in-url-port')}@127.0.0.1:port"},
        "in-url-query": {**registered, "url": f"https://127.0.0.1/?password={plant('in-url-query')}"},
        "as-url": {**registered, "url": {"password": plant("as-url")}},
        "in-realm": {**registered, "tokenRealm": f"https://{USERNAME}:{plant('in-realm')}@127.0.0.1"},
        "as-ca": {**registered, "tls": {"caCertificatePem": plant("as-ca")}},
        "with-ca": {**registered, "password": plant("with-ca"), "tls": {"caCertificatePem": "nonsense"}},
        "with-control": {**registered, "password": plant("with-control") + "\n"},
        "without-user": {
            "name": "x",
            "kind": "DOCKER_REGISTRY",
            "url": "http://127.0.0.1:1",
            "password": plant("alone"),
        },
        "refused-address": {**registered, "url": "http://169.254.169.254", "password": plant("refused-address")},
        "nobody": {**registered, "password": plant("nobody")},
    }.items():
        answer = ask(server, confided, INTEGRATE, {"input": variables})
        assert answer.get("errors") or answer["data"]["integrateRegistry"]["errors"], what
    fields = 'name: "two", kind: DOCKER_REGISTRY, url: "http://127.0.0.1:1"'
    for document in (
        f'mutation {{ integrateRegistry(input: {{{fields}, password: "{plant("unfinished")}',
        f'mutation {{ integrateRegistry(input: {{{fields}, password: {{a: "{plant("literal")}"}}}}) {{ x }} }}',
        f'mutation {{ integrateRegistry(input: {{{fields}, passwort: "{plant("misspelt")}"}}) {{ x }} }}',
        f'mutation {{ integrateRegistry(input: "{plant("instead")}") {{ errors {{ message }} }} }}',
    ):
        assert ask(server, confided, document, {})["errors"]


def use_tokens(server: ServerProcess, confided: Confided) -> None:
    """Make a token and use it at every door; try codes and tokens that are none."""
    made = server.post(
        'mutation { createAccessToken(input: {name: "robot", role: PLATFORM_ADMIN,'
        ' expiresAt: "2030-01-01T00:00:00Z"}) { token errors { message } } }'
    ).json["data"]["createAccessToken"]
    assert made["errors"] == []
    # Its one place is that answer, which isn't kept here.
    confided.markers["access token"] = made["token"]
    confided.markers["admin token"] = server.admin_token
    with open_socket(server.port, made["token"]) as socket, open_stream(server.port, made["token"]):
        subscribe(socket)
    for token in (confided.plant("wrong token"), "irat_" + confided.plant("unknown token").replace(" ", "")):
        answer = server.post("{ viewer { name } }", token=token)
        confided.answers.append(answer.body)
        assert answer.status == 401
    for code in (confided.plant("sign-in code"), confided.plant("long code") * 100):
        answer = server.request(
            "POST", "/sign-in", json.dumps({"code": code}).encode(), {"Content-Type": "application/json"}
        )
        confided.answers.append(answer.body)
        assert answer.status in (400, 401)


def use_hook(server: ServerProcess, confided: Confided) -> None:
    """Rotate a hook's secret, and send notifications with it and with others, good and bad."""
    (integration,) = ask(server, confided, HOOKS, {})["data"]["integrations"]["nodes"]
    rotated = server.post(ROTATE_HOOK_SECRET, {"id": integration["id"]}).json["data"]["rotateHookSecret"]
    assert rotated["errors"] == []
    # Its one place is that answer, which isn't kept here.
    confided.markers["hook secret"] = rotated["secret"]
    path = integration["hook"]["url"].partition("/hooks")[2]
    told = json.dumps({"events": [{"action": "push", "target": {"repository": "team/app", "tag": "1"}}]}).encode()
    unknown = {"repository": "other/app", "tag": "1", "digest": "sha256:" + "0" * 64}
    asked_for = json.dumps({"events": [{"action": "push", "target": unknown}]}).encode()
    wrong = "irhk_" + confided.plant("wrong hook secret").replace(" ", "")
    for secret, body, status in (
        (rotated["secret"], told, 200),
        (rotated["secret"], asked_for, 200),
        (rotated["secret"], f"nonsense {confided.plant('in a notification')}".encode(), 400),
        (wrong, told, 401),
        (confided.plant("no hook secret"), told, 401),
    ):
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        answer = server.request("POST", f"/hooks{path}", body, headers)
        confided.answers.append(answer.body + repr(answer.headers).encode())
        assert answer.status == status
    # Taken for an access token by somebody.
    for answer in (server.post("{ viewer { name } }", token=rotated["secret"]), server.post(HOOKS)):
        confided.answers.append(answer.body)


@contextmanager
def gathered_events(server: ServerProcess, confided: Confided) -> Iterator[None]:
    """Keep all that subscriptions tell meanwhile."""
    with (
        open_socket(server.port, server.admin_token) as everything,
        open_socket(server.port, server.admin_token) as health,
    ):
        subscribe(everything, EVENTS)
        health.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": HEALTH}}))
        yield
        for socket in (everything, health):
            while True:
                try:
                    message = socket.recv(0.5)
                except TimeoutError:
                    break
                confided.answers.append(message.encode() if isinstance(message, str) else message)


def sqlite_contents(data: Path) -> bytes:
    """Return the database as it lies on the disk, all files of it, and as it reads."""
    raw = b"".join(file.read_bytes() for file in data.glob("integrated-registry.sqlite3*"))
    with closing(sqlite3.connect(data / "integrated-registry.sqlite3")) as connection:
        # What an index for searching keeps is read in the tables that it lies in: itself it can't be.
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%'"
        ).fetchall()
        assert len(tables) > 5
        rows = [row for (table,) in tables for row in connection.execute(f'SELECT * FROM "{table}"')]
        return raw + "\n".join(map(repr, rows)).encode()


def postgresql_contents(url: str) -> bytes:
    """Return every row of every table."""

    async def read() -> bytes:
        connection = await asyncpg.connect(url)
        try:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            assert len(tables) > 5
            rows = []
            for (table,) in tables:
                rows += await connection.fetch(f'SELECT t::text FROM "{table}" t')
            return "\n".join(row[0] for row in rows).encode()
        finally:
            await connection.close()

    return asyncio.run(read())


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_secret_is_found_nowhere(tmp_path: Path, database_settings: dict[str, str], log_format: str) -> None:
    confided = Confided()
    settings = {name.upper(): value for name, value in database_settings.items()}
    settings |= {"LOG_LEVEL": "debug", "LOG_FORMAT": log_format, "PROBE_INTERVAL_SECONDS": "1"}
    with echoing_registry() as registry, running_process(tmp_path, settings=settings) as server:
        with gathered_events(server, confided):
            integrate_and_break(server, confided, registry)
            give_nonsense(server, confided)
            use_tokens(server, confided)
            use_hook(server, confided)
        seen = ask(server, confided, EVERYTHING, {})
        assert "errors" not in seen
        assert len(seen["data"]["auditEvents"]["nodes"]) > 30
        confided.answers.append(server.request("GET", "/metrics").body)
        assert server.stop() == 0
        for answer in confided.answers:
            confided.look_for_in("an answer", answer)
        confided.look_for_in("the log", server.stderr.encode())
        confided.look_for_in("what is printed", server.stdout.encode())
        url = database_settings.get("database_url")
        stored = sqlite_contents(server.data) if url is None else postgresql_contents(url)
        confided.look_for_in("the database", stored)
        assert b"integrateRegistry" in stored


FAILING = """
import sys
from server.command_line import main
from services.credential_cipher import CredentialCipher
from registry_clients.transport import AiohttpTransport

def fail(self, text, purpose):
    raise RuntimeError("unforeseen in the middle")

CredentialCipher.encrypt, encrypt = fail, CredentialCipher.encrypt
# First start encrypts as well, and must go well.
CredentialCipher.encrypt = lambda self, text, purpose: (
    encrypt(self, text, purpose) if text == "integrated-registry" else fail(self, text, purpose)
)
if sys.argv.pop(1) == "transport":
    async def send(self, request):
        raise RuntimeError("unforeseen at the wire")
    AiohttpTransport.send = send
main()
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("where", ["cipher", "transport"])
def test_a_fault_in_the_middle_tells_no_secret(tmp_path: Path, where: str, log_format: str) -> None:
    confided = Confided()
    program = (sys.executable, "-c", FAILING, where)
    settings = {"LOG_LEVEL": "debug", "LOG_FORMAT": log_format}
    with (
        echoing_registry() as registry,
        running_process(tmp_path, settings={**settings, "LOG_FORMAT": log_format}, program=program) as server,
    ):
        password = confided.plant("password")
        registry.passwords.add(password)
        given = {
            "name": "one",
            "kind": "DOCKER_REGISTRY",
            "url": registry.url,
            "username": USERNAME,
            "password": password,
        }
        answer = ask(server, confided, INTEGRATE, {"input": given})
        assert answer["errors"][0]["message"] == "Internal error"
        ask(server, confided, EVERYTHING, {})
        assert server.stop() == 0
        assert "unforeseen" in server.stderr
        for each in confided.answers:
            confided.look_for_in("an answer", each)
            assert b"unforeseen" not in each
        confided.look_for_in("the log", server.stderr.encode())
        confided.look_for_in("the database", sqlite_contents(server.data))


def test_the_database_password_is_in_no_log_of_a_server(tmp_path: Path, postgresql_server: PostgreSQLServer) -> None:
    confided = Confided()
    password = confided.plant("database-password")
    with postgresql_server.database("secrets_of_the_database") as url:
        settings = {"DATABASE_URL": url.replace("unused", password), "LOG_LEVEL": "debug"}
        with running_process(tmp_path, settings=settings) as server:
            assert server.post("{ viewer { name } }").status == 200
            server.stop()
            confided.look_for_in("the log", (server.stderr + server.stdout).encode())
