"""Notifications that run ahead of what they tell of, or lie: what is seen counts, soon and once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.live import over_event_stream
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.services.integrated import Integrated, integrate
from tests.services.notifying import hook_of, post, rotated_secret, wait_until_measured
from tests.serving import running_server
from tests.waiting import eventually

ANSWERED = re.compile(r"http\.request\.method=(\S+) .*http\.request\.uri=\"?([^\s\"]+)\"? .*http\.response\.status=")

EVENTS = """subscription {
  events(filter: {types: [SPACE_ADDED, SPACE_VANISHED, IMAGE_PUSHED, IMAGE_DELETED, TAG_CHANGED]}) {
    type
    ... on SpaceAdded { spaceName }
    ... on ImagePushed { repositoryName reference }
    ... on TagChanged { repositoryName reference }
  }
}"""


class Told:
    """An integration whose registry sends nothing by itself: the test tells in its place."""

    def __init__(self, integrated: Integrated, registry: DockerRegistryServer) -> None:
        self.integrated = integrated
        self.registry = registry
        self._secret = rotated_secret(integrated)
        self._url: str = hook_of(integrated)["url"]

    def tell(self, action: str, repository: str, tag: str | None = None, digest: str | None = None) -> None:
        """Tell of something, true or not."""
        target = {"repository": repository, "tag": tag, "digest": digest, "mediaType": "application/vnd.oci.image"}
        body = json.dumps({"events": [{"action": action, "target": target}]}).encode()
        assert post(self.integrated.server, self._url, body, self._secret).status == 200

    def tags(self) -> dict[str, str]:
        """Return what tags are known to name."""
        rows = self._rows(
            'SELECT r."name", t."name" AS tag, t."digest" FROM "measured_tag" t'
            ' JOIN "repository" r ON r."id" = t."repository_id"'
        )
        return {f"{row['name']}:{row['tag']}": row["digest"] for row in rows}

    def reads(self) -> list[tuple[str, str]]:
        """Return what of the contents of its repositories the registry was asked for, by method and path."""
        lines = ANSWERED.findall(self.registry.log.read_text())
        return [(method, path) for method, path in lines if method in ("GET", "HEAD") and path.count("/") > 3]

    def wait_until_looked_at(self) -> None:
        """Return once nothing is to be looked at that was told."""
        eventually(lambda: not self._rows('SELECT 1 FROM "usage_hint"'))
        wait_until_measured(self.integrated)

    def _rows(self, sql: str) -> Any:
        server = self.integrated.server
        return server.run(server.services.database.fetch(sql))


@pytest.fixture
def told(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Told]:
    """A registry with one image, measured, on a server that looks by itself every day alone."""
    rare = {"usage_interval_seconds": 86400, "synchronization_interval_seconds": 86400}
    with (
        running_docker_registry(tmp_path / "registry") as registry,
        running_server(tmp_path / "data", **rare, **database_settings) as server,
    ):
        push_image(registry, "team/app", "1", "one")
        integrated = integrate(server, registry.url)
        wait_until_measured(integrated)
        yield Told(integrated, registry)


def digest_of(registry: DockerRegistryServer, text: str) -> str:
    """Return the digest that the image of a text has, wherever it is pushed."""
    return push_image(registry, "elsewhere/app", text, text)


def test_a_tag_that_stands_a_moment_later_is_seen_all_the_same(told: Told) -> None:
    digest = digest_of(told.registry, "two")
    with over_event_stream(told.integrated.server, EVENTS, {}) as stream:
        told.tell("push", "team/app", "2", digest)
        told.wait_until_looked_at()
        assert set(told.tags()) == {"team/app:1"}
        push_image(told.registry, "team/app", "2", "two")
        assert stream.next()["data"]["events"] == {
            "type": "IMAGE_PUSHED",
            "repositoryName": "team/app",
            "reference": "2",
        }
    assert told.tags()["team/app:2"] == digest


def test_a_repository_that_stands_a_moment_later_is_found_all_the_same(told: Told) -> None:
    digest = digest_of(told.registry, "two")
    with over_event_stream(told.integrated.server, EVENTS, {}) as stream:
        told.tell("push", "new/app", "2", digest)
        push_image(told.registry, "new/app", "2", "two")
        assert stream.next()["data"]["events"] == {"type": "SPACE_ADDED", "spaceName": "new"}
        pushed = {"type": "IMAGE_PUSHED", "repositoryName": "new/app", "reference": "2"}
        assert stream.next()["data"]["events"] == pushed


def test_of_many_tags_the_one_that_was_told_is_asked_for(told: Told) -> None:
    digest = digest_of(told.registry, "two")
    for number in range(30):
        push_image(told.registry, "team/app", f"many-{number}", "two")
    told.tell("delete", "team/app")
    eventually(lambda: len(told.tags()) == 31)
    told.wait_until_looked_at()
    asked = len(told.reads())
    push_image(told.registry, "team/app", "1", "two")
    told.tell("push", "team/app", "1", digest)
    eventually(lambda: told.tags()["team/app:1"] == digest)
    told.wait_until_looked_at()
    assert told.reads()[asked:] == [("HEAD", "/v2/team/app/manifests/1")]


def test_what_is_not_so_is_not_told(told: Told) -> None:
    """Forged, repeated, out of order: each is looked into, and what is true is told, once."""
    other = digest_of(told.registry, "two")
    before = told.tags()
    with over_event_stream(told.integrated.server, EVENTS, {}) as stream:
        for _ in range(3):
            told.tell("push", "team/app", "1", other)
            told.tell("push", "team/app", "9", other)
            told.tell("delete", "team/app", None, before["team/app:1"])
            told.tell("delete", "team/app", "1")
            told.tell("push", "never/there", "1", other)
        told.wait_until_looked_at()
        assert told.tags() == before
        # The deletion comes before the push that it undoes, and both more than once.
        told.tell("delete", "team/app", "2")
        push_image(told.registry, "team/app", "2", "two")
        for _ in range(3):
            told.tell("push", "team/app", "2", other)
        pushed = {"type": "IMAGE_PUSHED", "repositoryName": "team/app", "reference": "2"}
        assert stream.next()["data"]["events"] == pushed
        told.wait_until_looked_at()
        push_image(told.registry, "team/app", "3", "three")
        told.tell("delete", "team/app", "3")
        # Whatever is said to have happened: a tag is there that was not, and nothing came in between.
        assert stream.next()["data"]["events"] == {**pushed, "reference": "3"}
    assert told.tags() == {**before, "team/app:2": other, "team/app:3": told.tags()["team/app:3"]}
    spaces = told.integrated.spaces()
    assert spaces == ["team"]
