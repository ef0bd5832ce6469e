"""The real transport against servers that answer badly."""

import asyncio
import gzip
from collections.abc import Callable

import pytest
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.errors import (
    AddressRefused,
    AnswerTooLarge,
    ConnectionFailed,
    ConnectionRefused,
    NameNotResolved,
    RegistryError,
    TimedOut,
    UnexpectedAnswer,
)
from registry_clients.transport import RegistryRequest, RegistryResponse, TransportSettings
from tests.registry_clients.open_transport import SETTINGS, transport_for
from tests.servers.misbehaving import (
    Handler,
    MisbehavingServer,
    answering,
    endless,
    http_answer,
    misbehaving_server,
    silence,
    trickle,
)

HURRIED = TransportSettings(connect_timeout_seconds=2, read_timeout_seconds=0.2, total_timeout_seconds=0.5, attempts=1)
SECRET = {"Authorization": "Basic c2VjcmV0OnNlY3JldA=="}


def get(server: MisbehavingServer, path: str = "/v2/", method: str = "GET") -> RegistryRequest:
    return RegistryRequest(method, URL(server.url + path), headers=SECRET)


def answer_of(handler: Handler, settings: TransportSettings = SETTINGS) -> tuple[RegistryResponse, list[str]]:
    async def ask() -> tuple[RegistryResponse, list[str]]:
        async with misbehaving_server(handler) as server, transport_for(settings=settings) as transport:
            return await transport.send(get(server)), server.requests

    return asyncio.run(ask())


def failure_of(
    handler: Handler, settings: TransportSettings = SETTINGS, method: str = "GET", *, is_retried: bool = True
) -> tuple[RegistryError, list[str]]:
    async def ask() -> tuple[RegistryError, list[str]]:
        async with misbehaving_server(handler) as server, transport_for(settings=settings) as transport:
            request = RegistryRequest(method, URL(f"{server.url}/v2/"), SECRET, is_retried=is_retried)
            # Far beyond every deadline of these tests: what has none fails here.
            with pytest.raises(RegistryError) as caught:
                await asyncio.wait_for(transport.send(request), 15)
            assert f"127.0.0.1:{server.port}" in caught.value.message
            return caught.value, server.requests

    error, requests = asyncio.run(ask())
    assert_nothing_secret(error)
    return error, requests


def assert_nothing_secret(error: BaseException | None) -> None:
    while error is not None:
        assert "c2VjcmV0" not in repr(error) + str(error)
        error = error.__cause__ or error.__context__


def test_an_answer_comes_whole_and_as_it_is() -> None:
    answer, requests = answer_of(answering(http_answer(418, b"a teapot", (("X-One", "1"),))))
    assert (answer.status, answer.body, answer.headers["x-one"]) == (418, b"a teapot", "1")
    head = requests[0].split("\r\n")
    assert head[0] == "GET /v2/ HTTP/1.1"
    assert "User-Agent: integrated-registry/0.1" in head
    assert "Accept-Encoding: identity" in head
    assert not any(line.startswith("Cookie") for line in head)


def test_requests_and_answers_hide_what_is_secret() -> None:
    request = RegistryRequest("GET", URL("http://registry.test"), SECRET)
    assert "c2VjcmV0" not in repr(request)
    answer, _ = answer_of(answering(http_answer(200, b'{"token":"secret"}', (("Set-Cookie", "secret"),))))
    assert repr(answer) == "RegistryResponse(status=200)"


FAILURES: list[tuple[str, Handler, type[RegistryError], str]] = [
    ("closed without a word", answering(b""), ConnectionFailed, "closed the connection without an answer"),
    ("not HTTP", answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), UnexpectedAnswer, "does not speak HTTP"),
    (
        "cut short",
        answering(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"repositories":['),
        ConnectionFailed,
        "in the middle of its answer",
    ),
    (
        "gzip that nobody asked for",
        answering(http_answer(200, gzip.compress(b" " * 10_000_000), (("Content-Encoding", "gzip"),))),
        UnexpectedAnswer,
        "compresses its answers",
    ),
    ("endless", endless, AnswerTooLarge, "answers with more than 100000 bytes"),
    ("a redirect to nowhere", answering(http_answer(302)), UnexpectedAnswer, "redirects to nowhere"),
    (
        "a redirect that is no URL",
        answering(http_answer(302, headers=(("Location", "http://["),))),
        UnexpectedAnswer,
        "redirects to nowhere",
    ),
    (
        "a redirect to a file",
        answering(http_answer(302, headers=(("Location", "file:///etc/passwd"),))),
        UnexpectedAnswer,
        "redirects to nowhere",
    ),
    (
        "a redirect to another host",
        answering(http_answer(301, headers=(("Location", "https://evil.test/v2/"),))),
        UnexpectedAnswer,
        "redirects to https://evil.test: give the address that it leads to",
    ),
    (
        "a redirect to another port",
        answering(http_answer(307, headers=(("Location", "http://127.0.0.1:1/v2/"),))),
        UnexpectedAnswer,
        "redirects to http://127.0.0.1:1",
    ),
    (
        "a circle",
        answering(http_answer(308, headers=(("Location", "/v2/"),))),
        UnexpectedAnswer,
        "redirects in a circle",
    ),
]


@pytest.mark.parametrize(
    ("handler", "kind", "words"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_what_goes_wrong_says_what(handler: Handler, kind: type[RegistryError], words: str) -> None:
    error, _ = failure_of(handler)
    assert type(error) is kind
    assert words in error.message


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://[::ffff:a9fe:a9fe]/", "//0.0.0.0/"])
def test_a_redirect_to_a_metadata_address_is_refused(target: str) -> None:
    async def ask() -> list[str]:
        moved = http_answer(302, headers=(("Location", target),))
        async with misbehaving_server(answering(moved)) as server, transport_for() as transport:
            with pytest.raises(AddressRefused):
                await transport.send(get(server))
            return server.requests

    assert len(asyncio.run(ask())) == 1


def test_a_redirect_in_the_same_place_is_followed_with_the_credential_and_without_cookies() -> None:
    moved = http_answer(301, headers=(("Location", "/v2/#here"), ("Set-Cookie", "sid=1; Path=/")))

    async def ask() -> list[str]:
        handler = answering(moved, http_answer(200, b"{}"))
        async with misbehaving_server(handler) as server, transport_for() as transport:
            # By name: aiohttp keeps cookies of names, not of numbers.
            url = URL(f"http://localhost:{server.port}/v2")
            answer = await transport.send(RegistryRequest("GET", url, SECRET))
            assert answer.body == b"{}"
            return server.requests

    requests = asyncio.run(ask())
    assert [request.split(" ")[1] for request in requests] == ["/v2", "/v2/"]
    assert [request.count("Basic c2VjcmV0OnNlY3JldA==") for request in requests] == [1, 1]
    assert not any("Cookie" in request for request in requests)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")
    answer, _ = answer_of(answering(http_answer(200, b"{}")))
    assert answer.body == b"{}"


def test_a_look_without_a_body_is_redirected_too() -> None:
    moved = http_answer(301, headers=(("Location", "/v2/"),))

    async def ask() -> list[str]:
        async with misbehaving_server(answering(moved, http_answer(200))) as server, transport_for() as transport:
            assert (await transport.send(RegistryRequest("HEAD", URL(f"{server.url}/v2")))).status == 200
            return [request.partition(" HTTP")[0] for request in server.requests]

    assert asyncio.run(ask()) == ["HEAD /v2", "HEAD /v2/"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_changes_something_is_not_redirected(method: str) -> None:
    error, requests = failure_of(answering(http_answer(302, headers=(("Location", "/"),))), method=method)
    assert type(error) is UnexpectedAnswer
    assert len(requests) == 1


def test_a_server_that_is_silent_ends_with_the_read_deadline() -> None:
    error, _ = failure_of(silence, HURRIED)
    assert type(error) is TimedOut


def test_a_trickle_ends_with_the_total_deadline() -> None:
    error, _ = failure_of(trickle, HURRIED)
    assert type(error) is TimedOut
    assert error.message.endswith(" did not answer within 0.5 seconds.")


def test_a_request_may_have_a_deadline_of_its_own() -> None:
    async def ask() -> None:
        async with misbehaving_server(silence) as server, transport_for() as transport:
            with pytest.raises(TimedOut) as caught:
                await transport.send(RegistryRequest("GET", URL(server.url), timeout_seconds=0.1))
            assert "0.1 seconds" in caught.value.message or "in time" in caught.value.message

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("method", "is_retried", "times"),
    [("GET", True, 2), ("HEAD", True, 2), ("GET", False, 1), ("POST", True, 1)],
)
def test_what_may_help_is_tried_again(method: str, is_retried: bool, times: int) -> None:
    # Silence, as aiohttp by itself repeats what met a closed connection: it may have been kept too long.
    settings = TransportSettings(read_timeout_seconds=0.1, total_timeout_seconds=5)
    error, requests = failure_of(silence, settings, method, is_retried=is_retried)
    assert type(error) is TimedOut
    assert len(requests) == times


def test_what_can_not_help_is_not_tried_again() -> None:
    error, requests = failure_of(answering(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"))
    assert type(error) is UnexpectedAnswer
    assert len(requests) == 1


def test_a_second_try_may_succeed() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"
    answer, requests = answer_of(answering(cut, http_answer(200, b"{}")))
    assert (answer.status, len(requests)) == (200, 2)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_an_answer_is_an_answer(status: int) -> None:
    answer, requests = answer_of(answering(http_answer(status)))
    assert (answer.status, len(requests)) == (status, 1)


def test_nothing_listens() -> None:
    async def ask() -> None:
        async with misbehaving_server(silence) as server:
            url = URL(server.url)
        async with transport_for() as transport:
            with pytest.raises(ConnectionRefused) as caught:
                await transport.send(RegistryRequest("GET", url))
            assert caught.value.message.startswith(f"Nothing listens at 127.0.0.1:{url.port}:")

    asyncio.run(ask())


def test_a_name_that_does_not_resolve() -> None:
    async def ask() -> None:
        async with transport_for() as transport:
            with pytest.raises(NameNotResolved) as caught:
                await transport.send(RegistryRequest("GET", URL("http://registry.invalid:5000/v2/")))
            assert caught.value.message == "There is no host named registry.invalid: check the address."

    asyncio.run(ask())


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/v2/", "http://localhost:{}/v2/", "http://[::1]:{}/v2/"])
def test_a_forbidden_address_is_never_connected_to(url: str) -> None:
    async def ask() -> list[str]:
        policy = AddressPolicy(allows_loopback=False)
        async with misbehaving_server(silence) as server, transport_for(policy=policy) as transport:
            with pytest.raises(AddressRefused) as caught:
                await transport.send(RegistryRequest("GET", URL(url.format(server.port))))
            assert caught.value.registry_message is None
            return server.requests

    assert asyncio.run(ask()) == []


def test_a_cancelled_call_gives_its_connection_back() -> None:
    one = TransportSettings(connections=1, total_timeout_seconds=5)

    async def ask() -> None:
        answers = iter([silence, answering(http_answer(200, b"{}"))])

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await next(answers)(reader, writer)

        async with misbehaving_server(handle) as server, transport_for(settings=one) as transport:
            first = asyncio.create_task(transport.send(get(server)))
            await until(lambda: len(server.requests) == 1)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert (await transport.send(get(server))).body == b"{}"

    asyncio.run(ask())


def test_closing_fails_what_is_under_way_and_what_comes() -> None:
    async def ask() -> None:
        async with misbehaving_server(silence) as server, transport_for() as transport:
            under_way = asyncio.create_task(transport.send(get(server)))
            await until(lambda: len(server.requests) == 1)
            await transport.aclose()
            with pytest.raises(ConnectionFailed):
                await under_way
            with pytest.raises(ConnectionFailed):
                await transport.send(get(server))
            await transport.aclose()

    asyncio.run(ask())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
