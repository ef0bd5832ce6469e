"""Repositories of one project and of all, with what belongs to a project of the same name left out."""

from datetime import UTC, datetime, timedelta

import pytest

from registry_clients.errors import CredentialRejected
from registry_clients.harbor.client import HarborClient
from registry_clients.records import FoundRepository, FoundSpace, RegistryContents
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import asked, done, failure, make_reader


def shape(repositories: tuple[FoundRepository, ...]) -> list[tuple[str, str, int | None, int | None]]:
    for repository in repositories:
        assert repository.updated_at is not None
        assert abs(datetime.now(UTC) - repository.updated_at) < timedelta(minutes=5)
    return [(found.name, found.space_external_id, found.artifact_count, found.pull_count) for found in repositories]


@pytest.mark.parametrize("has_reader", [True, False])
def test_contents_in_two_lists(harbor: HarborDouble, has_reader: bool) -> None:
    reader = make_reader(harbor) if has_reader else None
    team, digits = str(harbor.create_project("team")), str(harbor.create_project("4711"))
    harbor.push("team/app/web", "1.0")
    harbor.push("team/app/web", "1.1")
    harbor.pull("team/app/web", "1.0")
    harbor.push("team/api", "1")
    harbor.push("4711/deep/er/one", "1")
    everything = [("4711/deep/er/one", digits, 1, 0), ("team/api", team, 1, 0), ("team/app/web", team, 2, 1)]
    contents = done(harbor, HarborClient.list_contents, reader)
    assert shape(contents.repositories) == everything
    assert [space.name for space in contents.spaces] == ["4711", "library", "team"]
    assert harbor.calls.count(template="/projects") == harbor.calls.count(template="/repositories") == 1
    assert shape(done(harbor, HarborClient.list_repositories, reader)) == everything
    of_digits = FoundSpace(digits, "4711", is_public=False)
    assert shape(done(harbor, lambda client: client.list_repositories(of_digits), reader)) == everything[:1]
    assert shape(done(harbor, lambda client: client.look_at_repositories(of_digits), reader)) == everything[:1]
    assert harbor.calls.count(credential="user" if has_reader else "robot") == 0


@pytest.mark.parametrize("has_reader", [True, False])
def test_a_project_that_is_gone_has_none(harbor: HarborDouble, has_reader: bool) -> None:
    reader = make_reader(harbor) if has_reader else None
    gone = FoundSpace("99", "gone", is_public=False)
    assert done(harbor, lambda client: client.look_at_repositories(gone), reader) == ()


def test_another_project_of_the_same_name_is_not_looked_into(harbor: HarborDouble) -> None:
    old = FoundSpace(str(harbor.create_project("team")), "team", is_public=False)
    harbor.delete_project("team")
    harbor.create_project("team")
    harbor.push("team/app", "1")
    assert done(harbor, lambda client: client.look_at_repositories(old)) == ()


def test_a_reader_that_may_not_list_is_no_empty_project(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    team = FoundSpace(str(harbor.create_project("team")), "team", is_public=False)
    harbor.push("team/app", "1")
    harbor.set_robot_permissions(reader.username, {"/": "project:list robot:list robot:read", "*": "project:read"})
    error = failure(harbor, lambda client: client.look_at_repositories(team), reader=reader)
    assert (type(error), error.http_status) == (CredentialRejected, 403)
    assert type(failure(harbor, HarborClient.list_contents, reader=reader)) is CredentialRejected


def test_no_repository_is_without_its_project(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "1")

    def delete_meanwhile(*_: object) -> None:
        if any(call.template.endswith("/repositories") for call in harbor.calls.all):
            harbor.before_each_call(None)
            harbor.delete_project("team")

    harbor.before_each_call(delete_meanwhile)
    assert done(harbor, HarborClient.list_contents) == RegistryContents(
        spaces=(FoundSpace("1", "library", is_public=True),), repositories=()
    )
    assert asked(harbor) == ["GET /repositories user", "GET /projects user"]
