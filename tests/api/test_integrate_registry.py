"""integrateRegistry and checkRegistry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry_clients.kind import RegistryKind
from registry_clients.kinds import KIND_DESCRIPTIONS
from services import registry_input
from tests.api.fake_registry import FakeRegistry, basic
from tests.api.surface import Surface

WHOLE = """
integration {
  name description kind origin url imageHost imageHostAliases labels username tokenRealm version spaceCount
  tls { caCertificatePem isVerificationSkipped } stale { reason }
  health { status reason message checks { isGood } }
  spaces { nodes { name visibility isVisibilityEnforced state imagePrefixes integration { name } } }
}
"""


def given(surface: Surface, registry: FakeRegistry, **more: Any) -> dict[str, Any]:
    return {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url, **more}


def test_a_registry_is_integrated_with_its_spaces(surface: Surface, guarded_registry: FakeRegistry) -> None:
    guarded_registry.repositories = ["web", "library/db", "team/app", "team/tool"]
    events, audited = surface.events(), surface.audit()
    what = given(
        surface,
        guarded_registry,
        username="robot",
        password="right",
        description="  for the team\n",
        imageHost="Images:443",
    )

    payload = surface.mutate("integrateRegistry", what, WHOLE)

    private = {"visibility": "PRIVATE", "isVisibilityEnforced": False, "state": "PRESENT"}
    place = {"integration": {"name": what["name"]}}
    assert payload == {
        "errors": [],
        "integration": {
            "name": what["name"],
            "description": "for the team",
            "kind": "DOCKER_REGISTRY",
            "origin": "INTEGRATED",
            "url": guarded_registry.url,
            "imageHost": "images",
            "imageHostAliases": [],
            "labels": ["INTEGRATED", "HEALTHY"],
            "username": "robot",
            "tokenRealm": None,
            "version": None,
            "spaceCount": 2,
            "tls": {"caCertificatePem": None, "isVerificationSkipped": False},
            "stale": None,
            "health": {"status": "HEALTHY", "reason": None, "message": None, "checks": []},
            "spaces": {
                "nodes": [
                    {"name": "library", "imagePrefixes": ["images/", "images/library/"], **private, **place},
                    {"name": "team", "imagePrefixes": ["images/team/"], **private, **place},
                ]
            },
        },
    }
    assert [(type_, data.get("space_name")) for type_, data in surface.events()[len(events) :]] == [
        ("INTEGRATION_ADDED", None),
        ("SPACE_ADDED", "library"),
        ("SPACE_ADDED", "team"),
    ]
    (row,) = surface.audit()[len(audited) :]
    assert row == {
        "mutation": "integrateRegistry",
        "outcome": "SUCCEEDED",
        "error_codes": [],
        "viewer_role": "PLATFORM_ADMIN",
        "is_dry_run": False,
        "is_finished": True,
        "input": {
            **what,
            "description": "  for the team\n",
            "password": "•••",
            "tls": None,
            "tokenRealm": None,
            "workspaceId": None,
        },
    }
    assert set(guarded_registry.authorizations) == {basic("robot", "right")}


def test_a_wrong_password_is_the_registrys_refusal(surface: Surface, guarded_registry: FakeRegistry) -> None:
    what = given(surface, guarded_registry, username="robot", password="wrong")
    stored, audited = surface.stored(), surface.audit()

    assert surface.errors_of("integrateRegistry", what) == [
        {
            "__typename": "RegistryRefused",
            "code": "REGISTRY_REFUSED",
            "path": ["input", "url"],
            "reason": "UNAUTHORIZED",
            "httpStatus": 401,
        }
    ]
    assert surface.stored() == stored
    (row,) = surface.audit()[len(audited) :]
    assert (row["outcome"], row["error_codes"]) == ("REFUSED", ["REGISTRY_REFUSED"])


def test_everything_wrong_is_said_at_once(surface: Surface, registry: FakeRegistry) -> None:
    stored = surface.stored()
    what = {
        "name": " ",
        "kind": "DOCKER_REGISTRY",
        "url": "registry",
        "imageHost": "a/b",
        "username": "robot",
        "description": "\x07",
        "tls": {"caCertificatePem": "none"},
        "tokenRealm": "ftp://realm",
    }

    errors = surface.errors_of("integrateRegistry", what)

    assert {error["__typename"] for error in errors} == {"InvalidInput"}
    assert sorted(".".join(error["path"]) for error in errors) == [
        "input.description",
        "input.imageHost",
        "input.name",
        "input.password",
        "input.tls.caCertificatePem",
        "input.tokenRealm",
        "input.url",
    ]
    assert (surface.stored(), registry.requests) == (stored, [])


def test_a_kind_without_a_client_is_not_supported(
    surface: Surface, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = RegistryKind.HARBOR
    unsupported = {**KIND_DESCRIPTIONS, kind: replace(KIND_DESCRIPTIONS[kind], is_supported=False)}
    monkeypatch.setattr(registry_input, "KIND_DESCRIPTIONS", unsupported)
    what = given(surface, registry, kind=kind.value, username="admin", password="Harbor12345")
    stored = surface.stored()

    assert surface.errors_of("integrateRegistry", what) == [
        {"__typename": "KindNotSupported", "code": "KIND_NOT_SUPPORTED", "path": ["input", "kind"]}
    ]
    assert (surface.stored(), registry.requests) == (stored, [])


def test_what_is_taken_is_said_with_its_holder_and_no_registry_is_asked(
    surface: Surface, registry: FakeRegistry
) -> None:
    holder = surface.integrate(registry, name="Ünique", imageHost="taken.example")
    stored, asked = surface.stored(), len(registry.requests)
    held = {"holder": {"name": "Ünique"}}

    assert surface.errors_of("integrateRegistry", given(surface, registry, name="ÜNIQUE", url=registry.other_url)) == [
        {"__typename": "NameTaken", "code": "NAME_TAKEN", "path": ["input", "name"], **held}
    ]
    assert surface.errors_of("integrateRegistry", given(surface, registry, url=holder["url"].upper() + "/")) == [
        {"__typename": "AddressTaken", "code": "ADDRESS_TAKEN", "path": ["input", "url"], **held}
    ]
    assert surface.errors_of(
        "integrateRegistry", given(surface, registry, url=registry.other_url, imageHost="Taken.Example:443")
    ) == [{"__typename": "ImageHostTaken", "code": "IMAGE_HOST_TAKEN", "path": ["input", "imageHost"], **held}]
    assert (surface.stored(), len(registry.requests)) == (stored, asked)


def test_a_host_that_no_image_can_have_needs_an_image_host(surface: Surface, registry: FakeRegistry) -> None:
    what = given(surface, registry, url="http://my_registry:5000")

    assert surface.errors_of("integrateRegistry", what) == [
        {"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["input", "imageHost"]}
    ]


CHECK = "check { kind version isCredentialVerified spaceCount }"


def test_a_check_saves_nothing(surface: Surface, guarded_registry: FakeRegistry) -> None:
    stored, audited = surface.stored(), surface.audit()
    what = {"kind": "DOCKER_REGISTRY", "url": guarded_registry.url, "username": "robot", "password": "right"}

    assert surface.mutate("checkRegistry", what, CHECK) == {
        "errors": [],
        "check": {"kind": "DOCKER_REGISTRY", "version": None, "isCredentialVerified": True, "spaceCount": 1},
    }
    assert surface.stored() == stored
    (row,) = surface.audit()[len(audited) :]
    assert (row["mutation"], row["outcome"], row["input"]["password"]) == ("checkRegistry", "SUCCEEDED", "•••")


def test_a_check_without_a_kind_finds_out(surface: Surface, registry: FakeRegistry) -> None:
    assert surface.mutate("checkRegistry", {"url": registry.url}, CHECK)["check"] == {
        "kind": "DOCKER_REGISTRY",
        "version": None,
        "isCredentialVerified": False,
        "spaceCount": 1,
    }


def test_a_check_says_why_not(surface: Surface, guarded_registry: FakeRegistry) -> None:
    payload = surface.mutate("checkRegistry", {"url": guarded_registry.url, "kind": "DOCKER_REGISTRY"}, CHECK)

    assert payload["check"] is None
    assert [(error["code"], error["path"], error["reason"]) for error in payload["errors"]] == [
        ("REGISTRY_REFUSED", ["input", "url"], "UNAUTHORIZED")
    ]
