"""What is pushed to and deleted from a real Docker Registry, told by its notifications, and found without them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.live import OverEventStream, over_event_stream
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.services.integrated import Integrated, integrate
from tests.services.notifying import delete_manifest, have_notifications_sent, hook_of, wait_until_measured
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

INTERVAL_SECONDS = 300
"""How often everything is looked at and measured: far longer than any of this takes."""

EVENTS = """subscription {
  events(filter: {types: [SPACE_ADDED, SPACE_VANISHED, IMAGE_PUSHED, IMAGE_DELETED, TAG_CHANGED]}) {
    type
    ... on SpaceAdded { spaceName }
    ... on SpaceVanished { spaceName }
    ... on ImagePushed { spaceName repositoryName reference }
    ... on ImageDeleted { spaceName repositoryName reference }
    ... on TagChanged { spaceName repositoryName reference }
  }
}"""
CONTENTS = """query ($id: ID!) {
  integration(id: $id) {
    usage { storageBytes artifactCount }
    spaces { nodes { name usage { artifactCount storageBytes } repositories { nodes { name } } } }
  }
}"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    """A registry with two images in a repository."""
    with running_docker_registry(tmp_path / "registry") as running:
        push_image(running, "team/app", "1", "one")
        push_image(running, "team/app", "2", "two")
        yield running


@pytest.fixture
def server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A server that looks at registries by itself every five minutes alone."""
    with running_server(
        tmp_path / "data",
        usage_interval_seconds=INTERVAL_SECONDS,
        synchronization_interval_seconds=INTERVAL_SECONDS,
        **database_settings,
    ) as running:
        yield running


@pytest.fixture
def told(registry: DockerRegistryServer, server: RunningServer) -> Integrated:
    """The registry, integrated and measured; it sends notifications."""
    integrated = integrate(server, registry.url)
    wait_until_measured(integrated)
    have_notifications_sent(registry, integrated)
    return integrated


@contextmanager
def subscribed(server: RunningServer) -> Iterator[OverEventStream]:
    """Follow what happens to images and spaces."""
    with over_event_stream(server, EVENTS, {}) as stream:
        yield stream


def next_event(stream: OverEventStream) -> tuple[str, ...]:
    """Return type, place and reference of what happens next."""
    event = stream.next()["data"]["events"]
    assert event.pop("spaceName") in ("team", "other", "library")
    return tuple(value for value in event.values())


def contents(integrated: Integrated) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is told of the registry, and of each space, with its repositories."""
    found = integrated.server.graphql(CONTENTS, {"id": integrated.id})["integration"]
    spaces = {
        node["name"]: {**(node["usage"] or {}), "repositories": [one["name"] for one in node["repositories"]["nodes"]]}
        for node in found["spaces"]["nodes"]
    }
    return found["usage"], spaces


def skopeo_copy(registry: DockerRegistryServer, source: str, target: str) -> None:
    """Copy an image from one name to another, within the registry."""
    host = registry.url.removeprefix("http://")
    command = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"]
    subprocess.run([*command, f"docker://{host}/{source}", f"docker://{host}/{target}"], check=True, timeout=60)


def test_pushed_tagged_and_deleted(registry: DockerRegistryServer, server: RunningServer, told: Integrated) -> None:
    usage, spaces = contents(told)
    assert spaces["team"]["artifactCount"] == 2
    with subscribed(server) as stream:
        began = time.monotonic()
        digest = push_image(registry, "team/app", "3", "three")
        assert next_event(stream) == ("IMAGE_PUSHED", "team/app", "3")
        seconds = time.monotonic() - began
        assert contents(told)[1]["team"]["artifactCount"] == 3
        eventually(lambda: contents(told)[0]["storageBytes"] > usage["storageBytes"])
        # A tag that moves to what is new here, and one to what is there.
        push_image(registry, "team/app", "1", "another one")
        assert next_event(stream) == ("IMAGE_PUSHED", "team/app", "1")
        skopeo_copy(registry, "team/app:2", "team/app:1")
        assert next_event(stream) == ("TAG_CHANGED", "team/app", "1")
        delete_manifest(registry, "team/app", digest)
        assert next_event(stream) == ("IMAGE_DELETED", "team/app", digest)
        eventually(lambda: contents(told)[1]["team"]["artifactCount"] == 1)
    assert hook_of(told)["lastReceivedAt"] is not None
    print(f"a push was told after {seconds:.2f} s")  # noqa: T201


def test_a_new_repository_in_a_new_space(
    registry: DockerRegistryServer, server: RunningServer, told: Integrated
) -> None:
    with subscribed(server) as stream:
        began = time.monotonic()
        push_image(registry, "other/app/deep", "1", "other")
        assert next_event(stream) == ("SPACE_ADDED",)
        assert next_event(stream) == ("IMAGE_PUSHED", "other/app/deep", "1")
        seconds = time.monotonic() - began
        # Another in a space that is known, and one of a single segment.
        push_image(registry, "team/new", "1", "new")
        assert next_event(stream) == ("IMAGE_PUSHED", "team/new", "1")
        push_image(registry, "web", "1", "web")
        assert next_event(stream) == ("SPACE_ADDED",)
        assert next_event(stream) == ("IMAGE_PUSHED", "web", "1")
    eventually(lambda: contents(told)[0]["artifactCount"] == 5)
    _, spaces = contents(told)
    assert {name: space["repositories"] for name, space in spaces.items()} == {
        "library": ["web"],
        "other": ["other/app/deep"],
        "team": ["team/app", "team/new"],
    }
    assert spaces["other"]["artifactCount"] == 1
    print(f"a new repository was told after {seconds:.2f} s")  # noqa: T201


def test_without_notifications_it_is_found_with_the_interval(
    registry: DockerRegistryServer, tmp_path: Path, database_settings: dict[str, Any]
) -> None:
    quick = {"usage_interval_seconds": 1, "synchronization_interval_seconds": 5}
    with running_server(tmp_path / "data", **quick, **database_settings) as server:
        integrated = integrate(server, registry.url)
        wait_until_measured(integrated)
        with subscribed(server) as stream:
            skopeo_copy(registry, "team/app:2", "team/app:1")
            assert next_event(stream) == ("TAG_CHANGED", "team/app", "1")
            digest = push_image(registry, "team/app", "1", "another one")
            assert next_event(stream) == ("IMAGE_PUSHED", "team/app", "1")
            delete_manifest(registry, "team/app", digest)
            assert next_event(stream) == ("IMAGE_DELETED", "team/app", digest)
            push_image(registry, "other/app", "1", "other")
            assert next_event(stream) == ("SPACE_ADDED",)
            assert next_event(stream) == ("IMAGE_PUSHED", "other/app", "1")
        assert hook_of(integrated)["lastReceivedAt"] is None


def test_what_was_there_before_is_not_told(registry: DockerRegistryServer, server: RunningServer) -> None:
    with subscribed(server) as stream:
        integrated = integrate(server, registry.url)
        assert next_event(stream) == ("SPACE_ADDED",)
        wait_until_measured(integrated)
        have_notifications_sent(registry, integrated)
        push_image(registry, "team/app", "3", "three")
        assert next_event(stream) == ("IMAGE_PUSHED", "team/app", "3")
