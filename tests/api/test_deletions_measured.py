"""What was deleted from here in a registry without a log is told once, though a measurement finds it gone later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import HOUR_SECONDS
from tests.api.deletions import artifact_id, delete_artifact, told
from tests.api.surface import Surface
from tests.servers.docker_registry import push_image, running_docker_registry
from tests.serving import running_server

APP = "team/app"


@pytest.fixture
def measuring(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Surface]:
    """A server that measures what it has reason to, and all of it once an hour."""
    settings = {"probe_interval_seconds": HOUR_SECONDS, "usage_interval_seconds": HOUR_SECONDS}
    with running_server(tmp_path / "data", **settings, **database_settings) as server:
        yield Surface(server)


def test_it_is_told_once(measuring: Surface, tmp_path: Path) -> None:
    surface = measuring
    with running_docker_registry(tmp_path / "registry") as docker:
        digests = {name: push_image(docker, APP, name, name) for name in ("one", "other", "third")}
        assert push_image(docker, APP, "also-one", "one") == digests["one"]
        given = {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": docker.url}
        assert surface.mutate("integrateRegistry", given)["errors"] == []

        def measured() -> set[str]:
            return {name for (name,) in surface.rows('SELECT "name" FROM "measured_tag"')}

        surface.wait_until(lambda: measured() == {"one", "also-one", "other", "third"}, "it is measured")
        events = len(surface.events())

        payload = delete_artifact(surface, id=artifact_id(surface, APP, digests["one"]))

        assert (payload["errors"], payload["deletedTags"]) == ([], ["also-one", "one"])
        surface.wait_until(lambda: measured() == {"other", "third"}, "it is measured again")
        expected = [("IMAGE_DELETED", APP, digests["one"], "admin")]
        assert told(surface, events) == expected
        # What goes there without us is told, of whoever finds it.
        with_others = delete_artifact(surface, id=artifact_id(surface, APP, digests["other"]))
        assert with_others["deletedTags"] == ["other"]
        surface.wait_until(lambda: measured() == {"third"}, "it is measured again")
        assert told(surface, events) == [*expected, ("IMAGE_DELETED", APP, digests["other"], "admin")]
