"""Two at once: one wins, the other is told, and nobody waits for somebody who waits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.api.fake_registry import FakeRegistry
from tests.api.surface import Surface

ROUNDS = 5


def side_by_side(surface: Surface, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Run mutations at once and return their payloads, in order."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(surface.mutate, *call) for call in calls]]


@contextmanager
def held(registry: FakeRegistry, surface: Surface, requests: int) -> Iterator[ThreadPoolExecutor]:
    """Hold the registry's answers until so many were asked for; then those who wait go on together."""
    registry.released.clear()
    asked = len(registry.requests)
    with ThreadPoolExecutor(requests) as threads:
        try:
            yield threads
            surface.wait_until(lambda: len(registry.requests) >= asked + requests, "both have asked the registry")
        finally:
            registry.released.set()


TAKEN = [
    ("NAME_TAKEN", {"name": "same", "url": "other"}),
    ("ADDRESS_TAKEN", {"imageHost": "one.example"}),
    ("IMAGE_HOST_TAKEN", {"url": "other", "imageHost": "SAME.example"}),
]


@pytest.mark.parametrize(("code", "second"), TAKEN, ids=[code for code, _ in TAKEN])
def test_of_two_that_integrate_one_wins(
    surface: Surface, registry: FakeRegistry, code: str, second: dict[str, str]
) -> None:
    first = {"name": "Same", "kind": "DOCKER_REGISTRY", "url": registry.url, "imageHost": "same.example"}
    second = first | {"name": "another", "imageHost": "another.example"} | second
    second["url"] = registry.other_url if second["url"] == "other" else second["url"]

    # Both passed the first look at what is taken before either is saved.
    with held(registry, surface, 2) as threads:
        futures = [
            threads.submit(surface.mutate, "integrateRegistry", given, "integration { name }")
            for given in (first, second)
        ]
    payloads = [future.result() for future in futures]

    (won,) = [payload for payload in payloads if not payload["errors"]]
    (lost,) = [payload for payload in payloads if payload["errors"]]
    assert [(error["code"], error["holder"]) for error in lost["errors"]] == [(code, won["integration"])]
    assert lost["integration"] is None
    assert surface.rows('SELECT "name" FROM "integration"') == [(won["integration"]["name"],)]
    assert sorted(row["outcome"] for row in surface.audit()[-2:]) == ["REFUSED", "SUCCEEDED"]


def test_of_two_that_rename_one_wins(surface: Surface, registry: FakeRegistry) -> None:
    ids = [surface.integrate(registry)["id"], surface.integrate(registry, url=registry.other_url)["id"]]

    for round_ in range(ROUNDS):
        name = f"wanted {round_}"
        payloads = side_by_side(surface, *[("updateIntegration", {"id": key, "name": name}) for key in ids])

        assert sorted(error["code"] for payload in payloads for error in payload["errors"]) == ["NAME_TAKEN"]


def test_what_was_changed_while_it_was_verified_is_a_conflict(surface: Surface, guarded_registry: FakeRegistry) -> None:
    key = {"id": surface.integrate(guarded_registry, username="robot", password="right")["id"]}

    with held(guarded_registry, surface, 1) as threads:
        slow = threads.submit(
            surface.mutate, "rotateIntegrationCredential", {**key, "username": "other", "password": "good"}
        )
        surface.wait_until(lambda: not slow.running() or len(guarded_registry.requests) > 3, "it is being verified")
        assert surface.errors_of("updateIntegration", {**key, "description": "meanwhile"}) == []
        stored = surface.stored()

    (error,) = slow.result()["errors"]
    assert (error["code"], error["path"]) == ("UPDATE_CONFLICT", ["input", "id"])
    # How it is now, not how it was read.
    assert error["current"]["description"] == "meanwhile"
    assert surface.stored() == stored


def test_of_two_that_remove_one_has_removed_it(surface: Surface, registry: FakeRegistry) -> None:
    for _ in range(ROUNDS):
        key = {"id": surface.integrate(registry)["id"]}
        events = surface.events()

        payloads = side_by_side(surface, *[("removeIntegration", key)] * 2)

        assert sorted(error["code"] for payload in payloads for error in payload["errors"]) == ["NOT_FOUND"]
        assert [type_ for type_, _ in surface.events()[len(events) :]] == ["INTEGRATION_REMOVED"]


def test_a_token_is_revoked_once(surface: Surface) -> None:
    for _ in range(ROUNDS):
        surface.new_token("WORKSPACE_MEMBER")
        (token,) = surface.server.graphql("{ accessTokens(first: 1) { nodes { id } } }")["accessTokens"]["nodes"]
        events = surface.events()

        payloads = side_by_side(surface, *[("revokeAccessToken", token)] * 3)

        assert [payload["errors"] for payload in payloads] == [[]] * 3
        assert [type_ for type_, _ in surface.events()[len(events) :]] == ["ACCESS_TOKEN_REVOKED"]


def test_a_change_and_a_check_do_not_wait_for_each_other(surface: Surface, guarded_registry: FakeRegistry) -> None:
    key = {"id": surface.integrate(guarded_registry, username="robot", password="right")["id"]}
    credentials = [{"username": "other", "password": "good"}, {"username": "robot", "password": "right"}]

    for round_ in range(ROUNDS * 2):
        rotate = ("rotateIntegrationCredential", {**key, **credentials[round_ % 2]})
        payloads = side_by_side(surface, rotate, *[("checkIntegration", key)] * 3)
        assert [payload["errors"] for payload in payloads] == [[]] * 4
