"""updateIntegration: what is left out stays, null empties, and no stored password goes anywhere new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.api.fake_registry import FakeRegistry, basic, running_fake_registry
from tests.api.surface import Surface

WHOLE = """
integration {
  name description url imageHost imageHostAliases username tokenRealm updatedAt
  tls { caCertificatePem isVerificationSkipped }
}
"""
CREDENTIAL = {"username": "robot", "password": "right"}
CREDENTIAL_REQUIRED = {
    "__typename": "CredentialRequired",
    "code": "CREDENTIAL_REQUIRED",
    "path": ["input", "password"],
}


@pytest.fixture
def elsewhere() -> Iterator[FakeRegistry]:
    """Another registry that lets in the same users."""
    with running_fake_registry(users={"robot": "right", "other": "good"}) as running:
        yield running


def is_looked_at(surface: Surface) -> bool:
    """Return whether the one integration's next look is an hour away, and none is under way."""
    ((next_at, lease),) = surface.rows(
        'SELECT "next_synchronization_at", "synchronization_lease_until" FROM "integration"'
    )
    services = surface.server.services
    return lease is None and services.database.dialect.datetime(next_at) > services.clock() + timedelta(minutes=1)


def update(surface: Surface, given: dict[str, Any]) -> dict[str, Any]:
    payload = surface.mutate("updateIntegration", given, WHOLE)
    assert payload["errors"] == []
    integration: dict[str, Any] = payload["integration"]
    return integration


def test_what_is_left_out_stays_and_null_empties(surface: Surface, registry: FakeRegistry) -> None:
    before = surface.integrate(registry, description="for the team", imageHost="one.example")
    events, audited, asked = surface.events(), surface.audit(), len(registry.requests)

    first = update(surface, {"id": before["id"], "imageHostAliases": ["B.example", "a.example:443", "b.example"]})
    second = update(surface, {"id": before["id"], "name": "  other name "})
    third = update(surface, {"id": before["id"], "description": None, "imageHostAliases": None})

    unchanged = {
        "url": registry.url,
        "imageHost": "one.example",
        "username": None,
        "tokenRealm": None,
        "tls": {"caCertificatePem": None, "isVerificationSkipped": False},
    }
    for integration in (first, second, third):
        del integration["updatedAt"]
    aliases = ["a.example", "b.example"]
    assert first == unchanged | {
        "name": before["name"],
        "description": "for the team",
        "imageHostAliases": aliases,
    }
    assert second == unchanged | {"name": "other name", "description": "for the team", "imageHostAliases": aliases}
    assert third == unchanged | {"name": "other name", "description": None, "imageHostAliases": []}
    # Nothing that concerns the registry was changed, so it wasn't asked.
    assert len(registry.requests) == asked
    assert [(type_, data["integration_name"]) for type_, data in surface.events()[len(events) :]] == [
        ("INTEGRATION_UPDATED", before["name"]),
        ("INTEGRATION_UPDATED", "other name"),
        ("INTEGRATION_UPDATED", "other name"),
    ]
    # The audit tells an omitted field from a null one, too.
    assert [row["input"] for row in surface.audit()[len(audited) :]] == [
        {
            "id": before["id"],
            "imageHostAliases": ["B.example", "a.example:443", "b.example"],
            "expectedUpdatedAt": None,
        },
        {"id": before["id"], "name": "  other name ", "expectedUpdatedAt": None},
        {"id": before["id"], "description": None, "imageHostAliases": None, "expectedUpdatedAt": None},
    ]


@pytest.mark.parametrize("field", ["name", "url"])
def test_null_can_not_empty_what_must_be_there(surface: Surface, registry: FakeRegistry, field: str) -> None:
    before = surface.integrate(registry)
    stored = surface.stored()

    assert surface.errors_of("updateIntegration", {"id": before["id"], field: None}) == [
        {"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["input", field]}
    ]
    assert surface.stored() == stored


CHANGES: list[dict[str, Any]] = [
    {"url": "http://localhost:1"},
    {"imageHost": "other.example"},
    {"imageHostAliases": ["other.example"]},
    {"tokenRealm": "http://realm.example/token"},
    {"tls": {"isVerificationSkipped": True}},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_stored_password_goes_nowhere_new(
    surface: Surface, guarded_registry: FakeRegistry, change: dict[str, Any]
) -> None:
    before = surface.integrate(guarded_registry, **CREDENTIAL)
    stored, asked = surface.stored(), len(guarded_registry.requests)

    assert surface.errors_of("updateIntegration", {"id": before["id"], **change}) == [CREDENTIAL_REQUIRED]
    assert (surface.stored(), len(guarded_registry.requests)) == (stored, asked)


def test_taking_trust_or_realm_back_needs_the_password_too(surface: Surface, guarded_registry: FakeRegistry) -> None:
    given = {"tokenRealm": "http://realm.example/token", "tls": {"isVerificationSkipped": True}}
    before = surface.integrate(guarded_registry, **CREDENTIAL, **given)
    stored = surface.stored()

    for change in ({"tokenRealm": None}, {"tls": None}):
        assert surface.errors_of("updateIntegration", {"id": before["id"], **change}) == [CREDENTIAL_REQUIRED]
    assert surface.stored() == stored
    # The same again is no change.
    same = update(surface, {"id": before["id"], **given, "url": before["url"], "imageHost": before["imageHost"]})
    assert (same["tokenRealm"], same["tls"]["isVerificationSkipped"]) == ("http://realm.example/token", True)


def test_an_alias_needs_the_password_when_it_is_new(surface: Surface, guarded_registry: FakeRegistry) -> None:
    before = surface.integrate(guarded_registry, **CREDENTIAL, imageHost="one.example")
    key, aliases = {"id": before["id"]}, ["a.example", "b.example"]
    with_password = update(surface, {**key, "imageHostAliases": aliases, **CREDENTIAL})
    stored = surface.stored()

    more = {**key, "imageHostAliases": [*aliases, "c.example"]}
    other = {**key, "imageHostAliases": ["a.example", "c.example"]}
    for given in (more, other):
        assert surface.errors_of("updateIntegration", given) == [CREDENTIAL_REQUIRED]
    assert surface.stored() == stored
    # What it is called by already, in any order and form, is none that is new, and taking away needs nothing.
    same = update(surface, {**key, "imageHostAliases": ["B.example", "one.example", "a.example:443"]})
    fewer = update(surface, {**key, "imageHostAliases": ["a.example"]})
    assert (with_password["imageHostAliases"], same["imageHostAliases"]) == (aliases, aliases)
    assert fewer["imageHostAliases"] == ["a.example"]


def test_with_the_password_it_goes_there_and_is_verified(
    surface: Surface, guarded_registry: FakeRegistry, elsewhere: FakeRegistry
) -> None:
    before = surface.integrate(guarded_registry, **CREDENTIAL)
    asked = len(guarded_registry.requests)

    after = update(surface, {"id": before["id"], "url": elsewhere.url, "username": "other", "password": "good"})

    # The image host is what images are called by: it stays until it is changed by name.
    assert (after["url"], after["username"], after["imageHost"]) == (
        elsewhere.url,
        "other",
        guarded_registry.image_host,
    )
    assert len(guarded_registry.requests) == asked
    assert set(elsewhere.authorizations) == {basic("other", "good")}
    # What is stored works there: the next check signs in with it.
    heard = len(elsewhere.authorizations)
    check = surface.mutate("checkIntegration", {"id": before["id"]}, "integration { health { status } }")
    assert check == {"errors": [], "integration": {"health": {"status": "HEALTHY"}}}
    assert set(elsewhere.authorizations[heard:]) == {basic("other", "good")}


def test_where_no_password_is_stored_none_is_needed(
    surface: Surface, registry: FakeRegistry, guarded_registry: FakeRegistry
) -> None:
    before = surface.integrate(registry)
    registry.released.set()

    moved = update(surface, {"id": before["id"], "url": registry.other_url, "imageHost": None})
    assert (moved["url"], moved["imageHost"]) == (registry.other_url, f"localhost:{registry.port}")
    # A look at what is at the new address follows by itself.
    surface.wait_until(lambda: is_looked_at(surface), "the new address was looked at")
    # One that wants a credential refuses to be moved to without.
    stored = surface.stored()
    refused = surface.errors_of("updateIntegration", {"id": before["id"], "url": guarded_registry.url})
    assert [(error["code"], error["reason"]) for error in refused] == [("REGISTRY_REFUSED", "UNAUTHORIZED")]
    assert surface.stored() == stored


def test_a_credential_is_changed_or_taken_away(surface: Surface, guarded_registry: FakeRegistry) -> None:
    before = surface.integrate(guarded_registry, **CREDENTIAL)
    stored = surface.stored()

    for half in ({"username": "other"}, {"password": None}, {"username": None, "password": "good"}):
        (error,) = surface.errors_of("updateIntegration", {"id": before["id"], **half})
        assert (error["code"], error["path"][0]) == ("INVALID_INPUT", "input")
    (error,) = surface.errors_of("updateIntegration", {"id": before["id"], "username": None, "password": None})
    assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "UNAUTHORIZED")
    assert surface.stored() == stored

    guarded_registry.users = {}
    opened = update(surface, {"id": before["id"], "username": None, "password": None})
    assert opened["username"] is None
    assert surface.rows('SELECT "username", "password_encrypted" FROM "integration"') == [(None, None)]


def test_who_comes_second_is_told_what_is_there_now(surface: Surface, registry: FakeRegistry) -> None:
    before = surface.integrate(registry)
    read = {"id": before["id"], "expectedUpdatedAt": before["updatedAt"]}
    first = update(surface, {**read, "description": "first"})
    stored = surface.stored()

    assert surface.errors_of("updateIntegration", {**read, "description": "second"}) == [
        {
            "__typename": "UpdateConflict",
            "code": "UPDATE_CONFLICT",
            "path": ["input", "expectedUpdatedAt"],
            "current": {"name": before["name"], "description": "first"},
        }
    ]
    assert surface.stored() == stored
    second = update(surface, {"id": before["id"], "expectedUpdatedAt": first["updatedAt"], "description": "second"})
    assert second["description"] == "second"


def test_what_is_taken_is_said_with_its_holder(surface: Surface, registry: FakeRegistry) -> None:
    holder = surface.integrate(registry, imageHost="held.example")
    update(surface, {"id": holder["id"], "imageHostAliases": ["alias.example"]})
    other = surface.integrate(registry, url=registry.other_url)
    stored = surface.stored()
    expected = {
        ("NAME_TAKEN", "name"): {"name": holder["name"].upper()},
        ("ADDRESS_TAKEN", "url"): {"url": holder["url"]},
        ("IMAGE_HOST_TAKEN", "imageHost"): {"imageHost": "alias.example"},
        ("IMAGE_HOST_TAKEN", "imageHostAliases"): {"imageHostAliases": ["free.example", "held.example"]},
    }
    for (code, field), change in expected.items():
        (error,) = surface.errors_of("updateIntegration", {"id": other["id"], **change})
        assert (error["code"], error["path"], error["holder"]) == (code, ["input", field], {"name": holder["name"]})
    assert surface.stored() == stored
    # What it holds itself is free to it, and an alias may become the host.
    swapped = update(surface, {"id": holder["id"], "name": holder["name"].upper(), "imageHost": "alias.example"})
    assert (swapped["imageHost"], swapped["imageHostAliases"]) == ("alias.example", [])


def test_an_alias_that_is_none_is_named(surface: Surface, registry: FakeRegistry) -> None:
    before = surface.integrate(registry)
    stored = surface.stored()

    errors = surface.errors_of("updateIntegration", {"id": before["id"], "imageHostAliases": ["good.example", "a/b"]})
    assert [error["path"] for error in errors] == [["input", "imageHostAliases", "1"]]
    too_many = [f"{number}.example" for number in range(21)]
    errors = surface.errors_of("updateIntegration", {"id": before["id"], "imageHostAliases": too_many})
    assert [(error["code"], error["path"]) for error in errors] == [("INVALID_INPUT", ["input", "imageHostAliases"])]
    assert surface.stored() == stored
