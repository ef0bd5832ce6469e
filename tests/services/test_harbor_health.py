"""A Harbor whose parts don't all work, as administrators and others see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.services.harbor_watched import integrate_harbor
from tests.serving import RunningServer, running_server
from tests.workspaces import member_token

_HEALTH = """
query ($id: ID!) {
  integration(id: $id) {
    health { status reason message registryMessage components { name isHealthy message } checks { registryMessage } }
    labels
  }
}"""
INTERNAL = "10.42.7."


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as double:
        double.create_project("team")
        double.push("team/app", "1")
        yield double


@pytest.fixture
def still_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that probes only when it is asked to."""
    with running_server(tmp_path / "data", probe_interval_seconds=3600) as server:
        yield server


@pytest.mark.parametrize("component", ["registry", "jobservice", "redis"])
def test_a_component_that_is_down_is_named(component: str, still_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(still_server, harbor)
    harbor.break_component(component)
    watched.mutate("checkIntegration")
    assert watched.health() == ("UNHEALTHY", "COMPONENT_UNHEALTHY")
    seen = _seen(still_server, watched.id)
    assert component in seen["health"]["message"]
    bad = [found for found in seen["health"]["components"] if not found["isHealthy"]]
    assert [found["name"] for found in bad] == [component]
    assert INTERNAL in bad[0]["message"]
    # Its addresses are for administrators.
    member = _seen(still_server, watched.id, member_token(still_server))
    assert (member["health"]["reason"], member["health"]["components"]) == ("COMPONENT_UNHEALTHY", None)
    assert INTERNAL not in str(member)
    # Lists come from the mirror.
    assert watched.mirror()["team"] == ("PRIVATE", ["team/app"])
    harbor.mend_component(component)
    watched.mutate("checkIntegration")
    assert watched.health() == ("HEALTHY", None)
    assert watched.health_events() == [("UNHEALTHY", "COMPONENT_UNHEALTHY"), ("HEALTHY", None)]


def test_read_only_is_no_fault(still_server: RunningServer, harbor: HarborDouble) -> None:
    watched = integrate_harbor(still_server, harbor)
    for is_read_only, labels in ((True, ["INTEGRATED", "HEALTHY", "READ_ONLY"]), (False, ["INTEGRATED", "HEALTHY"])):
        harbor.set_read_only(is_read_only)
        watched.mutate("checkIntegration")
        assert watched.state()["labels"] == labels
    assert watched.health_events() == []


def _seen(server: RunningServer, id_: str, token: str | None = None) -> Any:
    return server.graphql(_HEALTH, {"id": id_}, token)["integration"]
