"""What people type wrong, or others on purpose: the exact error, quickly, and nothing changed."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from models.queries.integrations import BY_NAME
from resolvers.global_ids import global_id
from resolvers.paging import cursor_of
from tests.api.fake_registry import FakeRegistry
from tests.api.surface import QUICK_SECONDS, Surface, tomorrow

ADDRESSES = {
    "no scheme": "registry.example.com",
    "user info": "https://admin:hidden@registry.example.com",
    "user info without scheme": "admin:hidden@registry.example.com",
    "an empty user": "https://@registry.example.com",
    "a fragment": "https://registry.example.com/#top",
    "a query": "https://registry.example.com/?token=hidden",
    "ftp": "ftp://registry.example.com",
    "a script": "javascript:alert(1)",
    "nothing": "",
    "blanks": "   ",
    "no host": "https://",
    "a port too high": "https://registry.example.com:65536",
    "a port of nothing": "https://registry.example.com:0",
    "a name too long": f"https://{'a' * 10_000}.example.com",
    "a line break": "https://registry.example.com/\r\nX: y",
    "a null": "https://registry\x00.example.com",
    "a path of its API": "https://registry.example.com/v2/",
    "a way up": "https://registry.example.com/../x y",
    "an IPv4 in disguise": "http://0x7f000001.256",
}

NAMES = {
    "none": "",
    "blanks": " \t ",
    "10,000 characters": "x" * 10_000,
    "101 characters": "x" * 101,
    "a null": "a\x00b",
    "a bell": "a\x07b",
    "a line break": "a\nb",
    "a line separator": "a\u2028b",
    "text direction": "a\u202eb",
    "a hidden letter": "a\u200bb",
}


@pytest.fixture(autouse=True)
def _quick_and_nothing_changed(surface: Surface, registry: FakeRegistry) -> Iterator[None]:
    """Each of these is answered at once, changes nothing and asks no registry."""
    stored, began_at = surface.stored(), time.monotonic()
    yield
    assert time.monotonic() - began_at < QUICK_SECONDS
    assert (surface.stored(), registry.requests) == (stored, [])


def given(surface: Surface, registry: FakeRegistry, **more: Any) -> dict[str, Any]:
    return {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url, **more}


def invalid(*path: str) -> list[dict[str, Any]]:
    return [{"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["input", *path]}]


@pytest.mark.parametrize("url", ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_that_is_none(surface: Surface, registry: FakeRegistry, url: str) -> None:
    audited = len(surface.audit())

    assert surface.errors_of("integrateRegistry", given(surface, registry, url=url)) == invalid("url")
    assert surface.errors_of("checkRegistry", {"url": url}) == invalid("url")
    assert surface.errors_of("checkRegistry", {"url": registry.url, "tokenRealm": url}) == invalid("tokenRealm")

    rows = surface.audit()[audited:]
    assert [(row["outcome"], row["error_codes"]) for row in rows] == [("REFUSED", ["INVALID_INPUT"])] * 3
    # An address can hold a password, which has no place there nor in the audit.
    assert "hidden" not in repr(rows)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_is_none(surface: Surface, registry: FakeRegistry, name: str) -> None:
    assert surface.errors_of("integrateRegistry", given(surface, registry, name=name)) == invalid("name")
    token = {"name": name, "role": "PLATFORM_ADMIN", "expiresAt": tomorrow()}
    assert surface.errors_of("createAccessToken", token) == invalid("name")


def test_a_description_that_is_none(surface: Surface, registry: FakeRegistry) -> None:
    for description in ("x" * 2001, "a\x00b", "a\x1b[31mb"):
        what = given(surface, registry, description=description)
        assert surface.errors_of("integrateRegistry", what) == invalid("description")


def test_an_image_host_that_is_none(surface: Surface, registry: FakeRegistry) -> None:
    for host in ("a/b", "https://a", "a b", "a\x00", "-a", "x" * 10_000, "é.example", "a:123456", "[::1", "a_b"):
        assert surface.errors_of("integrateRegistry", given(surface, registry, imageHost=host)) == invalid("imageHost")


def test_half_a_credential_or_one_that_no_header_can_carry(surface: Surface, registry: FakeRegistry) -> None:
    expected = [
        ({"username": "robot"}, "password"),
        ({"password": "right"}, "username"),
        ({"username": "robot", "password": ""}, "password"),
        ({"username": "ro:bot", "password": "right"}, "username"),
        ({"username": "ro\nbot", "password": "right"}, "username"),
        ({"username": "r\x00", "password": "right"}, "username"),
        ({"username": "x" * 256, "password": "right"}, "username"),
        ({"username": "robot", "password": "x" * 4097}, "password"),
        ({"username": "robot", "password": "a\x00b"}, "password"),
    ]
    for credential, field in expected:
        assert surface.errors_of("integrateRegistry", given(surface, registry, **credential)) == invalid(field)
        assert surface.errors_of("checkRegistry", {"url": registry.url, **credential}) == invalid(field)


def test_a_certificate_that_is_none(surface: Surface, registry: FakeRegistry) -> None:
    authority = trustme.CA()
    good = authority.cert_pem.bytes().decode()
    with_key = good + authority.private_key_pem.bytes().decode()
    cut = good[: len(good) // 2]
    audited = len(surface.audit())

    for pem in (
        "none",
        "\x00",
        cut,
        with_key,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        good * 1000,
    ):
        what = given(surface, registry, tls={"caCertificatePem": pem})
        assert surface.errors_of("integrateRegistry", what) == invalid("tls", "caCertificatePem")
    both = {"caCertificatePem": good, "isVerificationSkipped": True}
    assert surface.errors_of("checkRegistry", {"url": registry.url, "tls": both}) == invalid("tls", "caCertificatePem")
    # A key that was pasted along is kept nowhere.
    assert {row["input"]["tls"]["caCertificatePem"] for row in surface.audit()[audited:]} == {"•••"}


IDS = {
    "nothing": "",
    "no base64": "???",
    "a null": "\x00",
    "of another type": global_id("Space", 1),
    "of no type": global_id("Nothing", 1),
    "of nothing": global_id("Integration", 2**62),
    "a huge number": base64.urlsafe_b64encode(b"Integration:" + b"9" * 100).decode(),
    "past 64 bits": base64.urlsafe_b64encode(b"Integration:9223372036854775808").decode(),
    "a negative number": base64.urlsafe_b64encode(b"Integration:-1").decode(),
    "10,000 characters": "A" * 10_000,
    "letters of others": "éß",
}


@pytest.mark.parametrize("node_id", IDS.values(), ids=IDS)
def test_an_id_of_nothing(surface: Surface, node_id: str) -> None:
    not_found = [{"__typename": "NotFound", "code": "NOT_FOUND", "path": ["input", "id"]}]
    query = """query ($id: ID!) {
      node(id: $id) { id } nodes(ids: [$id, $id]) { id }
      integration(id: $id) { id } space(integration: $id, name: "x") { id }
      spaces(filter: { integrationIds: [$id] }) { totalCount } events(filter: { integrationIds: [$id] }) { totalCount }
    }"""

    assert surface.server.graphql(query, {"id": node_id}) == {
        "node": None,
        "nodes": [None, None],
        "integration": None,
        "space": None,
        "spaces": {"totalCount": 0},
        "events": {"totalCount": 0},
    }
    mutations: list[tuple[str, dict[str, Any]]] = [
        ("updateIntegration", {"name": "x"}),
        ("rotateIntegrationCredential", {"username": "robot", "password": "right"}),
        ("removeIntegration", {}),
        ("removeIntegration", {"dryRun": True}),
        ("checkIntegration", {}),
        ("synchronizeIntegration", {}),
        ("revokeAccessToken", {}),
    ]
    for mutation, more in mutations:
        assert surface.errors_of(mutation, {"id": node_id, **more}) == not_found


def forged(name: object, key: object) -> str:
    """Return what would be the cursor of an integration in the order of names, had it such a name and key."""
    return cursor_of(SimpleNamespace(name_key=name, id=key), BY_NAME)


CURSORS = {
    "nothing": "",
    "no base64": "???",
    "no JSON": "AAAA",
    "10,000 characters": "A" * 10_000,
    "of no list": cursor_of(SimpleNamespace(name_key="a", id=1), replace(BY_NAME, expression="nothing")),
    "a null": forged("a\x00", 1),
    "a number for a name": forged(7, 1),
    "a name for a number": forged("a", "b"),
    "past 64 bits": forged("a", 2**63),
    "an object": forged({}, 1),
}


@pytest.mark.parametrize("after", CURSORS.values(), ids=CURSORS)
def test_a_cursor_that_was_made_up(surface: Surface, after: str) -> None:
    for root in ("integrations", "spaces", "events", "auditEvents", "accessTokens"):
        result = surface.server.post(f"query ($a: Cursor) {{ {root}(after: $a) {{ nodes {{ id }} }} }}", {"a": after})
        assert [(error["path"], error["extensions"]["code"]) for error in result["errors"]] == [
            ([root], "INVALID_CURSOR")
        ]


def test_a_good_cursor_is_taken(surface: Surface) -> None:
    # Or the cases above would prove little of what they change.
    after = forged("a", 1)
    assert surface.server.graphql("query ($a: Cursor) { integrations(after: $a) { totalCount } }", {"a": after})


@pytest.mark.parametrize("first", [0, -1, 101, -(2**31), 2**31 - 1])
def test_a_number_out_of_range(surface: Surface, first: int) -> None:
    for root in ("integrations", "spaces", "events", "auditEvents", "accessTokens"):
        result = surface.server.post(f"query ($f: Int) {{ {root}(first: $f) {{ nodes {{ id }} }} }}", {"f": first})
        # What could cost too much is refused before anything runs.
        (error,) = result["errors"]
        assert error["extensions"]["code"] in ("BAD_USER_INPUT", "LIMIT_EXCEEDED")
        assert first == 2**31 - 1 or error["extensions"]["code"] == "BAD_USER_INPUT"


def test_too_many_ids_and_texts(surface: Surface) -> None:
    ids = [global_id("Integration", number) for number in range(101)]
    for query in (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        "query ($ids: [ID!]!) { spaces(filter: { integrationIds: $ids }) { totalCount } }",
        "query ($ids: [ID!]!) { events(filter: { integrationIds: $ids }) { totalCount } }",
        "query ($ids: [String!]!) { auditEvents(filter: { mutations: $ids }) { totalCount } }",
        '{ integrations(filter: { text: "%s" }) { totalCount } }' % ("x" * 201),
        '{ spaces(filter: { text: "%s" }) { totalCount } }' % ("x" * 201),
        '{ integration(name: "%s") { id } }' % ("x" * 10_000),
        "{ integration { id } }",
        '{ integration(id: "a", name: "b") { id } }',
        '{ space(integration: "a") { id } }',
        '{ space(id: "a", name: "b") { id } }',
        "{ space { id } }",
    ):
        variables = {"ids": ids} if "$ids" in query else {}
        errors = surface.server.post(query, variables)["errors"]
        assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"], query


TEXT_ARGUMENTS = [
    "query ($t: String) { integration(name: $t) { id } }",
    "query ($t: String) { integrations(filter: { text: $t }) { totalCount } }",
    "query ($t: String) { spaces(filter: { text: $t }) { totalCount } }",
    'query ($t: String) { space(integration: "SW50ZWdyYXRpb246MQ", name: $t) { id } }',
    "query ($t: String) { auditEvents(filter: { viewerName: $t }) { totalCount } }",
    "query ($t: String!) { auditEvents(filter: { mutations: [$t] }) { totalCount } }",
]


@pytest.mark.parametrize("query", TEXT_ARGUMENTS)
def test_a_null_in_a_text(surface: Surface, query: str) -> None:
    (error,) = surface.server.post(query, {"t": "a\x00b"})["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("escape", [r"\ud800", r"a\udfffb", r"\udc00\ud800"])
def test_half_a_character_is_no_json_and_no_graphql(surface: Surface, escape: str) -> None:
    token = {"Authorization": f"Bearer {surface.server.admin_token}", "Content-Type": "application/json"}
    in_variables = (
        f'{{"query": "query ($t: String) {{ integration(name: $t) {{ id }} }}", "variables": {{"t": "{escape}"}}}}'
    )
    document = f'{{ integration(name: "{escape}") {{ id }} }}'

    answer = surface.server.request("POST", "/graphql", in_variables.encode(), token)
    assert (answer.status, answer.json["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    answer = surface.server.request("POST", "/graphql", json.dumps({"query": document}).encode(), token)
    assert [error["extensions"]["code"] for error in answer.json["errors"]] == ["GRAPHQL_PARSE_FAILED"]


def test_values_of_another_type(surface: Surface) -> None:
    refused: list[tuple[str, dict[str, Any]]] = [
        ("query ($f: Int) { integrations(first: $f) { totalCount } }", {"f": "many"}),
        ("query ($f: Int) { integrations(first: $f) { totalCount } }", {"f": 1.5}),
        ("query ($f: AuditFilter) { auditEvents(filter: $f) { totalCount } }", {"f": {"since": "yesterday"}}),
        ("query ($f: AuditFilter) { auditEvents(filter: $f) { totalCount } }", {"f": {"since": 0}}),
        ("query ($f: AuditFilter) { auditEvents(filter: $f) { totalCount } }", {"f": {"since": "2026-01-01T00:00:00"}}),
        ("query ($f: EventFilter) { events(filter: $f) { totalCount } }", {"f": {"types": ["NOTHING"]}}),
        ("query ($f: EventFilter) { events(filter: $f) { totalCount } }", {"f": {"unknown": 1}}),
        ("query ($id: ID!) { node(id: $id) { id } }", {}),
        ("query ($id: ID!) { node(id: $id) { id } }", {"id": None}),
        ("mutation ($i: CheckRegistryInput!) { checkRegistry(input: $i) { errors { code } } }", {"i": {"url": 7}}),
        (
            "mutation ($i: CheckRegistryInput!) { checkRegistry(input: $i) { errors { code } } }",
            {"i": {"url": "https://a", "password": {"hidden": "hidden"}}},
        ),
    ]
    for query, variables in refused:
        result = surface.server.post(query, variables)
        assert [error["extensions"]["code"] for error in result["errors"]] == ["BAD_USER_INPUT"], query
        assert "hidden" not in repr(result)


def test_variables_that_nobody_asked_for_are_let_be(surface: Surface) -> None:
    assert surface.server.graphql("{ viewer { name } }", {"unknown": 1}) == {"viewer": {"name": "admin"}}
    (error,) = surface.server.post("{ node(id: $unknown) { id } }")["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
