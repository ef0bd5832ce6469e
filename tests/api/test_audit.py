"""The audit: a row before anything is done, completed whatever comes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.integrating import Integrator
from tests.api.fake_registry import FakeRegistry
from tests.api.surface import ERRORS, Surface

MUTATION = f"mutation ($input: IntegrateRegistryInput!) {{ integrateRegistry(input: $input) {{ {ERRORS} }} }}"


def test_what_runs_still_has_its_row(surface: Surface, registry: FakeRegistry) -> None:
    given = {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url}
    registry.released.clear()
    with ThreadPoolExecutor(1) as threads:
        try:
            running = threads.submit(surface.errors_of, "integrateRegistry", given)
            surface.wait_until(lambda: len(registry.requests) > 0, "the registry is asked")
            row = surface.audit()[-1]
        finally:
            registry.released.set()
    assert (row["mutation"], row["outcome"], row["is_finished"]) == ("integrateRegistry", "STARTED", False)
    assert running.result() == []
    row = surface.audit()[-1]
    assert (row["mutation"], row["outcome"], row["is_finished"]) == ("integrateRegistry", "SUCCEEDED", True)


def test_a_fault_of_ours_is_masked_and_leaves_its_row(
    surface: Surface, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("something hidden")

    monkeypatch.setattr(Integrator, "integrate", fail)
    given = {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url, "password": "hidden"}
    stored = surface.stored()

    result = surface.server.post(MUTATION, {"input": given})

    (error,) = result["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("Internal error", "INTERNAL")
    assert "hidden" not in repr(result)
    query = "{ auditEvents(first: 1) { nodes { mutation outcome errorCodes requestId finishedAt } } }"
    (row,) = surface.server.graphql(query)["auditEvents"]["nodes"]
    assert row["finishedAt"] is not None
    # The log has the fault under the id that the client was told.
    assert (row["mutation"], row["outcome"], row["errorCodes"], row["requestId"]) == (
        "integrateRegistry",
        "FAILED",
        [],
        error["extensions"]["requestId"],
    )
    assert (surface.stored(), registry.requests) == (stored, [])


def test_what_never_began_leaves_no_row(surface: Surface) -> None:
    audited = surface.audit()

    errors = surface.server.post(MUTATION, {"input": {"name": "x"}})["errors"]

    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert surface.audit() == audited
