"""Looking at tags and reading what stands under digests."""

import asyncio
import hashlib

import pytest

from registry_clients.errors import (
    AnswerTooLarge,
    CredentialRejected,
    RegistryError,
    StorageUnreadable,
    UnexpectedAnswer,
    UnreadableManifest,
)
from registry_clients.protocol import ReadsManifests
from registry_clients.records import Blob, FoundManifest
from registry_clients.transport import RegistryResponse
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import BOTH, client_over, failure_of
from tests.registry_clients.made_manifests import SCHEMA_1, answered, digest, image, manifest, signed
from tests.registry_clients.scripted_transport import ScriptedTransport, by_path, response

KNOWN = f"sha256:{'1' * 64}"
WEB = "team-a/app/web"
OF_WEB = "sha256:0552ab8ab5268d2ee1237a9a3863104ace05d576b08d719803af431f0cd7ef03"
UNKNOWN = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'


def always(answer: RegistryResponse) -> ScriptedTransport:
    return ScriptedTransport(lambda _: answer)


def looked(transport: ScriptedTransport, tag: str = "latest", known: str | None = None) -> str | None:
    client = client_over(transport)
    assert isinstance(client, ReadsManifests)
    return asyncio.run(client.look_at_tag(WEB, tag, known))


def read(transport: ScriptedTransport, named: str) -> FoundManifest | None:
    return asyncio.run(client_over(transport).read_manifest(WEB, named))


def fails(answer: RegistryResponse, named: str) -> RegistryError:
    return failure_of(lambda client: client.read_manifest(WEB, named), client_over(always(answer)))


@BOTH
def test_a_tag_is_looked_at_without_its_manifest(version: str) -> None:
    transport = always(recorded_response(f"{version}/manifests", "OCI manifest, Accept: all four"))
    assert looked(transport) == OF_WEB
    [request] = transport.requests
    assert (request.method, request.url.path) == ("HEAD", f"/v2/{WEB}/manifests/latest")
    assert "If-None-Match" not in request.headers
    assert set(request.headers["Accept"].split(", ")) == {
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    }


@BOTH
def test_a_known_digest_is_asked_for_so_that_it_is_no_pull(version: str) -> None:
    transport = always(recorded_response(f"{version}/manifests", "If-None-Match on HEAD"))
    assert looked(transport, known=OF_WEB) == OF_WEB
    assert [request.headers["If-None-Match"] for request in transport.requests] == [f'"{OF_WEB}"']


def test_what_can_be_no_digest_is_in_no_header() -> None:
    transport = always(answered(image("x")))
    assert looked(transport, known='sha256:1"\r\nX-Injected: 1') == digest(image("x"))
    assert [sorted(request.headers) for request in transport.requests] == [["Accept"]]
    refused = failure_of(lambda client: client.look_at_tag(WEB, "latest", None), client_over(always(response(304))))
    assert type(refused) is UnexpectedAnswer


@BOTH
def test_a_tag_that_is_not_there_is_none(version: str) -> None:
    assert looked(always(recorded_response(f"{version}/errors", "missing repository, HEAD")), "nothing") is None
    assert looked(by_path({}), "no tag at all") is None


def test_a_proxy_that_drops_headers_makes_us_ask_for_the_whole() -> None:
    content = image("x")
    bare = {"HEAD": response(200), "GET": response(200, content)}
    transport = ScriptedTransport(lambda request: bare[request.method])
    assert looked(transport) == digest(content)
    assert [request.method for request in transport.requests] == ["HEAD", "GET"]
    bare = {"HEAD": response(404), "GET": response(404, UNKNOWN)}
    assert looked(transport) is None
    bare = {"HEAD": response(404), "GET": response(404, b"<html>")}
    error = failure_of(lambda client: client.look_at_tag(WEB, "latest", None), client_over(transport))
    assert type(error) is UnexpectedAnswer


@pytest.mark.parametrize("page", [b"<html>sign in", b"{}", b""])
def test_a_page_without_a_digest_is_no_manifest(page: bytes) -> None:
    for do in (
        lambda client: client.look_at_tag(WEB, "latest", None),
        lambda client: client.look_at_artifact(WEB, "latest"),
    ):
        error = failure_of(do, client_over(always(response(200, page))))
        assert type(error) is UnexpectedAnswer
        assert error.message == "registry.test:5000 answers with something else than a manifest."


@BOTH
def test_a_manifest_is_read_by_its_digest(version: str) -> None:
    transport = always(recorded_response(f"{version}/manifests", "by digest"))
    found = read(transport, OF_WEB)
    assert found is not None
    assert (found.digest, found.size_bytes, len(found.blobs)) == (OF_WEB, 555, 3)
    # With If-None-Match 2.8 would answer 304 for what isn't there.
    assert [(request.method, "If-None-Match" in request.headers) for request in transport.requests] == [("GET", False)]


@BOTH
@pytest.mark.parametrize("what", ["missing repository", "missing digest"])
def test_a_digest_that_nothing_stands_under_is_none(version: str, what: str) -> None:
    assert read(always(recorded_response(f"{version}/errors", what)), KNOWN) is None


@pytest.mark.parametrize("named", ["latest", "sha256:abc", "md5:" + "0" * 32, ""])
def test_what_can_be_no_digest_is_not_asked_for(named: str) -> None:
    assert read(by_path({}), named) is None


def test_a_registry_that_lies_about_a_digest() -> None:
    error = fails(answered(image("another"), named=KNOWN), KNOWN)
    assert type(error) is UnexpectedAnswer
    assert error.message == "registry.test:5000 answers with another manifest than its digest says."


@pytest.mark.parametrize("size", [4 * 2**20 + 1, 50 * 10**6])
def test_a_manifest_that_is_too_large(size: int) -> None:
    content = b" " * size
    error = fails(answered(content), digest(content))
    assert type(error) is AnswerTooLarge
    assert error.message == "registry.test:5000 answers with a manifest of more than 4194304 bytes."


def test_the_largest_manifest_is_read() -> None:
    content = image("x")
    content += b" " * (4 * 2**20 - len(content))
    found = read(always(answered(content)), digest(content))
    assert found is not None
    assert found.size_bytes == 4 * 2**20


@pytest.mark.parametrize("content", [image("x", (-5,)), b"{}", b'{"a":' * 50_000, manifest(manifests=5)])
def test_what_was_pushed_and_is_no_manifest(content: bytes) -> None:
    error = fails(answered(content), digest(content))
    assert type(error) is UnreadableManifest


def test_a_schema_1_manifest_is_read_without_its_layers() -> None:
    payload = b'{\n   "schemaVersion": 1,\n   "fsLayers": []\n}'
    found = read(always(answered(signed(payload), SCHEMA_1, named=digest(payload))), digest(payload))
    assert found == FoundManifest(digest(payload), SCHEMA_1, None, len(payload), (), ())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (response(500, b'{"errors":[{"code":"UNKNOWN"}]}'), StorageUnreadable),
        (response(403), CredentialRejected),
        (response(404, b"<html>"), UnexpectedAnswer),
        (response(200, b"<html>"), UnexpectedAnswer),
        (response(304), UnexpectedAnswer),
    ],
)
def test_other_answers_are_said_for_what_they_are(answer: RegistryResponse, kind: type[RegistryError]) -> None:
    assert type(fails(answer, KNOWN)) is kind


@pytest.mark.parametrize("name", ["", "Team/app", "..", "team//app", "a/", "a?b"])
def test_what_can_be_no_repository_is_not_asked_for(name: str) -> None:
    client = client_over(by_path({}))
    assert asyncio.run(client.look_at_tag(name, "latest", None)) is None
    assert asyncio.run(client.read_manifest(name, KNOWN)) is None


def test_a_digest_of_another_algorithm() -> None:
    content = image("x")
    named = f"sha512:{hashlib.sha512(content).hexdigest()}"
    found = read(always(answered(content, named=named)), named)
    assert found is not None
    assert (found.digest, found.blobs[0]) == (named, Blob(digest("x config"), 5))
