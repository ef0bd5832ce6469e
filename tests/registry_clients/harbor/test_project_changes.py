"""Making, opening, closing and deleting projects, and each refusal by its type."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from yarl import URL

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import CredentialRejected, ReadOnly, RegistryError, UnexpectedAnswer
from registry_clients.harbor.client import HarborClient
from registry_clients.records import FoundSpace
from registry_clients.refusals import (
    QuotaExceeded,
    SpaceGone,
    SpaceNameHeld,
    SpaceNotAccepted,
    SpaceNotEmpty,
    SpaceRefused,
)
from registry_clients.transport import RegistryResponse, TransportSettings
from tests.doubles.harbor.server import HarborDouble
from tests.recordings.recording import recorded_response
from tests.registry_clients.harbor.harbor_client import Do, asked, done, failure, make_reader
from tests.registry_clients.scripted_transport import ScriptedTransport, response

NAMES = ["Rec", "rec one", "", "-rec", "rec--one", "rec.", "räk", "x" * 256]


def create(name: str, limit: int | None = None) -> Do[FoundSpace]:
    return lambda client: client.create_space(name, is_public=False, quota_limit_bytes=limit)


def refusal(harbor: HarborDouble, do: Do[object]) -> SpaceRefused:
    with pytest.raises(SpaceRefused) as caught:
        done(harbor, do)
    return caught.value


@pytest.mark.parametrize("name", ["team", "4711", "a.b_c-d", "x" * 255])
@pytest.mark.parametrize("is_public", [True, False])
def test_a_project_is_made_as_the_administrator(harbor: HarborDouble, name: str, is_public: bool) -> None:
    reader = make_reader(harbor)
    made = done(harbor, lambda client: client.create_space(name, is_public=is_public), reader)
    assert asked(harbor) == ["POST /projects user"]
    assert (made.name, made.is_public) == (name, is_public)
    assert done(harbor, lambda client: client.look_at_space(name), reader) == made


def test_with_a_limit(harbor: HarborDouble) -> None:
    made = done(harbor, create("team", 2**40))
    summary = done(harbor, lambda client: client.summarize_space(made))
    assert summary is not None
    assert summary.quota_limit_bytes == 2**40


def test_a_name_that_is_held(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    error = refusal(harbor, create("team"))
    assert type(error) is SpaceNameHeld
    assert error.name == "team"
    assert error.registry_message == "CONFLICT: The project named team already exists"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_none(harbor: HarborDouble, name: str) -> None:
    error = refusal(harbor, create(name))
    assert (type(error), error.name) == (SpaceNotAccepted, name)
    assert [space.name for space in done(harbor, HarborClient.list_spaces)] == ["library"]


def test_a_limit_that_is_none(harbor: HarborDouble) -> None:
    error = refusal(harbor, create("team", -2))
    assert type(error) is SpaceNotAccepted
    assert "-2" in (error.registry_message or "")


@pytest.mark.parametrize("name", ["team", "4711"])
def test_visibility_goes_by_the_id(harbor: HarborDouble, name: str) -> None:
    space = FoundSpace(str(harbor.create_project(name)), name, is_public=False)
    for is_public in (True, False):
        done(harbor, partial(HarborClient.set_visibility, space=space, is_public=is_public))
        present = done(harbor, lambda client: client.look_at_space(name))
        assert present == FoundSpace(space.external_id, name, is_public=is_public)


def test_one_of_the_same_name_is_not_touched(harbor: HarborDouble) -> None:
    old = FoundSpace(str(harbor.create_project("team")), "team", is_public=False)
    harbor.delete_project("team")
    harbor.create_project("team")
    assert type(refusal(harbor, lambda client: client.set_visibility(old, is_public=True))) is SpaceGone
    assert type(refusal(harbor, lambda client: client.delete_space(old))) is SpaceGone
    present = done(harbor, lambda client: client.look_at_space("team"))
    assert present is not None
    assert not present.is_public


def test_one_that_holds_a_repository_stays(harbor: HarborDouble) -> None:
    space = FoundSpace(str(harbor.create_project("team")), "team", is_public=False)
    digest = harbor.push("team/app", "1")
    assert type(refusal(harbor, lambda client: client.delete_space(space))) is SpaceNotEmpty
    harbor.delete_artifact("team/app", digest)
    assert type(refusal(harbor, lambda client: client.delete_space(space))) is SpaceNotEmpty
    harbor.delete_repository("team/app")
    done(harbor, lambda client: client.delete_space(space))
    assert done(harbor, lambda client: client.look_at_space("team")) is None


WRITES: list[Callable[[FoundSpace], Do[object]]] = [
    lambda _: create("other"),
    lambda space: lambda client: client.set_visibility(space, is_public=True),
    lambda space: lambda client: client.delete_space(space),
    lambda _: lambda client: client.remove_stray_readers("0123456789abcdef", None),
]


@pytest.mark.parametrize("write", WRITES)
def test_read_only_mode_is_read_only(harbor: HarborDouble, write: Callable[[FoundSpace], Do[object]]) -> None:
    space = FoundSpace(str(harbor.create_project("team")), "team", is_public=False)
    make_reader(harbor)
    harbor.set_read_only(True)
    error: RegistryError = failure(harbor, write(space))
    assert (type(error), error.http_status) == (ReadOnly, 403)
    assert "read-only" in error.message


def scripted(answer: RegistryResponse) -> HarborClient:
    endpoint = RegistryEndpoint(URL("https://harbor.test"))
    return HarborClient(
        endpoint, Credential("admin", "Harbor12345"), ScriptedTransport(lambda _: answer), TransportSettings()
    )


def test_a_limit_on_storage_that_forbids_it_is_no_matter_of_the_credential() -> None:
    answer = recorded_response("harbor-2.16.0/quotas", "push past the limit: finish the upload")
    with pytest.raises(QuotaExceeded) as caught:
        asyncio.run(scripted(answer).create_space("team", is_public=False))
    assert caught.value.name == "team"
    assert "1.4 MiB" in (caught.value.registry_message or "")


def test_a_user_who_may_not_is_a_matter_of_the_credential() -> None:
    answer = recorded_response("harbor-2.16.0/projects_change_delete", "delete as a user who is no member")
    space = FoundSpace("7", "team", is_public=False)
    with pytest.raises(CredentialRejected):
        asyncio.run(scripted(answer).delete_space(space))


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "/api/v2.0/projects/team"}])
def test_a_project_made_without_an_id_is_an_unexpected_answer(headers: dict[str, str]) -> None:
    with pytest.raises(UnexpectedAnswer, match="doesn't tell its id"):
        asyncio.run(scripted(response(201, b"", **headers)).create_space("team", is_public=False))
