"""Statuses become errors: those that were recorded, and those of what stands in front."""

import asyncio

import pytest
from yarl import URL

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.error_bodies import registry_message
from registry_clients.errors import ComponentUnhealthy, CredentialRejected, ReadOnly, RegistryError, UnexpectedAnswer
from registry_clients.harbor.client import HarborClient
from registry_clients.harbor.refusals import is_own_not_found, refusal_of
from registry_clients.transport import RegistryResponse, TransportSettings
from tests.recordings.recording import recorded_response
from tests.registry_clients.scripted_transport import ScriptedTransport, response

HOST = "harbor.test"


def refused(answer: RegistryResponse, *, is_reader: bool = False) -> RegistryError:
    words = registry_message(answer.body, answer.headers.get("Content-Type", ""))
    return refusal_of(answer, words, HOST, is_reader=is_reader)


@pytest.mark.parametrize(
    ("name", "what", "kind", "words"),
    [
        ("authentication", "users/current, nobody", CredentialRejected, "does not accept"),
        ("quotas", "the sweep, a pull robot", CredentialRejected, "does not let"),
        ("read_only", "make a project", ReadOnly, "read-only mode"),
        ("authentication", "POST with basic and the session cookie", UnexpectedAnswer, "cookies"),
        ("search_and_errors", "a path that is nothing at all (the portal answers)", UnexpectedAnswer, "no Harbor"),
        ("robots_manage", "one that is not there", UnexpectedAnswer, "doesn't know"),
        ("search_and_errors", "malformed JSON", UnexpectedAnswer, "422"),
        ("projects_create", "duplicate", UnexpectedAnswer, "409"),
        ("projects_change_delete", "delete one that holds a repository", UnexpectedAnswer, "412"),
        ("robots_manage", "create: name: 300 letters", ComponentUnhealthy, "fails inside"),
        ("health_registry_down", "pull a manifest", ComponentUnhealthy, "502"),
    ],
)
def test_as_recorded(name: str, what: str, kind: type[RegistryError], words: str) -> None:
    answer = recorded_response(f"harbor-2.16.0/{name}", what)
    error = refused(answer)
    assert type(error) is kind
    assert words in error.message
    assert error.http_status == answer.status
    assert error.message.count(HOST) == 1


def test_harbors_words_are_for_administrators() -> None:
    error = refused(recorded_response("harbor-2.16.0/projects_create", "duplicate"))
    assert error.registry_message == "CONFLICT: The project named rec-one already exists"
    assert "rec-one" not in error.message


@pytest.mark.parametrize(("status", "words"), [(401, "any more"), (403, "our reader robot")])
def test_the_reader_is_named_where_it_asked(status: int, words: str) -> None:
    assert words in refused(response(status), is_reader=True).message
    assert "robot" not in refused(response(status)).message


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (response(429), UnexpectedAnswer, "too many"),
        (response(503, b"<html>"), ComponentUnhealthy, "503"),
        (response(504), ComponentUnhealthy, "504"),
        (response(418), UnexpectedAnswer, "418"),
        (response(400, b"Client sent an HTTP request to an HTTPS server.\n"), UnexpectedAnswer, "https://"),
    ],
)
def test_of_what_stands_in_front(answer: RegistryResponse, kind: type[RegistryError], words: str) -> None:
    error = refused(answer)
    assert type(error) is kind
    assert words in error.message


@pytest.mark.parametrize(
    ("body", "is_own"),
    [
        (b'{"errors":[{"code":"NOT_FOUND","message":"project a not found"}]}', True),
        (b'{"code":404,"message":"path /api/v2.0/auditlog-exts was not found"}', True),
        (b'{"message":"no Route matched with those values"}', False),
        (b'{"code":404,"message":"no such site"}', False),
        (b"404 page not found", False),
        (b"<html>", False),
        (b"", False),
        (b"[]", False),
    ],
)
def test_whose_404_it_is(body: bytes, is_own: bool) -> None:
    assert is_own_not_found(response(404, body)) is is_own


def test_a_password_that_harbor_repeats_is_taken_out() -> None:
    administrator, reader = Credential("admin", "Harbor12345"), Credential("robot$r", "Aa1-robots-own")
    body = b'{"errors":[{"code":"DENIED","message":"no: Harbor12345, no: Aa1-robots-own"}]}'

    async def ask() -> None:
        transport = ScriptedTransport(lambda _: response(403, body))
        endpoint = RegistryEndpoint(URL("https://harbor.test"))
        await HarborClient(endpoint, administrator, transport, TransportSettings(), reader).newest_change()

    with pytest.raises(CredentialRejected) as caught:
        asyncio.run(ask())
    assert caught.value.registry_message == "DENIED: no: •••, no: •••"


def test_a_password_that_is_a_word_of_harbors_changes_nothing() -> None:
    async def write() -> None:
        answer = recorded_response("harbor-2.16.0/read_only", "make a project")
        transport, endpoint = ScriptedTransport(lambda _: answer), RegistryEndpoint(URL("https://harbor.test"))
        client = HarborClient(endpoint, Credential("admin", "read only"), transport, TransportSettings())
        await client.create_space("team", is_public=False)

    with pytest.raises(ReadOnly) as caught:
        asyncio.run(write())
    assert "read only" not in (caught.value.registry_message or "")
