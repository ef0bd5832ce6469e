"""Addresses that no registry has, and registries that lead to them."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from tests.api.fake_registry import FakeRegistry
from tests.api.surface import QUICK_SECONDS, Surface

METADATA = [
    "http://169.254.169.254",
    "http://169.254.169.254/latest",
    "http://2852039166",
    "http://[::ffff:169.254.169.254]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[fd00:ec2::254]",
    "http://100.100.100.200",
    "http://0.0.0.0:5000",
    "http://[fe80::1]",
]


def refused(reason: str) -> list[dict[str, Any]]:
    path = ["input", "url"]
    return [
        {
            "__typename": "RegistryRefused",
            "code": "REGISTRY_REFUSED",
            "path": path,
            "reason": reason,
            "httpStatus": None,
        }
    ]


def both(surface: Surface, given: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return what checkRegistry and integrateRegistry say, each at once and without changing anything."""
    stored, answers = surface.stored(), []
    for mutation, more in (("checkRegistry", {}), ("integrateRegistry", {"name": surface.new_name()})):
        began_at = time.monotonic()
        answers.append(surface.errors_of(mutation, {"kind": "DOCKER_REGISTRY", **given, **more}))
        assert time.monotonic() - began_at < QUICK_SECONDS
    assert surface.stored() == stored
    return answers


@pytest.mark.parametrize("url", METADATA)
def test_a_metadata_address_by_number(surface: Surface, url: str) -> None:
    if url == "http://2852039166":
        # No name and no IPv4 address as people write them.
        assert {error["code"] for errors in both(surface, {"url": url}) for error in errors} == {"INVALID_INPUT"}
        return
    assert both(surface, {"url": url}) == [refused("ADDRESS_REFUSED")] * 2


def test_a_metadata_address_by_name(surface: Surface, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def looked_up(host: Any, *more: Any, **options: Any) -> Any:
        return look_up(
            "169.254.169.254" if host in ("metadata.example", b"metadata.example") else host, *more, **options
        )

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    assert both(surface, {"url": "http://metadata.example"}) == [refused("ADDRESS_REFUSED")] * 2


def test_a_name_that_leads_nowhere(surface: Surface) -> None:
    assert both(surface, {"url": "http://nowhere.invalid"}) == [refused("NAME_NOT_RESOLVED")] * 2


def test_a_metadata_address_by_redirect(surface: Surface, registry: FakeRegistry) -> None:
    registry.redirects_to = "http://169.254.169.254/v2/"
    assert both(surface, {"url": registry.url}) == [refused("ADDRESS_REFUSED")] * 2


def test_a_metadata_address_as_token_realm(surface: Surface, guarded_registry: FakeRegistry) -> None:
    guarded_registry.challenge = 'Bearer realm="http://169.254.169.254/token",service="x"'
    credential = {"username": "robot", "password": "right"}
    named = {"tokenRealm": "http://169.254.169.254/token"}

    assert both(surface, {"url": guarded_registry.url, **credential, **named}) == [refused("ADDRESS_REFUSED")] * 2
    # One that wasn't named gets no credential, wherever it is.
    for errors in both(surface, {"url": guarded_registry.url, **credential}):
        assert [(error["code"], error["path"]) for error in errors] == [("REGISTRY_REFUSED", ["input", "url"])]
    assert guarded_registry.authorizations == []


def test_what_is_refused_says_no_more(surface: Surface) -> None:
    query = """mutation ($input: CheckRegistryInput!) { checkRegistry(input: $input) {
      errors { message ... on RegistryRefused { reason registryMessage httpStatus } } } }"""
    result = surface.server.graphql(query, {"input": {"url": "http://169.254.169.254"}})

    assert result["checkRegistry"]["errors"] == [
        {
            "message": "Connections to 169.254.169.254 are not allowed from here.",
            "reason": "ADDRESS_REFUSED",
            "registryMessage": None,
            "httpStatus": None,
        }
    ]
