"""Sizes: in all, and of each project."""

import asyncio

import pytest
from yarl import URL

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import CredentialRejected, NotAnAdministrator
from registry_clients.harbor.client import HarborClient
from registry_clients.records import FoundSpace, SpaceSummary
from registry_clients.transport import TransportSettings
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import asked, done, failure, make_reader
from tests.registry_clients.scripted_transport import ScriptedTransport, response


def test_statistics_are_the_administrators(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    harbor.create_project("team")
    harbor.push("team/app", "1")
    statistics = done(harbor, HarborClient.read_storage_statistics, reader)
    assert (statistics.space_count, statistics.repository_count) == (2, 1)
    assert statistics.storage_bytes > 0
    assert asked(harbor) == ["GET /statistics user"]


def test_zeros_that_are_told_to_others_are_not_shown(harbor: HarborDouble) -> None:
    harbor.add_user("dev", "Dev12345")
    error = failure(harbor, HarborClient.read_storage_statistics, Credential("dev", "Dev12345"))
    assert type(error) is NotAnAdministrator


@pytest.mark.parametrize("has_reader", [True, False])
def test_a_project_by_its_id(harbor: HarborDouble, has_reader: bool) -> None:
    reader = make_reader(harbor) if has_reader else None
    space = FoundSpace(str(harbor.create_project("4711", limit_bytes=2**40)), "4711", is_public=False)
    harbor.push("4711/app", "1")
    summary = done(harbor, lambda client: client.summarize_space(space), reader)
    assert summary is not None
    assert (summary.repository_count, summary.quota_limit_bytes) == (1, 2**40)
    assert summary.quota_used_bytes
    assert asked(harbor) == [f"GET /projects/{{project}}/summary {'robot' if has_reader else 'user'}"]
    harbor.set_quota("4711", -1)
    unlimited = done(harbor, lambda client: client.summarize_space(space), reader)
    assert unlimited == SpaceSummary(1, summary.quota_used_bytes, None)


@pytest.mark.parametrize("has_reader", [True, False])
def test_a_project_that_is_gone_or_made_again(harbor: HarborDouble, has_reader: bool) -> None:
    reader = make_reader(harbor) if has_reader else None
    space = FoundSpace(str(harbor.create_project("team")), "team", is_public=False)
    harbor.delete_project("team")
    assert done(harbor, lambda client: client.summarize_space(space), reader) is None
    harbor.create_project("team")
    assert done(harbor, lambda client: client.summarize_space(space), reader) is None


def test_a_reader_that_was_cut_is_no_project_that_is_gone(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    space = FoundSpace(str(harbor.create_project("team")), "team", is_public=False)
    harbor.set_robot_permissions(reader.username, {"/": "project:list robot:list", "*": "quota:read"})
    error = failure(harbor, lambda client: client.summarize_space(space), reader=reader)
    assert type(error) is CredentialRejected


def test_a_project_that_stands_and_is_not_told_of_is_no_project_that_is_gone() -> None:
    answers = iter([response(403), response(200, b'{"project_id":7,"name":"team"}')])
    transport, endpoint = ScriptedTransport(lambda _: next(answers)), RegistryEndpoint(URL("https://harbor.test"))
    administrator, reader = Credential("admin", "Harbor12345"), Credential("robot$reader", "Aa1-robots-own")
    client = HarborClient(endpoint, administrator, transport, TransportSettings(), reader)
    with pytest.raises(CredentialRejected):
        asyncio.run(client.summarize_space(FoundSpace("7", "team", is_public=False)))
