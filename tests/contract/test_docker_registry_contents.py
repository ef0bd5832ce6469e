"""What only a real Docker Registry shows of reading and deleting, beyond the contract of all clients."""

import asyncio
import json
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.endpoint import RegistryEndpoint, parse_registry_url
from registry_clients.errors import ReadOnly, UnreadableManifest
from registry_clients.records import FoundArtifact, FoundManifest
from registry_clients.refusals import DeletionRefused, NoDeletion
from registry_clients.transport import AiohttpTransport
from tests.contract.pull_reports import collecting_reports
from tests.contract.registry_under_test import POLICY, SETTINGS
from tests.registry_clients.made_manifests import (
    OCI_CONFIGURATION,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    SCHEMA_1,
    index,
    manifest,
)
from tests.servers.docker_registry import (
    DockerRegistryServer,
    push_blob,
    push_image,
    push_manifest,
    running_docker_registry,
)

APP = "team/app"
LINUX = {"os": "linux", "architecture": "amd64"}
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

Result = TypeVar("Result")


def done(server: DockerRegistryServer, do: Callable[[DockerRegistryClient], Awaitable[Result]]) -> Result:
    """Return what comes of calls with a client of its own, which remembers nothing."""

    async def run() -> Result:
        endpoint = RegistryEndpoint(parse_registry_url(server.url))
        transport = await AiohttpTransport.open(endpoint.tls, POLICY, SETTINGS)
        client = DockerRegistryClient(endpoint, None, transport, SETTINGS)
        try:
            return await do(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


async def artifacts_of(client: DockerRegistryClient) -> dict[str, FoundArtifact]:
    page = await client.list_artifacts(APP)
    assert page is not None
    return {artifact.digest: artifact for artifact in page.artifacts}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    with running_docker_registry(tmp_path) as running:
        yield running


def image_in(server: DockerRegistryServer, text: str, layer_size: int | None = None) -> bytes:
    """Return a manifest of a configuration and a layer that are there, with the size of the layer or another."""
    layer, config = f"a layer of {text}".encode(), b"{}"
    for blob in (layer, config):
        push_blob(server, APP, blob)
    size = len(layer) if layer_size is None else layer_size
    return manifest(
        mediaType=OCI_MANIFEST,
        config={"mediaType": OCI_CONFIGURATION, "digest": digest_of(config), "size": len(config)},
        layers=[{"mediaType": OCI_LAYER, "digest": digest_of(layer), "size": size}],
    )


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def test_what_was_read_before_is_read_again_without_a_pull(tmp_path: Path) -> None:
    with (
        collecting_reports() as reports,
        running_docker_registry(tmp_path, configuration=reports.configuration) as server,
    ):
        digests = sorted(push_image(server, APP, tag) for tag in ("1", "2", "3"))

        async def read(client: DockerRegistryClient) -> None:
            first = await artifacts_of(client)
            assert await asyncio.to_thread(reports.pulled, server) == digests
            assert await artifacts_of(client) == first
            assert await client.look_at_artifact(APP, "1") is not None
            for digest in digests:
                assert await client.look_at_tag(APP, first[digest].tags[0].name, digest) == digest
            assert await asyncio.to_thread(reports.pulled, server) == []
            # Asked for plainly, a tag is a pull, and what has moved is one.
            await client.look_at_tag(APP, "1", None)
            moved = await asyncio.to_thread(push_image, server, APP, "2", "moved")
            assert moved in await artifacts_of(client)
            assert sorted(await asyncio.to_thread(reports.pulled, server)) == sorted(
                [moved, next(digest for digest in digests if first[digest].tags[0].name == "1")]
            )

        done(server, read)


def test_an_index_is_as_large_as_its_images(server: DockerRegistryServer) -> None:
    images = {name: image_in(server, name) for name in ("amd64", "arm64")}
    children = {push_manifest(server, APP, digest_of(one), one, OCI_MANIFEST): LINUX for one in images.values()}
    content = index(children)
    outer = index({push_manifest(server, APP, "inner", content, OCI_INDEX): None})
    named = push_manifest(server, APP, "outer", outer, OCI_INDEX)
    expected = sum(len(one) + len(f"a layer of {name}") + 2 for name, one in images.items())

    async def read(client: DockerRegistryClient) -> None:
        found = await artifacts_of(client)
        assert found[digest_of(content)].size_bytes == len(content) + expected
        assert found[named].size_bytes == len(outer) + len(content) + expected
        assert len(found[digest_of(content)].platforms) == 2
        # An image may be deleted while its index stands: from then on it counts nothing.
        [child, other] = children
        await client.delete_artifact(APP, child)
        assert await client.read_manifest(APP, child) is None
        assert await client.read_manifest(APP, other) is not None

    done(server, read)
    left = images["arm64"]
    found = done(server, artifacts_of)
    assert found[digest_of(content)].size_bytes == len(content) + len(left) + len("a layer of arm64") + 2


@pytest.mark.parametrize("size", ["-5", "null"])
def test_sizes_that_are_none_can_be_pushed_and_spoil_nothing(server: DockerRegistryServer, size: str) -> None:
    bad = image_in(server, "bad", layer_size=4711).replace(b"4711", size.encode())
    named = push_manifest(server, APP, "bad", bad, OCI_MANIFEST)
    good = push_image(server, APP, "good")
    found = done(server, artifacts_of)
    assert set(found) == {named, good}
    assert found[named].size_bytes == len(bad)
    with pytest.raises(UnreadableManifest):
        done(server, lambda client: client.read_manifest(APP, named))


def test_sizes_past_32_bits_are_taken_at_their_word(server: DockerRegistryServer) -> None:
    content = image_in(server, "huge", layer_size=2**63 - 1)
    named = push_manifest(server, APP, "huge", content, OCI_MANIFEST)
    manifest = done(server, lambda client: client.read_manifest(APP, named))
    assert manifest is not None
    assert max(blob.size_bytes for blob in manifest.blobs) == 2**63 - 1
    assert done(server, artifacts_of)[named].size_bytes == 2**63 - 1


def test_layers_from_elsewhere_are_left_out(tmp_path: Path) -> None:
    allowing = {"validation": {"manifests": {"urls": {"allow": ["^https://"]}}}}
    with running_docker_registry(tmp_path, configuration=allowing) as server:
        config = push_blob(server, APP, b"{}")
        content = manifest(
            mediaType=DOCKER_MANIFEST,
            config={"mediaType": "application/vnd.docker.container.image.v1+json", "digest": config, "size": 2},
            layers=[
                {
                    "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                    "digest": f"sha256:{'1' * 64}",
                    "size": 10**9,
                    "urls": ["https://elsewhere.test/layer"],
                }
            ],
        )
        named = push_manifest(server, APP, "v1", content, DOCKER_MANIFEST)
        found = done(server, artifacts_of)[named]
        assert (found.size_bytes, found.media_type) == (len(content) + 2, DOCKER_MANIFEST)


def test_what_is_left_of_schema_1_is_listed_by_what_was_signed(tmp_path: Path) -> None:
    """Version 2.8 takes no more of them by default, and serves those that it has."""
    with running_docker_registry(tmp_path, configuration={"compatibility": {"schema1": {"enabled": True}}}) as server:
        layer = push_blob(server, APP, b"layer")
        payload = json.dumps(
            {
                "schemaVersion": 1,
                "name": APP,
                "tag": "old",
                "architecture": "amd64",
                "fsLayers": [{"blobSum": layer}],
                "history": [{"v1Compatibility": json.dumps({"id": "a" * 64, "os": "linux"})}],
            },
            indent=3,
        ).encode()
        named = push_manifest(server, APP, "old", signed(payload), SCHEMA_1)
        assert named == digest_of(payload)

        async def read(client: DockerRegistryClient) -> FoundManifest | None:
            assert await client.look_at_tag(APP, "old", None) == named
            assert {digest: one.size_bytes for digest, one in (await artifacts_of(client)).items()} == {
                named: len(payload)
            }
            assert list(await artifacts_of(client)) == [named]
            return await client.read_manifest(APP, named)

        assert done(server, read) == FoundManifest(named, SCHEMA_1, None, len(payload), (), ())


def signed(payload: bytes) -> bytes:
    """Return a Schema 1 manifest with a signature that 2.8 takes (github.com/docker/libtrust, its JSON signature)."""
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    letters = b32encode(sha256(spki).digest()[:30]).decode()
    jwk = {
        "crv": "P-256",
        "kid": ":".join(letters[place : place + 4] for place in range(0, 48, 4)),
        "kty": "EC",
        "x": encoded(numbers.x.to_bytes(32, "big")),
        "y": encoded(numbers.y.to_bytes(32, "big")),
    }
    length = payload.rindex(b"\n}")
    protected = encoded(
        json.dumps(
            {"formatLength": length, "formatTail": encoded(payload[length:]), "time": "2026-01-02T03:04:05Z"}
        ).encode()
    )
    signature = key.sign(f"{protected}.{encoded(payload)}".encode(), ec.ECDSA(SHA256()))
    both = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))
    signatures = [{"header": {"jwk": jwk, "alg": "ES256"}, "signature": encoded(both), "protected": protected}]
    return payload[:length] + b',\n   "signatures": ' + json.dumps(signatures).encode() + payload[length:]


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(server: DockerRegistryServer, digest: str) -> DeletionRefused:
    with pytest.raises(DeletionRefused) as caught:
        done(server, lambda client: client.delete_artifact(APP, digest))
    return caught.value


def test_deletion_that_is_switched_off(tmp_path: Path) -> None:
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "storage")}, "delete": {"enabled": False}}
    with running_docker_registry(tmp_path, configuration={"storage": storage}) as server:
        digest = push_image(server, APP, "v1")
        for attempt in (digest, f"sha256:{'0' * 64}"):
            error = refused(server, attempt)
            assert error.reason is NoDeletion.SWITCHED_OFF
            assert error.message == f"Deletion is switched off at 127.0.0.1:{server.port}."
        assert list(done(server, artifacts_of)) == [digest]


def test_read_only_mode(tmp_path: Path) -> None:
    with running_docker_registry(tmp_path) as server:
        digest = push_image(server, APP, "v1")
    storage = {
        "filesystem": {"rootdirectory": str(tmp_path / "storage")},
        "delete": {"enabled": True},
        "maintenance": {"readonly": {"enabled": True}},
    }
    with running_docker_registry(tmp_path, configuration={"storage": storage}) as server:
        for do in (
            lambda client: client.delete_artifact(APP, digest),
            lambda client: client.delete_tag(APP, "v1"),
        ):
            with pytest.raises(ReadOnly) as caught:
                done(server, do)
            assert caught.value.message == f"127.0.0.1:{server.port} is in read-only mode."
        assert list(done(server, artifacts_of)) == [digest]


def test_a_repository_that_never_had_a_tag_is_not_told_from_none(server: DockerRegistryServer) -> None:
    content = image_in(server, "untagged")
    named = push_manifest(server, APP, digest_of(content), content, OCI_MANIFEST)

    async def read(client: DockerRegistryClient) -> None:
        assert [found.name for found in await client.list_repositories()] == [APP]
        assert await client.list_tags(APP) is None
        assert await client.list_artifacts(APP) is None
        found = await client.look_at_artifact(APP, named)
        assert found is not None
        assert (found.digest, found.tags) == (named, ())

    done(server, read)
