"""What the Docker Registry client makes of answers: pings, probes, and what is no registry."""

import asyncio

import pytest

from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.errors import (
    ComponentUnhealthy,
    StorageUnreadable,
    TimedOut,
    UnexpectedAnswer,
)
from registry_clients.kind import RegistryKind
from registry_clients.protocol import ListsSpaces, RegistryClient
from registry_clients.records import ProbeAnswer
from registry_clients.transport import RegistryResponse
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import (
    ALICE,
    BOTH,
    HOST,
    client_over,
    failure_of,
    open_registry,
)
from tests.registry_clients.scripted_transport import by_path, response


def test_it_is_a_client_that_lists_spaces() -> None:
    client: RegistryClient = client_over(by_path({}))
    assert client.kind is RegistryKind.DOCKER_REGISTRY
    assert isinstance(client, ListsSpaces)


NOT_REGISTRIES = [
    (response(200), "answers with an empty page"),
    (response(200, b"<!doctype html>"), "answers with a web page"),
    (response(200, b'{"a":'), "answers with broken JSON"),
    (response(200, b"hello"), "answers with something else than JSON"),
    (response(200, b"[]"), "answers with JSON that no registry sends"),
    (response(200, b"\xff\xfe"), "answers with something else than JSON"),
    (response(404, b"<html>"), "/v2/ is not found"),
    (response(204), "answers 204"),
    (response(429), "too many calls"),
    (response(400, b"Client sent an HTTP request to an HTTPS server.\n"), "must begin with https://"),
    (response(400, b"<h1>The plain HTTP request was sent to HTTPS port</h1>"), "must begin with https://"),
]


@pytest.mark.parametrize(("answer", "message"), NOT_REGISTRIES)
def test_what_is_no_registry_says_what_it_is(answer: RegistryResponse, message: str) -> None:
    error = failure_of(DockerRegistryClient.verify, client_over(by_path({"/v2/": answer}), ALICE))
    assert type(error) is UnexpectedAnswer
    assert error.message.startswith(f"{HOST} ") or f"at {HOST}" in error.message
    assert message in error.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "answers with an empty page"),
        (b"<html>", "answers with a web page"),
        (b"{}", "a catalogue that no registry sends"),
        (b'{"repositories":"a"}', "a catalogue that no registry sends"),
        (b'{"repositories":[1]}', "a catalogue that no registry sends"),
        (b'{"repositories":["a"', "broken JSON"),
    ],
)
def test_a_registry_shows_in_its_catalogue_too(body: bytes, message: str) -> None:
    # A proxy may say `{}` to everything: /v2/ alone proves nothing.
    answers = open_registry("distribution-2.8.2") | {"/v2/_catalog?n=1": response(200, body)}
    for do in (DockerRegistryClient.verify, DockerRegistryClient.probe):
        error = failure_of(do, client_over(by_path(answers)))
        assert type(error) is UnexpectedAnswer
        assert message in error.message


def test_a_proxy_may_drop_the_version_header() -> None:
    answers = open_registry("distribution-2.8.2") | {"/v2/": response(200, b"{}")}
    assert asyncio.run(client_over(by_path(answers)).verify()).kind is RegistryKind.DOCKER_REGISTRY


def test_a_prefix_stays_in_front() -> None:
    transport = by_path(
        {
            "/images/v2/": response(200, b"{}"),
            "/images/v2/_catalog?n=1": response(200, b'{"repositories":null}'),
        }
    )
    asyncio.run(client_over(transport, url="https://registry.test/images").verify())
    assert transport.asked[-1] == "GET /images/v2/_catalog?n=1"


@BOTH
def test_a_probe_measures_the_ping_alone(version: str) -> None:
    ticks = iter([10.0, 10.03125])
    client = client_over(by_path(open_registry(version)), clock=lambda: next(ticks))
    answer = asyncio.run(client.probe())
    assert answer == ProbeAnswer(31.25, version=None, is_read_only=False, components=())


@BOTH
@pytest.mark.parametrize(
    ("recording", "ping", "catalogue", "words"),
    [
        (
            "health_unchecked",
            "the folder may not be read: GET /v2/",
            "the folder may not be read: GET /v2/_catalog",
            "UNKNOWN: unknown error",
        ),
        (
            "health_checked",
            "the folder above may not be entered: stat fails: GET /v2/",
            "the folder above may not be entered: stat fails: GET /v2/_catalog",
            "UNAVAILABLE: service unavailable",
        ),
    ],
)
def test_a_storage_that_can_not_be_read(version: str, recording: str, ping: str, catalogue: str, words: str) -> None:
    answers: dict[str, RegistryResponse | Exception] = {
        "/v2/": recorded_response(f"{version}/{recording}", ping),
        "/v2/_catalog?n=1": recorded_response(f"{version}/{recording}", catalogue),
    }
    error = failure_of(DockerRegistryClient.probe, client_over(by_path(answers)))
    assert type(error) is StorageUnreadable
    assert error.registry_message == words  # and no `detail`, which shows paths of the server
    assert error.is_retryable


@BOTH
def test_a_storage_that_is_gone_looks_empty(version: str) -> None:
    gone = recorded_response(f"{version}/health_unchecked", "the folder is gone: GET /v2/_catalog")
    answers = open_registry(version) | {"/v2/_catalog?n=1000": gone}
    assert asyncio.run(client_over(by_path(answers)).list_spaces()) == ()


@pytest.mark.parametrize("status", [502, 503, 504, 500, 507])
def test_a_proxy_without_its_registry(status: int) -> None:
    answer = response(status, b"<html>bad gateway</html>", Content_Type="text/html")
    error = failure_of(DockerRegistryClient.probe, client_over(by_path({"/v2/": answer})))
    assert type(error) is ComponentUnhealthy
    assert (error.http_status, error.registry_message) == (status, None)
    assert f"{HOST} answers {status}" in error.message


def test_what_the_transport_raises_passes_through() -> None:
    late = TimedOut("registry.test:5000 did not answer in time.")
    assert failure_of(DockerRegistryClient.probe, client_over(by_path({"/v2/": late}))) is late


def test_closing_closes_the_transport() -> None:
    transport = by_path({})
    asyncio.run(client_over(transport).aclose())
    assert transport.is_closed
