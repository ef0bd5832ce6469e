"""Who is an administrator of what, and what is no Harbor at all."""

import asyncio
from dataclasses import replace

import pytest
import trustme
from yarl import URL

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import (
    ComponentUnhealthy,
    CredentialRejected,
    NotAnAdministrator,
    OtherKind,
    UnexpectedAnswer,
)
from registry_clients.harbor.client import HarborClient
from registry_clients.kind import RegistryKind
from registry_clients.records import Verification
from registry_clients.transport import RegistryResponse, TransportSettings
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.recordings.recording import recorded_response
from tests.registry_clients.harbor.harbor_client import asked, done, failure, make_reader
from tests.registry_clients.scripted_transport import ScriptedTransport, by_path, response

ADMINISTRATOR = Credential("admin", "Harbor12345")
VERIFIED = Verification(RegistryKind.HARBOR, "v2.16.0", is_credential_verified=True)


def test_an_administrator_is_verified_and_no_credential_leaves_before_a_harbor_is_known(harbor: HarborDouble) -> None:
    assert done(harbor, HarborClient.verify) == VERIFIED
    assert asked(harbor) == ["GET /ping anonymous", "GET /users/current user", "GET /systeminfo user"]


def test_the_administrator_verifies_although_there_is_a_reader(harbor: HarborDouble) -> None:
    assert done(harbor, HarborClient.verify, reader=make_reader(harbor)) == VERIFIED
    assert harbor.calls.count(credential="robot") == 0


def test_an_administrator_by_the_identity_provider_is_one() -> None:
    transport = by_path(
        {
            "/api/v2.0/ping": recorded_response("harbor-2.16.0/system", "ping"),
            "/api/v2.0/users/current": response(200, b'{"username":"a","admin_role_in_auth":true}'),
            "/api/v2.0/systeminfo": recorded_response("harbor-2.16.0/system", "systeminfo, admin"),
        }
    )
    assert asyncio.run(_client(transport).verify()) == VERIFIED


def test_a_normal_user_is_told_what_to_do(harbor: HarborDouble) -> None:
    harbor.add_user("dev", "Dev12345")
    error = failure(harbor, HarborClient.verify, Credential("dev", "Dev12345"))
    assert type(error) is NotAnAdministrator
    assert "no administrator" in error.message
    assert "Set as Admin" in error.message


def test_a_robot_is_told_what_to_do(harbor: HarborDouble) -> None:
    name, secret = harbor.create_robot("all", {"/": "project:list"})
    error = failure(harbor, HarborClient.verify, Credential(name, secret))
    assert type(error) is NotAnAdministrator
    assert "robot account" in error.message
    assert "administrator" in error.message


@pytest.mark.parametrize("credential", [Credential("admin", "wrong-one"), Credential("mallory", "wrong-one")])
def test_a_wrong_password_is_sent_once(harbor: HarborDouble, credential: Credential) -> None:
    error = failure(harbor, HarborClient.verify, credential)
    assert (type(error), error.http_status) == (CredentialRejected, 401)
    assert asked(harbor) == ["GET /ping anonymous", "GET /users/current refused"]


def test_without_a_credential_none_is_sent(harbor: HarborDouble) -> None:
    transport = by_path({"/api/v2.0/ping": recorded_response("harbor-2.16.0/system", "ping")})
    with pytest.raises(CredentialRejected) as caught:
        asyncio.run(_client(transport, None).verify())
    assert "administrator" in caught.value.message
    assert transport.asked == ["GET /api/v2.0/ping"]


def test_a_docker_registry_is_named() -> None:
    not_found = response(404, b"404 page not found\n")
    transport = by_path(
        {
            "/api/v2.0/ping": not_found,
            "/api/v2.0/systeminfo": not_found,
            "/v2/": recorded_response("distribution-2.8.2/ping", "GET /v2/"),
        }
    )
    with pytest.raises(OtherKind) as caught:
        asyncio.run(_client(transport).verify())
    assert "Docker Registry" in caught.value.message
    assert all("Authorization" not in request.headers for request in transport.requests)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (response(404, b"404 page not found\n"), UnexpectedAnswer, "There is no Harbor"),
        (response(200, b"<html>"), UnexpectedAnswer, "There is no Harbor"),
        (response(400, b"Client sent an HTTP request to an HTTPS server.\n"), UnexpectedAnswer, "https://"),
        (response(502), ComponentUnhealthy, "502"),
    ],
)
def test_what_is_no_harbor_gets_no_password(answer: RegistryResponse, kind: type[Exception], words: str) -> None:
    transport = ScriptedTransport(lambda _: answer)
    with pytest.raises(kind, match=words) as caught:
        asyncio.run(_client(transport).verify())
    assert type(caught.value) is kind
    assert all("Authorization" not in request.headers for request in transport.requests)


def test_a_web_page_in_front_is_no_administrator(harbor: HarborDouble) -> None:
    harbor.lie(Lie.HTML_IN_FRONT, "/api/v2.0/users")
    error = failure(harbor, HarborClient.verify)
    assert type(error) is UnexpectedAnswer
    assert "web page" in error.message


def test_behind_a_path_prefix_and_tls_of_its_own() -> None:
    with running_harbor(path_prefix="/some/harbor", tls=trustme.CA()) as harbor:
        assert harbor.url.endswith("/some/harbor")
        assert done(harbor, HarborClient.verify) == VERIFIED
        harbor.create_project("team")
        assert [space.name for space in done(harbor, HarborClient.list_spaces)] == ["library", "team"]


def _client(transport: ScriptedTransport, credential: Credential | None = ADMINISTRATOR) -> HarborClient:
    return HarborClient(RegistryEndpoint(URL("https://harbor.test")), credential, transport, TransportSettings())


def test_closing_closes_the_transport() -> None:
    transport = by_path({})
    asyncio.run(_client(transport).aclose())
    assert transport.is_closed


def test_neither_request_nor_answer_shows_its_secrets() -> None:
    transport = by_path({"/api/v2.0/ping": response(200, b"Pong"), "/api/v2.0/users/current": response(401)})
    with pytest.raises(CredentialRejected):
        asyncio.run(_client(transport).verify())
    sent = replace(transport.requests[-1], body=b"hidden")
    assert sent.headers["Authorization"].startswith("Basic ")
    assert "Basic" not in repr(sent)
    assert "hidden" not in repr(sent)
