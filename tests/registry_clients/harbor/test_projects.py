"""Projects as spaces, all of them or an error."""

import asyncio
import json

import pytest
from yarl import URL

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import CredentialRejected, UnexpectedAnswer
from registry_clients.harbor.client import HarborClient
from registry_clients.harbor.robots import READER_GRANTS, permissions_body
from registry_clients.records import FoundSpace
from registry_clients.transport import RegistryResponse, TransportSettings
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import Do, asked, done, failure, make_reader
from tests.registry_clients.scripted_transport import ScriptedTransport, response

LIBRARY = FoundSpace("1", "library", is_public=True)


def test_projects_are_read_by_the_reader_with_their_visibility(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    team, shop = harbor.create_project("team"), harbor.create_project("shop", is_public=True)
    assert done(harbor, HarborClient.list_spaces, reader) == (
        LIBRARY,
        FoundSpace(str(shop), "shop", is_public=True),
        FoundSpace(str(team), "team", is_public=False),
    )
    assert asked(harbor) == ["GET /robots robot", "GET /projects robot"]


@pytest.mark.parametrize(("text", "is_public"), [("TRUE", True), ("True", True), ("maybe", False), ("false", False)])
def test_visibility_as_harbor_reads_it(harbor: HarborDouble, text: str, is_public: bool) -> None:
    harbor.create_project("odd")
    harbor.set_public("odd", text)
    assert [space.is_public for space in done(harbor, HarborClient.list_spaces)] == [True, is_public]


def test_missing_visibility_is_private(harbor: HarborDouble) -> None:
    harbor.create_project("odd", is_public=True)
    harbor.forget_visibility("odd")
    assert [space.is_public for space in done(harbor, HarborClient.list_spaces)] == [True, False]


@pytest.mark.parametrize("name", ["4711", "1", "a.b", "a_b-c", "x" * 255])
def test_odd_names_are_looked_at_by_name(harbor: HarborDouble, name: str) -> None:
    project = FoundSpace(str(harbor.create_project(name)), name, is_public=False)
    assert done(harbor, lambda client: client.look_at_space(name)) == project
    assert done(harbor, lambda client: client.look_at_space(name), make_reader(harbor)) == project
    harbor.delete_project(name)
    assert done(harbor, lambda client: client.look_at_space(name)) is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_what_no_project_is_called_is_not_asked_for(harbor: HarborDouble, name: str) -> None:
    assert done(harbor, lambda client: client.look_at_space(name)) is None
    assert asked(harbor) == []


def test_to_a_reader_gone_is_told_from_forbidden(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    assert done(harbor, lambda client: client.look_at_space("nowhere"), reader) is None
    assert asked(harbor) == ["GET /projects/{project} robot", "GET /robots robot", "GET /projects robot"]
    harbor.create_project("team")
    harbor.set_robot_permissions(reader.username, {"/": "project:list robot:list robot:read"})
    error = failure(harbor, lambda client: client.look_at_space("team"), reader=reader)
    assert type(error) is CredentialRejected
    assert "permissions were cut" in error.message


def test_a_reader_that_was_cut_gives_no_part_of_the_list(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    harbor.create_project("team")
    harbor.set_robot_permissions(reader.username, {"/": "robot:list robot:read", "*": "project:read"})
    error = failure(harbor, HarborClient.list_spaces, reader=reader)
    assert (type(error), "permissions were cut" in error.message) == (CredentialRejected, True)
    assert harbor.calls.count(template="/projects") == 0


def test_the_rights_of_another_robot_are_not_ours() -> None:
    ours, other = (f"robot$integrated-registry-reader-ff-0000000{number}" for number in (1, 2))
    robots = [
        {"id": 1, "name": ours, "expires_at": -1, "permissions": []},
        {"id": 2, "name": other, "expires_at": -1, "permissions": permissions_body(READER_GRANTS)},
    ]

    async def listed(reader: str) -> None:
        transport = ScriptedTransport(
            lambda request: response(200, json.dumps(robots).encode() if request.url.name == "robots" else b"[]")
        )
        endpoint, administrator = RegistryEndpoint(URL("https://harbor.test")), Credential("admin", "x")
        client = HarborClient(endpoint, administrator, transport, TransportSettings(), Credential(reader, "y"))
        assert await client.list_spaces() == ()

    asyncio.run(listed(other))
    with pytest.raises(CredentialRejected, match="permissions were cut"):
        asyncio.run(listed(ours))


TEAM = FoundSpace("7", "team", is_public=False)


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.look_at_space("team"),
        lambda client: client.look_at_repositories(TEAM),
        lambda client: client.summarize_space(TEAM),
        lambda client: client.list_artifacts("team/app"),
        lambda client: client.look_at_reader("7"),
        lambda client: client.delete_space(TEAM),
        lambda client: client.newest_change(),
    ],
)
@pytest.mark.parametrize("body", [b"404 page not found\n", b"<html>", b"", b'{"message":"no Route matched"}'])
def test_a_404_that_is_not_harbors_is_no_deletion(ask: Do[object], body: bytes) -> None:
    async def run() -> None:
        transport = ScriptedTransport(lambda _: response(404, body))
        endpoint, credential = RegistryEndpoint(URL("https://harbor.test")), Credential("admin", "x")
        await ask(HarborClient(endpoint, credential, transport, TransportSettings()))

    with pytest.raises(UnexpectedAnswer, match="There is no Harbor"):
        asyncio.run(run())


def test_another_project_than_was_asked_for_is_noticed() -> None:
    asyncio.run(_look_at("team", response(200, b'{"project_id":7,"name":"team"}')))
    with pytest.raises(UnexpectedAnswer, match="another project"):
        asyncio.run(_look_at("team", response(200, b'{"project_id":7,"name":"other"}')))


@pytest.mark.parametrize(
    "projects", [b'[{"project_id":7,"name":"a"},{"project_id":8,"name":"team"}]', b'[{"project_id":7,"name":"a"}]']
)
def test_a_filter_that_was_ignored_is_noticed(projects: bytes) -> None:
    reader = Credential("robot$reader", "x")
    with pytest.raises(UnexpectedAnswer, match="another project"):
        asyncio.run(_look_at("team", response(403), response(200, projects), reader=reader))


async def _look_at(name: str, *answers: RegistryResponse, reader: Credential | None = None) -> FoundSpace | None:
    left = iter(answers)
    endpoint, administrator = RegistryEndpoint(URL("https://harbor.test")), Credential("admin", "x")
    transport = ScriptedTransport(lambda _: next(left))
    return await HarborClient(endpoint, administrator, transport, TransportSettings(), reader).look_at_space(name)
