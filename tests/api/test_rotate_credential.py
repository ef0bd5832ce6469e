"""rotateIntegrationCredential: the new one is verified before the old is dropped."""

from __future__ import annotations

from tests.api.fake_registry import FakeRegistry, basic
from tests.api.surface import Surface

STORED = 'SELECT "username", "password_encrypted" FROM "integration"'


def check(surface: Surface, integration_id: str) -> str:
    payload = surface.mutate("checkIntegration", {"id": integration_id}, "integration { health { status } }")
    status: str = payload["integration"]["health"]["status"]
    return status


def test_the_new_credential_is_used_from_then_on(surface: Surface, guarded_registry: FakeRegistry) -> None:
    before = surface.integrate(guarded_registry, username="robot", password="right")
    assert check(surface, before["id"]) == "HEALTHY"
    events, stored = surface.events(), surface.rows(STORED)

    payload = surface.mutate(
        "rotateIntegrationCredential",
        {"id": before["id"], "username": "other", "password": "good"},
        "integration { username }",
    )

    assert payload == {"errors": [], "integration": {"username": "other"}}
    assert surface.rows(STORED) != stored
    assert [type_ for type_, _ in surface.events()[len(events) :]] == ["INTEGRATION_UPDATED"]
    del guarded_registry.users["robot"]
    heard = len(guarded_registry.authorizations)
    assert check(surface, before["id"]) == "HEALTHY"
    assert set(guarded_registry.authorizations[heard:]) == {basic("other", "good")}


def test_one_that_the_registry_refuses_changes_nothing(surface: Surface, guarded_registry: FakeRegistry) -> None:
    before = surface.integrate(guarded_registry, username="robot", password="right")
    stored, audited = surface.stored(), surface.audit()

    errors = surface.errors_of(
        "rotateIntegrationCredential", {"id": before["id"], "username": "other", "password": "bad"}
    )

    assert [(error["code"], error["reason"], error["path"]) for error in errors] == [
        ("REGISTRY_REFUSED", "UNAUTHORIZED", ["input", "url"])
    ]
    assert surface.stored() == stored
    (row,) = surface.audit()[len(audited) :]
    assert (row["outcome"], row["error_codes"], row["input"]["password"]) == ("REFUSED", ["REGISTRY_REFUSED"], "•••")
    assert check(surface, before["id"]) == "HEALTHY"


def test_half_a_credential_is_none(surface: Surface, guarded_registry: FakeRegistry) -> None:
    before = surface.integrate(guarded_registry, username="robot", password="right")
    stored, asked = surface.stored(), len(guarded_registry.requests)
    expected = {("", ""): "username", ("other", ""): "password", ("", "good"): "username"}

    for (username, password), field in expected.items():
        given = {"id": before["id"], "username": username, "password": password}
        assert surface.errors_of("rotateIntegrationCredential", given) == [
            {"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["input", field]}
        ]
    assert (surface.stored(), len(guarded_registry.requests)) == (stored, asked)
