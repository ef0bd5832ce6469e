"""removeIntegration, dry and real."""

from __future__ import annotations

from tests.api.fake_registry import FakeRegistry
from tests.api.surface import Surface

WHOLE = "integration { id name url } losses { imagePrefix } lossCount"


def test_a_dry_run_changes_nothing(surface: Surface, registry: FakeRegistry) -> None:
    before = surface.integrate(registry)
    stored, audited, asked = surface.stored(), surface.audit(), len(registry.requests)

    payload = surface.mutate("removeIntegration", {"id": before["id"], "dryRun": True}, WHOLE)

    assert payload == {
        "errors": [],
        "integration": {"id": before["id"], "name": before["name"], "url": registry.url},
        "losses": [],
        "lossCount": 0,
    }
    assert (surface.stored(), len(registry.requests)) == (stored, asked)
    (row,) = surface.audit()[len(audited) :]
    assert (row["mutation"], row["outcome"], row["is_dry_run"]) == ("removeIntegration", "SUCCEEDED", True)


def test_it_goes_with_all_that_is_known_of_it(surface: Surface, registry: FakeRegistry) -> None:
    before = surface.integrate(registry)
    surface.mutate("checkIntegration", {"id": before["id"]})
    events, audited, asked = surface.events(), surface.audit(), len(registry.requests)

    payload = surface.mutate("removeIntegration", {"id": before["id"]}, WHOLE)

    assert payload["integration"] == {"id": before["id"], "name": before["name"], "url": registry.url}
    for table in ("integration", "image_host", "space", "integration_health", "health_check"):
        assert surface.rows(f'SELECT COUNT(*) FROM "{table}"') == [(0,)]
    (event,) = surface.events()[len(events) :]
    assert event == ("INTEGRATION_REMOVED", {"integration_name": before["name"], "by": "admin"})
    (row,) = surface.audit()[len(audited) :]
    assert (row["outcome"], row["is_dry_run"]) == ("SUCCEEDED", False)
    assert len(registry.requests) == asked
    # All of it is free again.
    assert surface.integrate(registry, name=before["name"])["id"] != before["id"]


def test_what_is_gone_is_not_found(surface: Surface, registry: FakeRegistry) -> None:
    before = surface.integrate(registry)
    assert surface.errors_of("removeIntegration", {"id": before["id"]}) == []
    stored, asked = surface.stored(), len(registry.requests)
    credential = {"username": "robot", "password": "right"}
    expected = [{"__typename": "NotFound", "code": "NOT_FOUND", "path": ["input", "id"]}]

    for dry_run in (True, False):
        assert surface.errors_of("removeIntegration", {"id": before["id"], "dryRun": dry_run}) == expected
    assert surface.errors_of("updateIntegration", {"id": before["id"], "name": "x"}) == expected
    assert surface.errors_of("rotateIntegrationCredential", {"id": before["id"], **credential}) == expected
    assert surface.errors_of("checkIntegration", {"id": before["id"]}) == expected
    assert surface.errors_of("synchronizeIntegration", {"id": before["id"]}) == expected
    assert surface.server.graphql(f'{{ node(id: "{before["id"]}") {{ id }} }}') == {"node": None}
    assert (surface.stored(), len(registry.requests)) == (stored, asked)
