"""Registries that answer badly on the wire: whatever comes is an error of ours, and soon."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from yarl import URL

from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.endpoint import RegistryEndpoint
from registry_clients.errors import AnswerTooLarge, ConnectionFailed, RegistryError, TimedOut, UnexpectedAnswer
from registry_clients.transport import TransportSettings
from tests.registry_clients.open_transport import transport_for
from tests.servers.misbehaving import Handler, answering, endless, http_answer, misbehaving_server, silence, trickle

DIGEST = f"sha256:{'1' * 64}"
SETTINGS = TransportSettings()
HURRIED = TransportSettings(read_timeout_seconds=0.3, total_timeout_seconds=0.5, attempts=1)
NAMED = ("Docker-Content-Digest", DIGEST)

Do = Callable[[DockerRegistryClient], Awaitable[object]]

READS: dict[str, Do] = {
    "manifest": lambda client: client.read_manifest("team/app", DIGEST),
    "tag": lambda client: client.look_at_artifact("team/app", "v1"),
    "digest": lambda client: client.look_at_artifact("team/app", DIGEST),
    "tags": lambda client: client.list_tags("team/app"),
    "page": lambda client: client.list_artifacts("team/app"),
}


def failure_over(handler: Handler, do: Do, settings: TransportSettings = SETTINGS) -> RegistryError:
    async def run() -> None:
        async with misbehaving_server(handler) as server, transport_for(settings=settings) as transport:
            client = DockerRegistryClient(RegistryEndpoint(URL(server.url)), None, transport, settings)
            # Far beyond every deadline: what has none fails here.
            async with asyncio.timeout(20):
                await do(client)

    with pytest.raises(RegistryError) as caught:
        asyncio.run(run())
    return caught.value


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        pytest.param(answering(b"not http at all\r\n\r\n"), UnexpectedAnswer, id="no HTTP"),
        pytest.param(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"), ConnectionFailed, id="cut"),
        pytest.param(answering(http_answer(200, b"<html>")), UnexpectedAnswer, id="a web page"),
        pytest.param(answering(http_answer(200, b"{}", (NAMED,))), UnexpectedAnswer, id="another manifest"),
        pytest.param(answering(http_answer(304)), UnexpectedAnswer, id="304 unasked"),
    ],
)
def test_what_comes_badly_is_an_error(name: str, handler: Handler, kind: type[RegistryError]) -> None:
    assert type(failure_over(handler, READS[name])) is kind


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("handler", [silence, trickle])
def test_what_does_not_come_ends_in_time(name: str, handler: Handler) -> None:
    assert type(failure_over(handler, READS[name], HURRIED)) is TimedOut


@pytest.mark.parametrize("name", READS)
def test_what_has_no_end_is_cut(name: str) -> None:
    assert type(failure_over(endless, READS[name])) is AnswerTooLarge


@pytest.mark.parametrize("name", READS)
def test_fifty_megabytes_are_cut(name: str) -> None:
    huge = answering(http_answer(200, b"{" + b" " * 50_000_000 + b"}", (NAMED,)))
    assert type(failure_over(huge, READS[name])) is AnswerTooLarge


@pytest.mark.parametrize("method", ["delete_artifact", "delete_tag"])
def test_a_deletion_without_an_answer_ends_in_time(method: str) -> None:
    reference = DIGEST if method == "delete_artifact" else "v1"
    error = failure_over(silence, lambda client: getattr(client, method)("team/app", reference), HURRIED)
    assert type(error) is TimedOut
