"""checkIntegration and synchronizeIntegration: a look now, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.api.fake_registry import FakeRegistry
from tests.api.surface import Surface
from tests.servers.docker_registry import push_image, running_docker_registry

HEALTH = "integration { labels health { status reason checks { isGood reason } } }"
COUNTS = "addedSpaceCount vanishedSpaceCount integration { spaceCount labels stale { reason message } }"


def synchronize(surface: Surface, integration_id: str, **given: Any) -> dict[str, Any]:
    return surface.mutate("synchronizeIntegration", {"id": integration_id, **given}, COUNTS)


def test_a_real_registry_stops_and_comes_back(surface: Surface, tmp_path: Path) -> None:
    with running_docker_registry(tmp_path) as registry:
        push_image(registry, "team/app", "1")
        given = {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url}
        integrated = surface.mutate("integrateRegistry", given, "integration { id spaceCount }")["integration"]
        assert integrated["spaceCount"] == 1
        key = {"id": integrated["id"]}
        events = surface.events()

        registry.stop()
        down = surface.mutate("checkIntegration", key, HEALTH)
        refused = surface.errors_of("synchronizeIntegration", key)
        registry.start()
        up = surface.mutate("checkIntegration", key, HEALTH)

        bad = {"isGood": False, "reason": "CONNECTION_REFUSED"}
        assert down == {
            "errors": [],
            "integration": {
                "labels": ["INTEGRATED", "UNHEALTHY"],
                "health": {"status": "UNHEALTHY", "reason": "CONNECTION_REFUSED", "checks": [bad, bad]},
            },
        }
        assert [(error["code"], error["reason"], error["path"]) for error in refused] == [
            ("REGISTRY_REFUSED", "CONNECTION_REFUSED", ["input", "id"])
        ]
        assert up["integration"]["health"] == {
            "status": "HEALTHY",
            "reason": None,
            "checks": [{"isGood": True, "reason": None}, bad, bad],
        }
        assert [(type_, data["current"]["status"]) for type_, data in surface.events()[len(events) :]] == [
            ("HEALTH_CHANGED", "UNHEALTHY"),
            ("HEALTH_CHANGED", "HEALTHY"),
        ]


def test_what_came_and_went_is_counted(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = ["a/1", "b/1", "c/1"]
    before = surface.integrate(registry)
    events = surface.events()
    registry.repositories = ["b/1", "b/2", "c/1", "d/1", "e/1"]

    payload = synchronize(surface, before["id"])

    fine = {"labels": ["INTEGRATED", "HEALTHY"], "stale": None}
    assert payload == {
        "errors": [],
        "addedSpaceCount": 2,
        "vanishedSpaceCount": 1,
        "integration": {"spaceCount": 4, **fine},
    }
    new_events = surface.events()[len(events) :]
    assert sorted((type_, data["space_name"]) for type_, data in new_events) == [
        ("SPACE_ADDED", "d"),
        ("SPACE_ADDED", "e"),
        ("SPACE_VANISHED", "a"),
    ]


def test_a_loss_of_everything_is_doubted_until_it_is_accepted(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = ["a/1", "b/1"]
    before = surface.integrate(registry)
    events, audited = surface.events(), surface.audit()
    registry.repositories = []

    for _ in range(2):
        doubted = synchronize(surface, before["id"])
        assert doubted["errors"] == [
            {
                "__typename": "MirrorDoubted",
                "code": "MIRROR_DOUBTED",
                "path": ["input", "id"],
                "missingSpaceCount": 2,
                "standingSpaceCount": 2,
            }
        ]
        assert (doubted["addedSpaceCount"], doubted["vanishedSpaceCount"]) == (0, 0)
        assert doubted["integration"]["spaceCount"] == 2
        assert doubted["integration"]["labels"] == ["INTEGRATED", "HEALTHY", "STALE"]
        assert doubted["integration"]["stale"]["reason"] == "MOST_SPACES_GONE"
    accepted = synchronize(surface, before["id"], acceptLoss=True)

    assert (accepted["errors"], accepted["vanishedSpaceCount"]) == ([], 2)
    assert accepted["integration"] == {"spaceCount": 0, "labels": ["INTEGRATED", "HEALTHY"], "stale": None}
    # Doubted twice, told once.
    assert [type_ for type_, _ in surface.events()[len(events) :]] == [
        "INTEGRATION_DOUBTED",
        "SPACE_VANISHED",
        "SPACE_VANISHED",
        "INTEGRATION_TRUSTED",
    ]
    assert [(row["outcome"], row["error_codes"]) for row in surface.audit()[len(audited) :]] == [
        ("REFUSED", ["MIRROR_DOUBTED"]),
        ("REFUSED", ["MIRROR_DOUBTED"]),
        ("SUCCEEDED", []),
    ]
