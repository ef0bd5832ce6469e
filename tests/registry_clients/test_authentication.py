"""Getting into a Docker Registry: who sees the password, and what is said to those who don't get in."""

import asyncio
import json

import pytest
from yarl import URL

from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.endpoint import Credential
from registry_clients.errors import (
    AddressRefused,
    ComponentUnhealthy,
    CredentialRejected,
    OtherKind,
    RegistryError,
    UnexpectedAnswer,
)
from registry_clients.kind import RegistryKind
from registry_clients.records import Verification
from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import (
    ALICE,
    AS_ALICE,
    BOTH,
    HOST,
    REALM,
    Do,
    basic_registry,
    bearer_registry,
    client_over,
    failure_of,
    open_registry,
)
from tests.registry_clients.scripted_transport import ScriptedTransport, by_path, response, who


@BOTH
def test_an_open_registry_needs_no_credential_and_verifies_none(version: str) -> None:
    for credential in (None, ALICE):
        transport = by_path(open_registry(version))
        verified = asyncio.run(client_over(transport, credential).verify())
        assert verified == Verification(RegistryKind.DOCKER_REGISTRY, None, is_credential_verified=False)
        assert transport.asked == ["GET /v2/", "GET /v2/", "GET /v2/_catalog?n=1"]


@BOTH
def test_a_password_is_sent_once_it_is_asked_for(version: str) -> None:
    transport = by_path(basic_registry(version))
    client = client_over(transport, ALICE)
    verified = asyncio.run(client.verify())
    assert verified == Verification(RegistryKind.DOCKER_REGISTRY, None, is_credential_verified=True)
    assert transport.asked == [
        "GET /v2/",
        f"GET /v2/ {AS_ALICE}",
        "GET /v2/_catalog?n=1",
        f"GET /v2/_catalog?n=1 {AS_ALICE}",
    ]
    transport.requests.clear()
    asyncio.run(client.probe())
    # What was learned is used: one exchange each.
    assert transport.asked == [f"GET /v2/ {AS_ALICE}", f"GET /v2/_catalog?n=1 {AS_ALICE}"]
    assert [request.is_retried for request in transport.requests] == [False, False]
    assert [request.timeout_seconds for request in transport.requests] == [5, 5]


@BOTH
def test_verifying_asks_afresh(version: str) -> None:
    answers = basic_registry(version)
    client = client_over(by_path(answers), ALICE)
    assert asyncio.run(client.verify()).is_credential_verified
    # Somebody took the passwords away: now nobody knows whether ours is good.
    answers.clear()
    answers.update(open_registry(version))
    assert not asyncio.run(client.verify()).is_credential_verified


@BOTH
def test_a_wrong_password_is_said_and_not_sent_again(version: str) -> None:
    transport = by_path(basic_registry(version))
    error = failure_of(DockerRegistryClient.verify, client_over(transport, Credential("alice", "wrong")))
    assert type(error) is CredentialRejected
    assert error.message == f"{HOST} does not accept the username or the password."
    assert error.registry_message == "UNAUTHORIZED: authentication required"
    assert error.http_status == 401
    assert transport.asked == ["GET /v2/", "GET /v2/ basic alice:wrong"]


@BOTH
@pytest.mark.parametrize("do", [DockerRegistryClient.verify, DockerRegistryClient.probe])
def test_no_password_where_one_is_wanted(version: str, do: Do) -> None:
    error = failure_of(do, client_over(by_path(basic_registry(version))))
    assert type(error) is CredentialRejected
    assert error.message == f"{HOST} needs a username and a password."


@BOTH
def test_the_password_file_is_gone(version: str) -> None:
    answers = basic_registry(version)
    answers[f"/v2/ {AS_ALICE}"] = recorded_response(f"{version}/htpasswd", "the file is gone")
    error = failure_of(DockerRegistryClient.probe, client_over(by_path(answers), ALICE))
    assert type(error) is UnexpectedAnswer
    assert error.message == f"{HOST} can't check passwords: its htpasswd file may be missing."


@BOTH
def test_tokens_are_fetched_for_each_scope_and_kept(version: str) -> None:
    now = [0.0]
    transport = by_path(bearer_registry(version))
    client = client_over(transport, ALICE, token_realm=REALM, clock=lambda: now[0])
    verified = asyncio.run(client.verify())
    assert verified.is_credential_verified
    fetched = [str(request.url) for request in transport.requests if request.url.host == "auth.registry.test"]
    assert fetched == [
        "https://auth.registry.test/token?service=registry.test&account=alice",
        "https://auth.registry.test/token?service=registry.test&account=alice&scope=registry:catalog:*",
    ]
    again = ["GET /v2/ bearer for-ping", "GET /v2/_catalog?n=1 bearer for-list"]
    transport.requests.clear()
    now[0] = 53.9
    asyncio.run(client.probe())
    assert transport.asked == again
    # Without expires_in a token lives 60 s, and is dropped a tenth earlier.
    transport.requests.clear()
    now[0] = 54.0
    asyncio.run(client.probe())
    assert len(transport.asked) == 4
    # The registry itself never sees the password.
    seen = [who(request) for request in transport.requests if request.url.host == "registry.test"]
    assert seen == ["bearer for-ping", "bearer for-list"]


@BOTH
def test_a_realm_elsewhere_must_be_named(version: str) -> None:
    for realm in (None, URL("https://auth.registry.test/other"), URL("http://auth.registry.test/token")):
        transport = by_path(bearer_registry(version))
        error = failure_of(DockerRegistryClient.verify, client_over(transport, ALICE, token_realm=realm))
        assert type(error) is UnexpectedAnswer
        assert error.message == (
            f"{HOST} sends its clients to a token server at auth.registry.test, which would see the password:"
            " set tokenRealm to https://auth.registry.test/token if that is right."
        )
        assert transport.asked == ["GET /v2/"]


@pytest.mark.parametrize(
    ("url", "realm", "is_taken"),
    [
        ("http://registry.test:5000", "http://registry.test:5001/auth", True),
        ("http://registry.test:5000", "https://registry.test/auth", True),
        ("https://registry.test", "http://registry.test/auth", False),
        ("https://registry.test", "https://auth.test/auth", False),
        ("https://registry.test", "https://user@registry.test/auth", False),
        ("https://registry.test", "/auth", False),
        ("https://registry.test", "", False),
        ("https://registry.test", "https://[", False),
    ],
)
def test_which_realms_may_see_the_password(url: str, realm: str, is_taken: bool) -> None:
    def script(request: RegistryRequest) -> RegistryResponse:
        if request.url.path == "/auth":
            return response(401)
        return response(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')

    transport = ScriptedTransport(script)
    error = failure_of(DockerRegistryClient.verify, client_over(transport, ALICE, url=url))
    assert [who(request) for request in transport.requests if request.url.path == "/auth"] == (
        [AS_ALICE] if is_taken else []
    )
    assert isinstance(error, CredentialRejected if is_taken else UnexpectedAnswer)


def test_a_realm_on_a_metadata_address_is_refused() -> None:
    challenge = response(401, WWW_Authenticate='Bearer realm="http://169.254.169.254/latest",service="s"')
    transport = by_path({"/v2/": challenge})
    error = failure_of(DockerRegistryClient.verify, client_over(transport, ALICE))
    assert type(error) is AddressRefused
    assert transport.asked == ["GET /v2/"]


@BOTH
def test_nobody_gets_an_anonymous_token(version: str) -> None:
    answers = bearer_registry(version)
    answers["/token?service=registry.test"] = response(200, b'{"token":"nobody"}')
    answers["/v2/ bearer nobody"] = recorded_response(f"{version}/ping", "GET /v2/")
    answers["/token?service=registry.test&scope=registry:catalog:*"] = response(200, b'{"token":"nobody"}')
    answers["/v2/_catalog?n=1 bearer nobody"] = recorded_response(f"{version}/catalog", "n=1")
    verified = asyncio.run(client_over(by_path(answers), token_realm=REALM).verify())
    assert not verified.is_credential_verified


@BOTH
def test_a_catalogue_that_is_not_granted_says_so(version: str) -> None:
    answers = bearer_registry(version)
    refused = recorded_response(f"{version}/token_challenges", "GET /v2/_catalog without a token")
    answers["/v2/_catalog?n=1 bearer for-list"] = refused
    transport = by_path(answers)
    error = failure_of(DockerRegistryClient.verify, client_over(transport, ALICE, token_realm=REALM))
    assert type(error) is CredentialRejected
    assert error.message == f"{HOST} does not let this user list its repositories (registry:catalog:*)."


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (response(401), CredentialRejected, "does not accept the username or the password"),
        (response(403), CredentialRejected, "does not accept the username or the password"),
        (response(404), UnexpectedAnswer, "answers 404 instead of a token"),
        (response(503), ComponentUnhealthy, "answers 503"),
        (response(200, b"<html>"), UnexpectedAnswer, "answers with a web page"),
        (response(200, b"{}"), UnexpectedAnswer, "without a usable token"),
        (response(200, b'{"token":"a\\nb"}'), UnexpectedAnswer, "without a usable token"),
        (response(200, b'{"token":5}'), UnexpectedAnswer, "without a usable token"),
    ],
)
def test_token_servers_that_give_none(answer: RegistryResponse, kind: type[RegistryError], message: str) -> None:
    answers = bearer_registry("distribution-2.8.2")
    answers[f"/token?service=registry.test&account=alice {AS_ALICE}"] = answer
    error = failure_of(DockerRegistryClient.probe, client_over(by_path(answers), ALICE, token_realm=REALM))
    assert type(error) is kind
    assert message in error.message
    assert "auth.registry.test" in error.message


def test_a_withdrawn_token_is_replaced_once() -> None:
    valid = ["1"]

    def script(request: RegistryRequest) -> RegistryResponse:
        if request.url.path == "/token":
            return response(200, json.dumps({"token": valid[0] or "0", "expires_in": 3600}).encode())
        if who(request) == f"bearer {valid[0]}":
            return response(200, b'{"repositories":[]}')
        return response(401, WWW_Authenticate='Bearer realm="http://registry.test/token"')

    transport = ScriptedTransport(script)
    client = client_over(transport, ALICE)
    asyncio.run(client.list_spaces())
    transport.requests.clear()

    valid[0] = "2"
    assert asyncio.run(client.list_spaces()) == ()
    assert [who(request) for request in transport.requests] == ["bearer 1", AS_ALICE, "bearer 2"]
    transport.requests.clear()

    valid[0] = ""
    error = failure_of(DockerRegistryClient.list_spaces, client)
    assert type(error) is CredentialRejected
    assert [who(request) for request in transport.requests] == ["bearer 2", AS_ALICE, "bearer 0"]


def test_the_same_token_is_fetched_once_for_many() -> None:
    fetched: list[str] = []
    now = [0.0]

    class Slow(ScriptedTransport):
        async def send(self, request: RegistryRequest) -> RegistryResponse:
            await asyncio.sleep(0)
            return await super().send(request)

    def script(request: RegistryRequest) -> RegistryResponse:
        if request.url.path == "/token":
            fetched.append(str(request.url))
            return response(200, b'{"token":"t"}')
        if not who(request):
            return response(401, WWW_Authenticate='Bearer realm="http://registry.test/token"')
        return response(200, b'{"repositories":["a/b"]}')

    async def many() -> None:
        client = client_over(Slow(script), ALICE, clock=lambda: now[0])
        await client.list_spaces()
        now[0] = 1000.0
        fetched.clear()
        await asyncio.gather(*(client.list_spaces() for _ in range(8)))

    asyncio.run(many())
    assert len(fetched) == 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", f"{HOST} wants a login and doesn't say which: is this the address of a registry?"),
        ("Negotiate", f"{HOST} wants negotiate authentication, which is not supported."),
    ],
)
def test_logins_that_are_not_known(header: str, message: str) -> None:
    answer = response(401, WWW_Authenticate=header) if header else response(401)
    error = failure_of(DockerRegistryClient.verify, client_over(by_path({"/v2/": answer}), ALICE))
    assert (type(error), error.message) == (UnexpectedAnswer, message)


def test_a_harbor_is_recognised_before_it_sees_the_password() -> None:
    challenge = response(
        401, WWW_Authenticate='Bearer realm="http://registry.test/service/token",service="harbor-registry"'
    )
    transport = by_path({"/v2/": challenge, "/api/v2.0/ping": response(200, b"Pong")})
    error = failure_of(DockerRegistryClient.verify, client_over(transport, ALICE))
    assert type(error) is OtherKind
    assert error.message == f"{HOST} is a Harbor, not a Docker Registry: integrate it as such."
    assert transport.asked == ["GET /v2/", "GET /api/v2.0/ping"]
