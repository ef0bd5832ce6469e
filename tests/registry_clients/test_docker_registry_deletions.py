"""Deleting at a Docker Registry, as both versions answer it."""

import asyncio

import pytest

from registry_clients.endpoint import Credential
from registry_clients.errors import (
    ComponentUnhealthy,
    CredentialRejected,
    ReadOnly,
    RegistryError,
    UnexpectedAnswer,
)
from registry_clients.protocol import DeletesArtifacts, DeletesRepositories, DeletesTags
from registry_clients.refusals import DeletionRefused, NoDeletion
from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import ALICE, BOTH, HOST, REALM, Do, client_over, failure_of
from tests.registry_clients.scripted_transport import ScriptedTransport, by_path, response, who

NAMED = f"sha256:{'1' * 64}"
BY_DIGEST = f"/v2/team/app/manifests/{NAMED}"
BY_TAG = "/v2/team/app/manifests/v1"
BOTH_CALLS = pytest.mark.parametrize(
    "do",
    [
        lambda client: client.delete_artifact("team/app", NAMED),
        lambda client: client.delete_tag("team/app", "v1"),
    ],
)


def always(answer: RegistryResponse) -> ScriptedTransport:
    return ScriptedTransport(lambda _: answer)


def refused(do: Do, answer: RegistryResponse, credential: Credential | None = None) -> DeletionRefused:
    with pytest.raises(DeletionRefused) as caught:
        asyncio.run(do(client_over(always(answer), credential)))
    return caught.value


def test_what_it_can_delete() -> None:
    client = client_over(by_path({}))
    assert isinstance(client, DeletesArtifacts)
    assert isinstance(client, DeletesTags)
    assert not isinstance(client, DeletesRepositories)


@BOTH
@pytest.mark.parametrize(
    "what", ["by digest: its tags go too", "the same again", "a digest nobody holds", "a missing repository"]
)
def test_an_artifact_goes_or_is_gone(version: str, what: str) -> None:
    transport = always(recorded_response(f"{version}/delete", what))
    asyncio.run(client_over(transport).delete_artifact("team/app", NAMED))
    assert transport.asked == [f"DELETE {BY_DIGEST}"]


@pytest.mark.parametrize("what", ["by tag", "a missing tag"])
def test_version_3_deletes_tags_alone(what: str) -> None:
    transport = always(recorded_response("distribution-3.1.2/delete", what))
    asyncio.run(client_over(transport).delete_tag("team/app", "v1"))
    assert transport.asked == [f"DELETE {BY_TAG}"]


@pytest.mark.parametrize("what", ["by tag", "a missing tag"])
def test_version_2_deletes_no_tag_alone(what: str) -> None:
    answer = recorded_response("distribution-2.8.2/delete", what)
    error = refused(lambda client: client.delete_tag("team/app", "v1"), answer)
    assert error.reason is NoDeletion.NOT_OFFERED
    assert error.message == f"{HOST} can delete whole artifacts only, with all their tags: its version is 2."
    assert error.registry_message == "DIGEST_INVALID: provided digest did not match uploaded content"


@BOTH
@BOTH_CALLS
@pytest.mark.parametrize(
    ("recording", "what"), [("delete_disabled", "manifest by digest"), ("mirror", "delete a manifest")]
)
def test_deletion_is_off(version: str, do: Do, recording: str, what: str) -> None:
    error = refused(do, recorded_response(f"{version}/{recording}", what))
    assert error.reason is NoDeletion.SWITCHED_OFF
    assert error.message == f"Deletion is switched off at {HOST}."
    assert error.registry_message == "UNSUPPORTED: The operation is unsupported."


@BOTH
@BOTH_CALLS
def test_a_registry_that_takes_no_writes(version: str, do: Do) -> None:
    error = failure_of(do, client_over(always(recorded_response(f"{version}/readonly", "delete a manifest"))))
    assert type(error) is ReadOnly
    assert (error.message, error.http_status) == (f"{HOST} is in read-only mode.", 405)
    assert error.registry_message == "Method not allowed"


@BOTH_CALLS
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (response(405, b"<html>", Content_Type="text/html"), UnexpectedAnswer),
        (response(404, b"<html>"), UnexpectedAnswer),
        (response(200, b"<html>sign in"), UnexpectedAnswer),
        (response(403), CredentialRejected),
        (response(500, b'{"errors":[{"code":"UNKNOWN"}]}'), ComponentUnhealthy),
        (response(502), ComponentUnhealthy),
        (response(400, b'{"errors":[{"code":"OTHER"}]}'), UnexpectedAnswer),
        (response(301, Location="/elsewhere"), UnexpectedAnswer),
    ],
)
def test_other_answers_are_said_for_what_they_are(do: Do, answer: RegistryResponse, kind: type[RegistryError]) -> None:
    assert type(failure_of(do, client_over(always(answer)))) is kind


def test_a_password_that_comes_back_is_taken_out() -> None:
    answer = response(405, b'{"errors":[{"code":"UNSUPPORTED","message":"not for alice:wonder"}]}')
    error = refused(lambda client: client.delete_artifact("team/app", NAMED), answer, ALICE)
    assert error.registry_message == "UNSUPPORTED: not for alice:•••"


@pytest.mark.parametrize(
    ("name", "digest", "tag"),
    [
        ("team/..", NAMED, "v1"),
        ("Team/App", NAMED, "v1"),
        ("", NAMED, "v1"),
        ("team/app", "v1", NAMED),
        ("team/app", "sha256:12", "a/b"),
        ("team/app", "", ""),
        ("team/app", f"{NAMED}/../{NAMED}", ".."),
    ],
)
def test_what_can_not_be_there_is_never_asked_for(name: str, digest: str, tag: str) -> None:
    client = client_over(by_path({}))
    asyncio.run(client.delete_artifact(name, digest))
    asyncio.run(client.delete_tag(name, tag))


@BOTH
def test_tokens_are_for_what_is_done_and_nothing_else(version: str) -> None:
    challenges = f"{version}/token_challenges"
    nothing = f"sha256:{'0' * 64}"
    what = {
        "GET": recorded_response(challenges, "GET /v2/team/app/tags/list without a token"),
        "DELETE": recorded_response(challenges, f"DELETE /v2/team/app/manifests/{nothing} without a token"),
    }
    asked: list[str] = []

    def script(request: RegistryRequest) -> RegistryResponse:
        if request.url.host == "auth.registry.test":
            asked.append(request.url.query["scope"])
            return response(200, b'{"token":"t"}')
        if not who(request):
            return what[request.method]
        return response(202) if request.method == "DELETE" else response(200, b'{"tags":[]}')

    async def run() -> None:
        client = client_over(transport, ALICE, token_realm=REALM)
        for repository in ("team/app", "team/other"):
            await client.list_tags(repository)
            await client.delete_artifact(repository, NAMED)

    transport = ScriptedTransport(script)
    asyncio.run(run())
    assert asked == [
        "repository:team/app:pull",
        "repository:team/app:delete",
        "repository:team/other:pull",
        "repository:team/other:delete",
    ]
    # The first repository's challenge is taken for the next one's.
    assert [request.url.path for request in transport.requests if not who(request)] == [
        "/v2/team/app/tags/list",
        BY_DIGEST,
    ]


def test_a_token_that_may_not_delete_says_so() -> None:
    def script(request: RegistryRequest) -> RegistryResponse:
        if request.url.path == "/token":
            return response(200, b'{"token":"t"}')
        return response(401, WWW_Authenticate='Bearer realm="http://registry.test/token",service="s"')

    error = failure_of(
        lambda client: client.delete_artifact("team/app", NAMED), client_over(ScriptedTransport(script), ALICE)
    )
    assert type(error) is CredentialRejected
    assert error.message == f"{HOST} does not let this user do what was asked (repository:team/app:delete)."
