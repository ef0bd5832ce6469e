"""What is for administrators is null to a member, and nothing beside it is."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import trustme
from graphql import GraphQLNonNull, GraphQLObjectType

from models.database import Transaction
from models.enums import HealthReason
from schema.health import REASONS
from tests.api.administrators import for_administrators
from tests.api.fake_registry import FakeRegistry
from tests.api.surface import Surface
from tests.serving import shared_schema

QUERY = """
fragment Whole on Integration {
  name url username tokenRealm tls { caCertificatePem } hook { url configuration hasSecret lastReceivedAt }
  health { status message registryMessage components { name message } checks { isGood registryMessage } }
}
query ($id: ID!) {
  integration(id: $id) { ...Whole }
  integrations { nodes { ...Whole } edges { node { ...Whole } } }
  node(id: $id) { ...Whole }
  spaces { nodes { name integration { ...Whole } } }
  events {
    totalCount
    nodes {
      type integration { ...Whole }
      ... on IntegrationAdded { integrationName by }
      ... on IntegrationUpdated { integrationName by }
      ... on HealthChanged { previous { registryMessage } current { registryMessage components { name } } }
    }
  }
}
"""


def test_what_is_said_to_be_for_administrators_is_nullable() -> None:
    said = for_administrators()

    assert {
        ("Integration", "url"),
        ("Integration", "username"),
        ("Integration", "tokenRealm"),
        ("Integration", "tls"),
        ("Integration", "routineCredential"),
        ("Integration", "usage"),
        ("Integration", "usageHistory"),
        ("Integration", "hook"),
        ("Health", "registryMessage"),
        ("Health", "components"),
        ("HealthComponent", "message"),
        ("HealthCheck", "registryMessage"),
        ("Binding", "boundBy"),
    } <= set(said)
    # Who did something is for administrators, wherever it is told.
    assert {type_name for type_name, name in said if name == "by"} == {
        type_.name
        for type_ in shared_schema()._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and "by" in type_.fields
    }
    assert not [name for name, type_ in said.items() if isinstance(type_, GraphQLNonNull)]


@pytest.fixture
def integration_id(surface: Surface, guarded_registry: FakeRegistry) -> str:
    """An integration with something in every field, and a space that all see."""
    integration = surface.integrate(
        guarded_registry,
        username="robot",
        password="right",
        tokenRealm="http://realm.example/token",
        tls={"caCertificatePem": trustme.CA().cert_pem.bytes().decode()},
    )
    key: str = integration["id"]
    assert surface.errors_of("updateIntegration", {"id": key, "description": "changed"}) == []
    guarded_registry.users = {"robot": "changed"}
    surface.mutate("checkIntegration", {"id": key})
    components = '[{"name": "core", "is_healthy": true, "message": "well"}]'
    database = surface.server.services.database
    for write in (
        f"""UPDATE "integration_health" SET "components" = '{components}'""",
        """UPDATE "space" SET "visibility" = 'PUBLIC'""",
    ):
        surface.server.run(database.transact(partial(Transaction.execute, sql=write)))
    return key


def test_a_member_sees_the_same_less_what_is_for_administrators(surface: Surface, integration_id: str) -> None:
    token = surface.member_token

    administrators = surface.server.graphql(QUERY, {"id": integration_id})
    members = surface.server.graphql(QUERY, {"id": integration_id}, token)

    hidden = {"ACCESS_TOKEN_CREATED", "ACCESS_TOKEN_REVOKED"}
    types = [node["type"] for node in administrators["events"]["nodes"]]
    assert hidden & set(types)
    assert not hidden & {node["type"] for node in members["events"]["nodes"]}
    # The count agrees with what is shown.
    assert members["events"]["totalCount"] == len(members["events"]["nodes"])
    shown = [node for node in administrators["events"]["nodes"] if node["type"] not in hidden]
    administrators["events"] = {"nodes": shown, "totalCount": len(shown)}
    assert members == _without(administrators)
    whole = administrators["integration"]
    seen_by_administrators = [whole["url"], whole["username"], whole["tokenRealm"], whole["tls"]["caCertificatePem"]]
    seen_by_administrators.append(whole["hook"]["configuration"])
    assert all(seen_by_administrators)
    assert whole["health"]["registryMessage"] == "UNAUTHORIZED: who is it"
    assert whole["health"]["components"] == [{"name": "core", "message": "well"}]


def test_tokens_and_audit_are_no_nodes_to_a_member(surface: Surface) -> None:
    token = surface.member_token
    found = surface.server.graphql("{ accessTokens(first: 1) { nodes { id } } auditEvents(first: 1) { nodes { id } } }")
    ids = [found[root]["nodes"][0]["id"] for root in ("accessTokens", "auditEvents")]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    assert surface.server.graphql(query, {"ids": ids}) == {
        "nodes": [{"__typename": "AccessToken", "id": ids[0]}, {"__typename": "AuditEvent", "id": ids[1]}]
    }
    assert surface.server.graphql(query, {"ids": ids}, token) == {"nodes": [None, None]}


def test_one_forbidden_field_nulls_no_other(surface: Surface) -> None:
    result = surface.server.post(
        "{ viewer { role } auditEvents { totalCount } accessTokens { totalCount } serverInfo { version } }",
        token=surface.member_token,
    )

    assert result["data"]["viewer"] == {"role": "WORKSPACE_MEMBER"}
    assert result["data"]["serverInfo"]["version"]
    assert (result["data"]["auditEvents"], result["data"]["accessTokens"]) == (None, None)
    assert sorted(error["path"] for error in result["errors"]) == [["accessTokens"], ["auditEvents"]]


def test_what_a_viewer_is_told_of_itself(surface: Surface) -> None:
    expires_at = datetime.fromisoformat(surface.server.graphql("{ viewer { expiresAt } }")["viewer"]["expiresAt"])
    assert expires_at > datetime.now(UTC)
    kinds = surface.server.graphql("{ registryKinds { kind abilities isSupported } }", token=surface.member_token)
    assert {kind["kind"]: kind["isSupported"] for kind in kinds["registryKinds"]} == {
        "DOCKER_REGISTRY": True,
        "HARBOR": True,
    }


def _without(value: Any) -> Any:
    """Return what an administrator sees, with null for what is for administrators alone."""
    # Other things have a message too, for everybody; components are null as a whole.
    names = {name for type_name, name in for_administrators() if type_name != "HealthComponent"}
    if isinstance(value, dict):
        shown = {key: None if key in names else _without(item) for key, item in value.items()}
        if shown.get("message") is not None:
            # Which host was asked is in the whole sentence.
            shown["message"] = REASONS[HealthReason.UNAUTHORIZED]
        return shown
    return [_without(item) for item in value] if isinstance(value, list) else value


def test_every_reason_has_a_sentence_for_everybody() -> None:
    assert set(REASONS) == set(HealthReason)
