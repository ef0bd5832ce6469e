"""What manifests say, the true and the false."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_clients.docker_registry.manifest_payloads import can_be_checked, content_under, parse_manifest
from registry_clients.errors import UnexpectedAnswer, UnreadableManifest
from registry_clients.records import Blob, FoundManifest, PlatformManifest
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import BOTH
from tests.registry_clients.made_manifests import (
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    SCHEMA_1,
    described,
    digest,
    image,
    index,
    manifest,
    signed,
)

HOST = "registry.test"


def parsed(content: bytes, content_type: str = "") -> FoundManifest:
    return parse_manifest(content, digest(content), content_type, HOST)


@BOTH
def test_images_and_indexes_as_they_were_recorded(version: str) -> None:
    name = f"{version}/manifests"
    found = {}
    for what in ("OCI manifest", "Docker manifest", "OCI index", "Docker list"):
        answer = recorded_response(name, f"{what}, all four accepted")
        shown = answer.headers["Docker-Content-Digest"]
        content = content_under(shown, answer.body)
        assert content is not None
        found[what] = parse_manifest(content, shown, answer.headers["Content-Type"], HOST)
        assert (found[what].digest, found[what].artifact_type) == (shown, None)
        assert found[what].size_bytes == int(answer.headers["Content-Length"])
        assert found[what].media_type == answer.headers["Content-Type"]
    for what in ("OCI manifest", "Docker manifest"):
        assert [blob.size_bytes > 0 for blob in found[what].blobs] == [True] * 3
        assert found[what].platforms == ()
    for what, child in (("OCI index", "OCI manifest"), ("Docker list", "Docker manifest")):
        assert found[what].blobs == ()
        assert [(one.os, one.architecture, one.variant) for one in found[what].platforms] == [
            ("linux", "amd64", None),
            ("linux", "arm64", None),
        ]
        assert found[what].platforms[0].digest == found[child].digest


@BOTH
def test_an_artifact_that_says_what_it_is(version: str) -> None:
    answer = recorded_response(f"{version}/referrers", "the artifact itself")
    found = parsed(answer.body, answer.headers["Content-Type"])
    assert (found.media_type, found.artifact_type) == (OCI_MANIFEST, "application/vnd.example.signature")
    assert [blob.size_bytes for blob in found.blobs] == [2, 7]


@pytest.mark.parametrize(
    ("fields", "artifact_type"),
    [
        ({}, None),
        ({"artifactType": "a/b"}, "a/b"),
        ({"artifactType": "no media type"}, None),
        ({"artifactType": 5}, None),
        ({"config": described("c", 1, "application/vnd.docker.container.image.v1+json")}, None),
        (
            {"config": described("c", 1, "application/vnd.chart.config")},
            "application/vnd.chart.config",
        ),
        ({"config": described("c", 1, "application/vnd.chart.config"), "artifactType": "a/b"}, "a/b"),
        ({"config": described("c", 1, "\x1b[31m/b")}, None),
    ],
)
def test_types_of_artifacts(fields: dict[str, Any], artifact_type: str | None) -> None:
    assert parsed(image("x", **fields)).artifact_type == artifact_type


@pytest.mark.parametrize(
    ("stated", "content_type", "media_type"),
    [
        (OCI_MANIFEST, "application/json", OCI_MANIFEST),
        ("a/b", OCI_MANIFEST, "a/b"),
        (None, f"{OCI_INDEX}; charset=utf-8", OCI_INDEX),
        (None, "application/json", OCI_MANIFEST),
        (None, "", OCI_MANIFEST),
        ("not one", "", OCI_MANIFEST),
        (7, "", OCI_MANIFEST),
    ],
)
def test_a_manifest_says_first_what_it_is(stated: object, content_type: str, media_type: str) -> None:
    assert parsed(image("x", mediaType=stated), content_type).media_type == media_type


def test_blobs_are_counted_once_and_by_their_first_word() -> None:
    layers = [described("a", 1), described("b", 2), described("a", 1), described("b", 99)]
    found = parsed(manifest(config=described("a", 1), layers=layers))
    assert found.blobs == (Blob(digest("a"), 1), Blob(digest("b"), 2))


def test_what_is_fetched_from_elsewhere_is_left_out() -> None:
    foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    layers = [described("a", 1, foreign, urls=["https://elsewhere.test/a"]), described("b", 2, urls=[])]
    assert parsed(manifest(layers=layers)).blobs == (Blob(digest("b"), 2),)


def test_blobs_of_the_older_artifact_manifest() -> None:
    content = json.dumps(
        {"mediaType": "application/vnd.oci.artifact.manifest.v1+json", "artifactType": "a/b", "blobs": [described("a")]}
    ).encode()
    found = parsed(content)
    assert found.media_type == "application/vnd.oci.artifact.manifest.v1+json"
    assert (found.artifact_type, found.blobs) == ("a/b", (Blob(digest("a"), 10),))


@pytest.mark.parametrize("size", [0, 2**31, 2**53 + 1, 2**63 - 1])
def test_sizes_may_be_large(size: int) -> None:
    assert parsed(image("x", (size,))).blobs[1].size_bytes == size


@pytest.mark.parametrize("size", [-1, -5, 2**63, 2**64, 10**30, 1.5, 10.0, "10", None, True, [], {}])
def test_sizes_that_are_none(size: object) -> None:
    with pytest.raises(UnreadableManifest) as caught:
        parsed(image("x", (size,)))
    assert caught.value.message == f"{HOST} holds a manifest that can't be read: it gives a size that is none."


def test_a_size_that_is_missing() -> None:
    with pytest.raises(UnreadableManifest):
        parsed(manifest(layers=[{"mediaType": OCI_LAYER, "digest": digest("a")}]))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b'"manifest"',
        b"{}",
        b'{"schemaVersion":2}',
        b'{"layers":',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        manifest(layers="a"),
        manifest(layers=["a"]),
        manifest(layers={}),
        manifest(config="a", layers=[]),
        manifest(config=[], layers=[]),
        manifest(layers=[{"size": 1}]),
        manifest(layers=[{"size": 1, "digest": 5}]),
        manifest(layers=[{"size": 1, "digest": "sha256:abc"}]),
        manifest(layers=[{"size": 1, "digest": "../../etc/passwd"}]),
        manifest(manifests="a"),
        manifest(manifests=[5]),
        manifest(manifests=[{"size": 1}]),
        manifest(manifests=[{"digest": digest("a"), "platform": "linux"}]),
        manifest(manifests=[], layers=[]),
        manifest(manifests=[], config=described("c")),
    ],
)
def test_what_is_no_manifest(content: bytes) -> None:
    with pytest.raises(UnreadableManifest) as caught:
        parsed(content)
    assert isinstance(caught.value, UnexpectedAnswer)
    assert caught.value.message.startswith(f"{HOST} holds a manifest that can't be read: it ")


def test_platforms() -> None:
    nested = digest("nested")
    found = parsed(
        index(
            {
                digest("a"): {"os": "linux", "architecture": "arm", "variant": "v7"},
                digest("b"): {"os": "unknown", "architecture": "unknown"},
                nested: None,
                digest("c"): {"os": "windows\n", "architecture": "x" * 65, "variant": ""},
            }
        )
    )
    assert found.platforms == (
        PlatformManifest(digest("a"), "linux", "arm", "v7"),
        PlatformManifest(digest("b"), "unknown", "unknown", None),
        PlatformManifest(nested, "unknown", "unknown", None),
        PlatformManifest(digest("c"), "unknown", "unknown", None),
    )
    assert parsed(manifest(mediaType=OCI_INDEX, manifests=None)).platforms == ()


def test_schema_1_is_known_by_what_was_signed() -> None:
    payload = b'{\n   "schemaVersion": 1,\n   "fsLayers": [\n      {"blobSum": "sha256:aa"}\n   ]\n}'
    body = signed(payload)
    assert digest(body) != digest(payload)
    assert content_under(digest(payload), body) == payload
    assert content_under(digest(body), body) == body
    found = parsed(payload, SCHEMA_1)
    # It names no sizes: only its own are known.
    assert (found.media_type, found.size_bytes, found.blobs) == (SCHEMA_1, len(payload), ())
    assert (found.platforms, found.artifact_type) == ((), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[" * 5000,
        b'{"signatures":[]}',
        b'{"signatures":{}}',
        b'{"signatures":[5]}',
        b'{"signatures":[{"protected":5}]}',
        b'{"signatures":[{"protected":"x"}]}',
        b'{"signatures":[{"protected":"\xc3\xa4"}]}',
        b'{"signatures":[{"protected":"W10"}]}',
        signed(b"{\n}", formatLength=-1),
        signed(b"{\n}", formatLength=10**9),
        signed(b"{\n}", formatLength=True),
        signed(b"{\n}", formatLength="1"),
        signed(b"{\n}", formatTail=5),
        signed(b"{\n}", formatTail="x"),
    ],
)
def test_bodies_that_are_something_else(body: bytes) -> None:
    assert content_under(digest("something"), body) is None


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_digests_of_each_algorithm(algorithm: str) -> None:
    content = image("x")
    named = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    assert can_be_checked(named)
    assert content_under(named, content) == content
    assert content_under(named, content + b" ") is None


@pytest.mark.parametrize("named", ["md5:" + "0" * 32, "sha256:abc", "latest", "", f"shake_128:{'0' * 64}"])
def test_digests_that_nothing_can_be_checked_by(named: str) -> None:
    assert not can_be_checked(named)


KEYS = st.sampled_from(
    ["schemaVersion", "mediaType", "config", "layers", "blobs", "manifests", "digest", "size", "urls", "platform", "os"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_nothing_but_a_manifest_or_its_refusal_comes_of_anything(values: dict[str, object]) -> None:
    content = json.dumps(values).encode()
    try:
        found = parsed(content)
    except UnreadableManifest:
        return
    assert found.size_bytes == len(content)
    assert all(0 <= blob.size_bytes < 2**63 for blob in found.blobs)
