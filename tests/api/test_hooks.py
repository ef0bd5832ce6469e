"""Notifications as they may come: right and wrong, again and again, of any size, from anybody. They are hints alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from resolvers.global_ids import parse_global_id
from server import hooks
from tests.api.fake_registry import FakeRegistry, running_fake_registry
from tests.api.harbors import integrate_harbor
from tests.api.surface import Surface
from tests.doubles.harbor.server import running_harbor
from tests.server.raw_http import exchange
from tests.serving import HttpAnswer, running_server
from tests.waiting import eventually

V1, V2 = (f"application/vnd.docker.distribution.events.v{number}+json" for number in (1, 2))
DIGEST = "sha256:" + "ab" * 32
HOOK = "integration(id: $id) { hook { url configuration hasSecret lastReceivedAt } }"
SECRETLESS = {"hasSecret": False, "lastReceivedAt": None}


def pushed(*repositories: str, tag: str = "1") -> bytes:
    """Return what a registry posts when something was pushed to repositories."""
    target = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "tag": tag, "digest": DIGEST}
    events = [{"action": "push", "target": {**target, "repository": name}} for name in repositories]
    return json.dumps({"events": events}).encode()


@dataclass(frozen=True, slots=True)
class Hook:
    """The hook of an integration, with its secret."""

    surface: Surface
    id: str
    path: str
    secret: str

    def post(self, body: bytes, secret: str | None = None, content_type: str | None = V1) -> HttpAnswer:
        """Post something, with the secret of the hook or another."""
        headers = {"Authorization": f"Bearer {self.secret if secret is None else secret}"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        return self.surface.server.request("POST", self.path, body, headers)

    def told(self) -> Any:
        """Return what the API tells of it."""
        return self.surface.server.graphql(f"query ($id: ID!) {{ {HOOK} }}", {"id": self.id})["integration"]["hook"]


def hook_of(surface: Surface, integration_id: str) -> Hook:
    """Return the hook of an integration, with a new secret."""
    payload = surface.mutate(
        "rotateHookSecret", {"integrationId": integration_id}, "secret integration { id hook { url hasSecret } }"
    )
    assert payload["errors"] == []
    told = payload["integration"]["hook"]
    assert (payload["integration"]["id"], told["hasSecret"]) == (integration_id, True)
    path = told["url"].removeprefix(surface.server.url)
    assert path.startswith("/hooks/distribution/")
    return Hook(surface, integration_id, path, payload["secret"])


@pytest.fixture
def hook(surface: Surface, registry: FakeRegistry) -> Hook:
    """The hook of an integration with two repositories."""
    registry.repositories = ["team/app", "web"]
    return hook_of(surface, surface.integrate(registry)["id"])


@pytest.fixture
def other_registry() -> Iterator[FakeRegistry]:
    """Another registry, which holds the same."""
    with running_fake_registry() as running:
        yield running


def hints(surface: Surface, integration_id: str) -> list[str]:
    """Return which repositories of an integration are to be looked at; those of whole spaces are left out."""
    return [
        name
        for name, owner in surface.rows(
            'SELECT h."repository_name", s."integration_id" FROM "usage_hint" h JOIN "space" s ON s."id" = h."space_id"'
            """ WHERE h."repository_name" <> '' ORDER BY 1"""
        )
        if owner == parse_global_id(integration_id)[1]
    ]


def forget_hints(surface: Surface) -> None:
    """Take away what the first look has noted."""
    database = surface.server.services.database
    surface.server.run(database.transact(lambda transaction: transaction.execute('DELETE FROM "usage_hint"')))


def everything(surface: Surface) -> dict[str, Any]:
    """Return all that notifications could change."""
    tables = {"usage_hint": "id", "usage_measurement": "integration_id"}
    return surface.stored() | {
        table: surface.rows(f'SELECT * FROM "{table}" ORDER BY "{key}"') for table, key in tables.items()
    }


def refusal(answer: HttpAnswer) -> tuple[int, str]:
    """Return status and code."""
    return answer.status, answer.json["error"]["code"]


def test_a_hook_takes_nothing_before_it_has_a_secret(surface: Surface, registry: FakeRegistry) -> None:
    integration = surface.integrate(registry)
    told = surface.server.graphql(f"query ($id: ID!) {{ {HOOK} }}", {"id": integration["id"]})["integration"]["hook"]
    assert {name: told[name] for name in SECRETLESS} == SECRETLESS
    assert told["url"].startswith(f"{surface.server.url}/hooks/distribution/")
    assert json.dumps(told["url"]) in told["configuration"]
    stored = everything(surface)
    path = told["url"].removeprefix(surface.server.url)
    for secret in ("", "irhk_", "irhk_" + "a" * 43, "None", "null"):
        answer = surface.server.request("POST", path, pushed("team/app"), {"Authorization": f"Bearer {secret}"})
        assert refusal(answer) == (401, "UNAUTHENTICATED")
    assert everything(surface) == stored


def test_the_secret_is_shown_once_and_the_one_before_is_over(surface: Surface, hook: Hook) -> None:
    assert hook.secret.startswith("irhk_")
    assert len(hook.secret) > 40
    assert hook.post(pushed("team/app")).status == 200
    renewed = hook_of(surface, hook.id)
    assert (renewed.path, renewed.secret == hook.secret) == (hook.path, False)
    assert refusal(hook.post(pushed("team/app"))) == (401, "UNAUTHENTICATED")
    assert renewed.post(pushed("team/app")).status == 200
    assert hook.secret not in json.dumps(hook.told())
    audited = [(row["mutation"], row["outcome"], row["input"]) for row in surface.audit()[-2:]]
    assert audited == [("rotateHookSecret", "SUCCEEDED", {"integrationId": hook.id})] * 2
    assert renewed.secret not in repr(surface.audit())
    assert surface.rows('SELECT "secret_hash" FROM "hook"') != [(renewed.secret,)]


def test_what_is_known_is_to_be_looked_at_when_it_is_acknowledged(surface: Surface, hook: Hook) -> None:
    forget_hints(surface)
    for body in (pushed("team/app"), pushed("team/app", "web", "team/app"), pushed("team/app")):
        answer = hook.post(body)
        assert (answer.status, answer.body) == (200, b"")
    assert hints(surface, hook.id) == ["team/app:1", "web:1"]
    assert surface.events()[-1][0] != "IMAGE_PUSHED"


def test_a_notification_changes_nothing_by_its_word(surface: Surface, hook: Hook, registry: FakeRegistry) -> None:
    forget_hints(surface)
    stored = surface.stored()
    bodies = [pushed("team/gone", "nowhere/app", "other", tag="9"), pushed("team/app", tag="none")]
    bodies.append(json.dumps({"events": [{"action": "delete", "target": {"repository": "team/app"}}]}).encode())
    for body in [*bodies, *reversed(bodies), *bodies]:
        assert hook.post(body).status == 200
    # They were looked for, and are not there.
    eventually(lambda: {"/v2/team/gone/tags/list", "/v2/nowhere/app/tags/list"} <= set(registry.requests))
    assert surface.stored() | {"hook": None} == stored | {"hook": None}
    assert hints(surface, hook.id) == ["team/app", "team/app:none"]


def test_a_repository_that_was_not_known_is_found(surface: Surface, hook: Hook, registry: FakeRegistry) -> None:
    registry.repositories += ["new/app", "team/tool"]
    assert hook.post(pushed("new/app", "team/tool")).status == 200
    query = """query ($id: ID!) { integration(id: $id) {
      spaces { nodes { name state visibility repositories { nodes { name } } } } } }"""
    wanted = {"library": ["web"], "new": ["new/app"], "team": ["team/app", "team/tool"]}

    def spaces() -> dict[str, list[str]]:
        nodes = surface.server.graphql(query, {"id": hook.id})["integration"]["spaces"]["nodes"]
        assert {(node["state"], node["visibility"]) for node in nodes} == {("PRESENT", "PRIVATE")}
        return {node["name"]: [one["name"] for one in node["repositories"]["nodes"]] for node in nodes}

    eventually(lambda: spaces() == wanted)
    added = [data["space_name"] for type_, data in surface.events() if type_ == "SPACE_ADDED"]
    assert added[-1] == "new"
    # The catalogue was not listed again for it.
    assert not registry.requests[-1].startswith("/v2/_catalog")


def test_one_that_is_told_of_again_and_again_is_asked_for_now_and_then(hook: Hook, registry: FakeRegistry) -> None:
    for _ in range(50):
        assert hook.post(pushed("team/gone")).status == 200
    eventually(lambda: "/v2/team/gone/tags/list" in registry.requests)
    assert registry.requests.count("/v2/team/gone/tags/list") < 10


def test_a_declared_space_is_there_with_its_first_image(surface: Surface, hook: Hook, registry: FakeRegistry) -> None:
    given = {"integrationId": hook.id, "name": "declared"}
    assert surface.mutate("createSpace", given, "space { state }")["space"] == {"state": "DECLARED"}
    registry.repositories.append("declared/app")
    assert hook.post(pushed("declared/app")).status == 200
    states = """SELECT "state" FROM "space" WHERE "name" = 'declared'"""
    eventually(lambda: surface.rows(states) == [("PRESENT",)])


def test_without_or_with_another_secret_nothing_is_taken(
    surface: Surface, hook: Hook, other_registry: FakeRegistry
) -> None:
    others = hook_of(surface, surface.integrate(other_registry, imageHost="other.example")["id"])
    forget_hints(surface)
    stored, unauthenticated = everything(surface), _unauthenticated(surface)
    body = pushed("team/app")
    tried = ["", "wrong", hook.secret[:-1], hook.secret + "a", hook.secret.upper(), others.secret, "irhk_" + "ü" * 40]
    tried.append(surface.server.admin_token)
    answers = [hook.post(body, secret.encode().decode("latin-1")) for secret in tried]
    headers = {"Content-Type": V1}
    answers.append(surface.server.request("POST", hook.path, body, headers))
    answers.append(surface.server.request("POST", hook.path, body, {**headers, "Authorization": "Basic aXJoa186YQ=="}))
    for path in (hook.path[:-1], hook.path + "0", "/hooks/distribution/" + "0" * 32, "/hooks/distribution/%00"):
        authorization = {"Authorization": f"Bearer {hook.secret}"}
        answers.append(surface.server.request("POST", path, body, {**headers, **authorization}))
    assert {refusal(answer) for answer in answers} == {(401, "UNAUTHENTICATED")}
    # One answer for all: none tells whether there is such a hook.
    assert len({answer.body for answer in answers}) == 1
    assert everything(surface) == stored
    assert _unauthenticated(surface) == unauthenticated + len(answers)
    assert others.post(body).status == 200
    assert (hints(surface, hook.id), hints(surface, others.id)) == ([], ["team/app:1"])


def test_the_secret_opens_no_other_door(surface: Surface, hook: Hook) -> None:
    body = json.dumps({"query": "{ viewer { name } }"}).encode()
    headers = {"Authorization": f"Bearer {hook.secret}", "Content-Type": "application/json"}
    assert surface.server.request("POST", "/graphql", body, headers).status == 401
    code = json.dumps({"code": hook.secret}).encode()
    assert surface.server.request("POST", "/sign-in", code, {"Content-Type": "application/json"}).status == 401


def test_a_large_one_is_not_read_of_a_stranger_and_cut_off_of_anybody(surface: Surface, hook: Hook) -> None:
    size = 10 * 1024 * 1024
    head = [f"POST {hook.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {V1}", f"Content-Length: {size}"]
    stored = everything(surface)
    # Nothing of the body is sent: it is answered all the same.
    status, headers, _ = exchange(surface.server.port, *head)
    assert (status, headers["connection"]) == (401, "close")
    status, headers, _ = exchange(surface.server.port, *head, f"Authorization: Bearer {hook.secret}")
    assert (status, headers["connection"]) == (413, "close")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    chunked = [*head[:3], f"Authorization: Bearer {hook.secret}", "Transfer-Encoding: chunked"]
    status, _, _ = exchange(surface.server.port, *chunked, body=chunk * 17)
    assert status == 413
    assert everything(surface) == stored


def test_one_of_the_largest_size_is_read(surface: Surface, hook: Hook) -> None:
    body = pushed("team/app")
    assert hook.post(body + b" " * (hooks.MAX_BODY_BYTES - len(body))).status == 200
    # Refused by its head: whoever sent all the rest might find the connection closed before the answer is read.
    head = [f"POST {hook.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {V1}"]
    length = f"Content-Length: {hooks.MAX_BODY_BYTES + 1}"
    status, _, refused = exchange(surface.server.port, *head, length, f"Authorization: Bearer {hook.secret}", body=body)
    assert (status, json.loads(refused)["error"]["code"]) == (413, "LIMIT_EXCEEDED")


def test_one_that_does_not_come_is_not_waited_for(
    surface: Surface, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "BODY_TIMEOUT_SECONDS", 0.2)
    head = [f"POST {hook.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {V1}", "Content-Length: 100"]
    status, headers, body = exchange(surface.server.port, *head, f"Authorization: Bearer {hook.secret}", body=b"{")
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(body)["error"]["code"] == "REQUEST_TIMED_OUT"


@pytest.mark.parametrize("content_type", [V1, V2, "application/json", "application/json; charset=utf-8", V1.upper()])
def test_types_that_registries_send_are_taken(hook: Hook, content_type: str) -> None:
    assert hook.post(pushed("team/app"), content_type=content_type).status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp", "json"]
)
def test_others_are_not(surface: Surface, hook: Hook, content_type: str) -> None:
    stored = everything(surface)
    assert refusal(hook.post(pushed("team/app"), content_type=content_type)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert everything(surface) == stored


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b"[]", b"null", b'{"events": "all"}', b'{"events": [1]}'])
def test_nonsense_is_said_to_be_none(surface: Surface, hook: Hook, body: bytes) -> None:
    stored = everything(surface)
    assert refusal(hook.post(body)) == (400, "BAD_REQUEST")
    assert everything(surface) == stored


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": "pull", "target": {"repository": "team/app", "tag": "1", "digest": DIGEST}},
        {"action": "push", "target": {"repository": "team/app", "mediaType": "application/octet-stream"}},
        {"action": "push", "target": {"repository": "Team/../App", "tag": "1", "digest": DIGEST}},
        {"action": "mount", "target": {"repository": "team/app"}},
    ],
)
def test_what_matters_to_nobody_is_taken_so_that_the_next_can_come(
    surface: Surface, hook: Hook, registry: FakeRegistry, event: dict[str, Any]
) -> None:
    forget_hints(surface)
    asked = len(registry.requests)
    assert hook.post(json.dumps({"events": [event]}).encode()).status == 200
    assert hints(surface, hook.id) == []
    assert len(registry.requests) == asked


def test_other_methods_and_hosts(surface: Surface, hook: Hook) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert surface.server.request(method, hook.path).status == 405
    headers = {"Authorization": f"Bearer {hook.secret}", "Content-Type": V1, "Host": "elsewhere.example"}
    assert surface.server.request("POST", hook.path, pushed("team/app"), headers).status == 421


def test_when_something_came_is_written_once_a_minute(surface: Surface, hook: Hook) -> None:
    assert hook.told()["lastReceivedAt"] is None
    # A pull matters not, and shows that the way is open.
    pull = json.dumps({"events": [{"action": "pull", "target": {"repository": "team/app"}}]}).encode()
    assert hook.post(pull).status == 200
    told = hook.told()
    assert told["lastReceivedAt"] is not None
    versions = surface.rows("""SELECT "version" FROM "table_version" WHERE "name" = 'hook'""")
    for _ in range(3):
        assert hook.post(pushed("team/app")).status == 200
    assert hook.told() == told
    assert surface.rows("""SELECT "version" FROM "table_version" WHERE "name" = 'hook'""") == versions


def test_the_address_is_the_public_one_whatever_a_request_says(tmp_path: Path, registry: FakeRegistry) -> None:
    with running_server(tmp_path / "data", public_url="https://registries.example.com/base/") as server:
        surface = Surface(server)
        variables = {"id": surface.integrate(registry)["id"]}
        body = json.dumps({"query": f"query ($id: ID!) {{ {HOOK} }}", "variables": variables}).encode()
        headers = {"Authorization": f"Bearer {server.admin_token}", "Content-Type": "application/json"}
        forwarded = {"Host": "192.0.2.7", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        for further in ({}, forwarded):
            told = server.request("POST", "/graphql", body, headers | further).json["data"]["integration"]["hook"]
            start, _, public_id = told["url"].rpartition("/")
            assert start == "https://registries.example.com/base/hooks/distribution"
            assert re.fullmatch("[0-9a-f]{32}", public_id)
            assert json.dumps(told["url"]) in told["configuration"]


def test_a_kind_that_sends_none_has_no_hook(surface: Surface) -> None:
    with running_harbor() as harbor:
        key = integrate_harbor(surface, harbor)
        assert surface.server.graphql(f"query ($id: ID!) {{ {HOOK} }}", {"id": key}) == {"integration": {"hook": None}}
        assert surface.errors_of("rotateHookSecret", {"integrationId": key}) == [
            {"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["input", "integrationId"]}
        ]


def test_what_is_gone_has_no_hook(surface: Surface, hook: Hook) -> None:
    assert surface.errors_of("removeIntegration", {"id": hook.id}) == []
    assert refusal(hook.post(pushed("team/app"))) == (401, "UNAUTHENTICATED")
    assert surface.errors_of("rotateHookSecret", {"integrationId": hook.id}) == [
        {"__typename": "NotFound", "code": "NOT_FOUND", "path": ["input", "integrationId"]}
    ]


def test_they_are_counted(surface: Surface, hook: Hook) -> None:
    before = _counted(surface)
    for body, status in ((pushed("team/app"), 200), (b'{"events": []}', 200), (b"nonsense", 400)):
        assert hook.post(body).status == status
    assert hook.post(b"", "wrong").status == 401
    after = _counted(surface)
    assert {name: after[name] - before[name] for name in after} == {
        "TAKEN": 1,
        "IGNORED": 1,
        "INVALID": 1,
        "REJECTED": 1,
        "FAILED": 0,
    }
    shown = surface.server.request("GET", "/metrics").body.decode()
    assert 'method="POST",path="hooks",status="200"' in shown
    assert hook.path not in shown


def _counted(surface: Surface) -> dict[str, float]:
    shown = surface.server.request("GET", "/metrics").body.decode()
    start = 'integrated_registry_notifications_total{outcome="'
    lines = [line.removeprefix(start) for line in shown.splitlines() if line.startswith(start)]
    return {line.partition('"')[0]: float(line.split()[-1]) for line in lines}


def _unauthenticated(surface: Surface) -> float:
    shown = surface.server.request("GET", "/metrics").body.decode()
    (line,) = [
        line for line in shown.splitlines() if line.startswith("integrated_registry_unauthenticated_requests_total ")
    ]
    return float(line.split()[-1])
