"""What a Docker Registry stores, found by way of its tags: to the byte what lies in its folder for them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Set
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services import usage_claims
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.services.integrated import Integrated, integrate
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

USAGE = """query ($id: ID!) {
  integration(id: $id) {
    usage { spaceCount repositoryCount artifactCount storageBytes quotaUsedBytes method isStale }
    spaces { nodes { name usage { repositoryCount artifactCount storageBytes method } } }
  }
}"""
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"

ANSWERED = re.compile(
    r"http\.request\.method=(?P<method>\S+) .*http\.request\.uri=\"?(?P<uri>[^\s\"]+)\"? .*"
    r"http\.response\.status=(?P<status>\d+)"
)


@pytest.fixture(autouse=True)
def _nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_claims, "HINT_PAUSE", timedelta(milliseconds=100))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    """A registry with layers in common, several tags on a digest, and an index of images."""
    (tmp_path / "registry").mkdir()
    with running_docker_registry(tmp_path / "registry") as running:
        push_image(running, "team/app", "1", "the same")
        push_image(running, "team/app", "latest", "the same")
        push_image(running, "team/tool", "1", "another")
        push_image(running, "other/app", "1", "the same")
        push_image(running, "web", "1", "a third")
        push_index(running, "team/multi", "1", {"amd64": "for amd", "arm64": "for arm"})
        yield running


@pytest.fixture
def server(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[RunningServer]:
    """A server that measures."""
    with running_server(tmp_path / "data", usage_interval_seconds=300, **database_settings) as running:
        yield running


@pytest.fixture
def measured(registry: DockerRegistryServer, server: RunningServer) -> Integrated:
    """The registry, integrated and measured."""
    found = integrate(server, registry.url)
    eventually(lambda: None not in (usage := usage_of(found))[1].values() and usage[0])
    return found


def push_index(registry: DockerRegistryServer, repository: str, tag: str, images: dict[str, str]) -> None:
    """Push an index of images, each of its own text, which are left without a tag."""
    manifests = []
    for architecture, text in images.items():
        digest = push_image(registry, repository, "passing", text)
        (size,) = [path.stat().st_size for path in blob_files(registry) if path.parent.name == digest[7:]]
        platform = {"architecture": architecture, "os": "linux"}
        manifests.append({"mediaType": OCI_MANIFEST, "digest": digest, "size": size, "platform": platform})
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()
    put_manifest(registry, repository, tag, OCI_INDEX, body)
    # What is left of the last image is its digest alone.
    put_manifest(registry, repository, "passing", OCI_INDEX, body)


def put_manifest(registry: DockerRegistryServer, repository: str, tag: str, media_type: str, body: bytes) -> str:
    """Push a manifest as it is; return its digest."""
    with contextlib.closing(registry.connect()) as connection:
        connection.request("PUT", f"/v2/{repository}/manifests/{tag}", body, {"Content-Type": media_type})
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def blob_files(registry: DockerRegistryServer) -> list[Path]:
    """Return where the registry has its blobs, manifests included."""
    return [path for path in registry.storage.rglob("data") if "blobs" in path.parts]


def stored_bytes(registry: DockerRegistryServer, unreferenced: Set[str] = frozenset()) -> int:
    """Return how many bytes lie in its folder, but for blobs that no tag leads to, by digest."""
    return sum(path.stat().st_size for path in blob_files(registry) if f"sha256:{path.parent.name}" not in unreferenced)


def usage_of(integrated: Integrated) -> tuple[Any, dict[str, Any]]:
    """Return what is told of the registry, and of each space."""
    found = integrated.server.graphql(USAGE, {"id": integrated.id})["integration"]
    return found["usage"], {node["name"]: node["usage"] for node in found["spaces"]["nodes"]}


def measure_again(integrated: Integrated) -> None:
    """Have it measured as after an interval; return once it was."""
    server = integrated.server
    sql = f"""UPDATE "usage_measurement" SET "next_at" = '2000-01-01 00:00:00+00:00'
              WHERE "integration_id" = {integrated.key}"""
    server.run(server.services.database.transact(lambda transaction: transaction.execute(sql)))
    now, read_time = server.services.clock(), server.services.database.dialect.datetime

    def is_done() -> bool:
        sql = f'SELECT "lease_until", "next_at" FROM "usage_measurement" WHERE "integration_id" = {integrated.key}'
        (row,) = server.run(server.services.database.fetch(sql))
        return row["lease_until"] is None and read_time(row["next_at"]) > now

    eventually(is_done)


def test_it_equals_what_lies_in_its_folder(registry: DockerRegistryServer, measured: Integrated) -> None:
    whole, spaces = usage_of(measured)
    assert whole == {
        "spaceCount": 3,
        "repositoryCount": 5,
        "artifactCount": 5,
        "storageBytes": stored_bytes(registry),
        "quotaUsedBytes": None,
        "method": "REFERENCED_BLOBS",
        "isStale": False,
    }
    assert {name: (space["repositoryCount"], space["artifactCount"]) for name, space in spaces.items()} == {
        "library": (1, 1),
        "other": (1, 1),
        "team": (3, 3),
    }
    # What spaces have in common counts in each of them, and once in all.
    assert sum(space["storageBytes"] for space in spaces.values()) > whole["storageBytes"]
    assert {space["method"] for space in spaces.values()} == {"REFERENCED_BLOBS"}


def test_what_changed_is_found_with_the_next_measurement(registry: DockerRegistryServer, measured: Integrated) -> None:
    push_image(registry, "team/tool", "2", "yet another")
    measure_again(measured)
    whole, spaces = usage_of(measured)
    assert whole["storageBytes"] == stored_bytes(registry)
    assert spaces["team"]["artifactCount"] == 4

    # A tag that moves leaves what it named before, which nothing leads to any more.
    moved = push_image(registry, "web", "1", "a fourth")
    old = hashlib.sha256(manifest_of("a third")).hexdigest()
    layer = hashlib.sha256(b"a layer of a third").hexdigest()
    measure_again(measured)
    whole, _ = usage_of(measured)
    assert moved != f"sha256:{old}"
    assert whole["storageBytes"] == stored_bytes(registry, {f"sha256:{old}", f"sha256:{layer}"})


def manifest_of(text: str) -> bytes:
    """Return the manifest that `push_image` makes of a text."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
    layer = f"a layer of {text}".encode()

    def described(media_type: str, content: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", config.encode()),
        "layers": [described("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    return json.dumps(manifest).encode()


def test_a_second_measurement_asks_for_tags_alone(registry: DockerRegistryServer, measured: Integrated) -> None:
    before = len(registry.log.read_text().splitlines())
    measure_again(measured)
    lines = registry.log.read_text().splitlines()[before:]
    asked = Counter(
        (found["method"], found["status"])
        for line in lines
        if (found := ANSWERED.search(line)) and "/manifests/" in found["uri"]
    )
    # Each tag is asked whether it names what it did, which the registry doesn't take for a pull.
    assert asked == {("HEAD", "304"): 7}


def test_what_is_gone_no_longer_counts(registry: DockerRegistryServer, measured: Integrated) -> None:
    digest = f"sha256:{hashlib.sha256(manifest_of('another')).hexdigest()}"
    with contextlib.closing(registry.connect()) as connection:
        connection.request("DELETE", f"/v2/team/tool/manifests/{digest}")
        assert connection.getresponse().status == 202
    measure_again(measured)
    whole, spaces = usage_of(measured)
    layer = hashlib.sha256(b"a layer of another").hexdigest()
    assert whole["storageBytes"] == stored_bytes(registry, {digest, f"sha256:{layer}"})
    assert spaces["team"]["artifactCount"] == 2


def test_a_registry_that_is_away_is_marked(registry: DockerRegistryServer, measured: Integrated) -> None:
    before = usage_of(measured)
    registry.stop()
    measure_again(measured)
    whole, spaces = usage_of(measured)
    assert whole == {**before[0], "isStale": True}
    assert spaces == before[1]
    registry.start()
    measure_again(measured)
    assert usage_of(measured) == before


def test_manifests_that_lie_hide_nothing_else(registry: DockerRegistryServer, measured: Integrated) -> None:
    before, _ = usage_of(measured)
    layer = f"sha256:{hashlib.sha256(b'a layer of a third').hexdigest()}"
    for tag, size in [("negative", -5), ("huge", 2**62)]:
        manifest = json.loads(manifest_of("a third"))
        manifest["layers"][0]["size"] = size
        assert manifest["layers"][0]["digest"] == layer
        put_manifest(registry, "web", tag, OCI_MANIFEST, json.dumps(manifest).encode())
    manifests: list[dict[str, object]] = []
    for _ in range(8):
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()
        digest = put_manifest(registry, "web", "deep", OCI_INDEX, body)
        platform = {"architecture": "amd64", "os": "linux"}
        manifests = [{"mediaType": OCI_INDEX, "digest": digest, "size": len(body), "platform": platform}]
    measure_again(measured)
    after, spaces = usage_of(measured)
    assert after["isStale"] is True
    assert after["storageBytes"] == before["storageBytes"]
    assert spaces["library"]["repositoryCount"] == 1
