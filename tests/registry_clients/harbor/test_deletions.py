"""Deleting artifacts, tags and repositories of a Harbor."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from registry_clients.endpoint import Credential
from registry_clients.errors import ComponentUnhealthy, CredentialRejected, ReadOnly, UnexpectedAnswer
from registry_clients.harbor.client import HarborClient
from registry_clients.protocol import DeletesArtifacts, DeletesRepositories, DeletesTags
from registry_clients.refusals import DeletionRefused, NoDeletion
from tests.doubles.harbor.images import Platform, made_image, made_index
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import asked, done, failure, make_reader

NOTHING = f"sha256:{'0' * 64}"
ONE = "/projects/{project}/repositories/{repository}"

Do = Callable[[HarborClient], Coroutine[Any, Any, object]]


def refused(harbor: HarborDouble, do: Do) -> DeletionRefused:
    with pytest.raises(DeletionRefused) as caught:
        done(harbor, do)
    assert harbor.administrator[1] not in f"{caught.value.message} {caught.value.registry_message}"
    return caught.value


def held(harbor: HarborDouble, project: str) -> dict[str, dict[str, list[str]]]:
    """Return what is in a project: tags by digest, by repository."""
    with harbor.paused() as state:
        found = state.project_named(project)
        assert found is not None
        return {
            name: {one.image.digest: [tag.name for tag in one.tags] for one in repository.artifacts}
            for name, repository in found.repositories.items()
        }


@pytest.fixture
def team(harbor: HarborDouble) -> HarborDouble:
    harbor.create_project("team")
    return harbor


def test_a_harbor_deletes_all_three() -> None:
    for protocol in (DeletesArtifacts, DeletesTags, DeletesRepositories):
        assert issubclass(HarborClient, protocol)


@pytest.mark.parametrize("name", ["web", "app/web", "deep/er/still/one", "a.b/c__d/e--f"])
def test_an_artifact_goes_with_its_tags(team: HarborDouble, name: str) -> None:
    image, other = made_image("one"), made_image("other")
    for tag in ("1.0", "latest"):
        team.push(f"team/{name}", tag, image)
    team.push(f"team/{name}", "2.0", other)
    reader = make_reader(team)
    done(team, lambda client: client.delete_artifact(f"team/{name}", image.digest), reader)
    assert held(team, "team") == {name: {other.digest: ["2.0"]}}
    assert asked(team) == [f"DELETE {ONE}/artifacts/{{reference}} user"]


def test_a_tag_goes_alone(team: HarborDouble) -> None:
    image = made_image("one")
    for tag in ("1.0", "latest"):
        team.push("team/app/web", tag, image)
    for left in (["1.0"], []):
        tag = "latest" if left else "1.0"
        done(team, lambda client, tag=tag: client.delete_tag("team/app/web", tag))  # type: ignore[misc]
        assert held(team, "team") == {"app/web": {image.digest: left}}
    assert asked(team) == [f"DELETE {ONE}/artifacts/{{reference}}/tags/{{tag}} user"] * 2


def test_a_repository_goes_with_all_that_it_holds(team: HarborDouble) -> None:
    for tag in ("1", "2"):
        team.push("team/app/web", tag)
    kept = team.push("team/app", "1")
    done(team, lambda client: client.delete_repository("team/app/web"))
    assert held(team, "team") == {"app": {kept: ["1"]}}
    assert asked(team) == [f"DELETE {ONE} user"]


GONE: list[Do] = [
    lambda client: client.delete_artifact("team/app", NOTHING),
    lambda client: client.delete_artifact("team/nothing", NOTHING),
    lambda client: client.delete_artifact("nowhere/app", NOTHING),
    lambda client: client.delete_tag("team/app", "nothing"),
    lambda client: client.delete_tag("team/nothing", "1"),
    lambda client: client.delete_tag("nowhere/app", "1"),
    lambda client: client.delete_repository("team/nothing"),
    lambda client: client.delete_repository("nowhere/app"),
]


@pytest.mark.parametrize("do", GONE)
@pytest.mark.parametrize("has_reader", [True, False])
def test_what_is_gone_is_done(team: HarborDouble, do: Do, has_reader: bool) -> None:
    digest = team.push("team/app", "1")
    done(team, do, make_reader(team) if has_reader else None)
    assert held(team, "team") == {"app": {digest: ["1"]}}


@pytest.mark.parametrize(
    "do",
    [
        lambda client: client.delete_artifact("team/..", NOTHING),
        lambda client: client.delete_artifact("team", NOTHING),
        lambda client: client.delete_artifact("team/app", "1"),
        lambda client: client.delete_artifact("team/app", ""),
        lambda client: client.delete_tag("team/app", ".."),
        lambda client: client.delete_tag("team/app", NOTHING),
        lambda client: client.delete_tag("team/", "1"),
        lambda client: client.delete_repository("team/"),
        lambda client: client.delete_repository("team"),
        lambda client: client.delete_repository("team/../other"),
        lambda client: client.delete_repository("team/a%2Fb"),
    ],
)
def test_what_can_not_be_there_is_never_asked_for(team: HarborDouble, do: Do) -> None:
    team.push("team/app", "1")
    done(team, do)
    assert asked(team) == []


def test_a_tag_that_a_rule_keeps_keeps_all_around_it(team: HarborDouble) -> None:
    digest = team.push("team/app", "v1.0")
    team.keep_tags("team", "v*")
    before = held(team, "team")
    attempts: list[Do] = [
        lambda client: client.delete_tag("team/app", "v1.0"),
        lambda client: client.delete_artifact("team/app", digest),
        lambda client: client.delete_repository("team/app"),
    ]
    for do in attempts:
        error = refused(team, do)
        assert error.reason is NoDeletion.IMMUTABLE
        assert error.message == f"A rule at 127.0.0.1:{team.port} keeps a tag of it: it is immutable."
        assert error.registry_message == "PRECONDITION: the tag v1.0 configured as immutable, cannot be deleted"
    assert held(team, "team") == before
    found = done(team, lambda client: client.look_at_artifact("team/app", "v1.0"))
    assert found is not None
    assert [(tag.name, tag.is_immutable) for tag in found.tags] == [("v1.0", True)]
    # Where no rule is about it, it goes.
    team.push("team/app", "dev", made_image("dev"))
    done(team, lambda client: client.delete_tag("team/app", "dev"))


def test_an_image_that_an_index_needs_stays(team: HarborDouble) -> None:
    image, tagged = made_image("amd64"), made_image("arm64")
    index = made_index({Platform("amd64"): image, Platform("arm64"): tagged})
    team.push("team/app", "1", index)
    team.push("team/app", "arm", tagged)
    error = refused(team, lambda client: client.delete_artifact("team/app", image.digest))
    assert error.reason is NoDeletion.IN_USE
    assert error.message == f"Something else at 127.0.0.1:{team.port} needs it: delete that first."
    assert error.registry_message == ("VIOLATE_FOREIGN_KEY_CONSTRAINT: the deleting artifact is referenced by others")
    done(team, lambda client: client.delete_artifact("team/app", index.digest))
    assert held(team, "team") == {"app": {tagged.digest: ["arm"]}}


@pytest.mark.parametrize(
    "do",
    [
        lambda client: client.delete_artifact("team/app", NOTHING),
        lambda client: client.delete_tag("team/app", "1"),
        lambda client: client.delete_repository("team/app"),
    ],
)
def test_read_only_mode(team: HarborDouble, do: Do) -> None:
    team.push("team/app", "1")
    team.set_read_only(True)
    error = failure(team, do)
    assert type(error) is ReadOnly
    assert error.registry_message == ("DENIED: The system is in read only mode. Any modification is prohibited.")
    assert len(asked(team)) == 1


def test_404_is_not_gone_where_it_still_stands(team: HarborDouble) -> None:
    with team.paused() as state:
        state.change_settings({"quota_per_project_enable": False})
    team.create_project("unmetered")
    with team.paused() as state:
        state.change_settings({"quota_per_project_enable": True})
    digest = team.push("unmetered/app", "1")
    error = refused(team, lambda client: client.delete_repository("unmetered/app"))
    assert error.reason is NoDeletion.OTHER
    assert error.message == f"127.0.0.1:{team.port} doesn't delete it."
    assert error.registry_message is not None
    assert error.registry_message.startswith("NOT_FOUND: quota not found for (project, ")
    assert held(team, "unmetered") == {"app": {digest: ["1"]}}


@pytest.mark.parametrize("do", GONE[::3])
def test_a_page_in_front_is_no_word_of_harbors(team: HarborDouble, do: Do) -> None:
    team.lie(Lie.HTML_IN_FRONT, "/api/", "DELETE")
    error = failure(team, do)
    assert type(error) is UnexpectedAnswer
    assert error.message == f"127.0.0.1:{team.port} answers a deletion with a page: was it asked at all?"


def test_who_is_no_administrator_may_not(team: HarborDouble) -> None:
    digest = team.push("team/app", "1")
    team.add_user("dev", "Secret1word")
    dev = Credential("dev", "Secret1word")
    error = failure(team, lambda client: client.delete_artifact("team/app", digest), credential=dev)
    assert (type(error), error.http_status) == (CredentialRejected, 403)
    assert held(team, "team") == {"app": {digest: ["1"]}}


def test_words_of_refusals_hold_no_password(team: HarborDouble) -> None:
    # A registry that repeats what it was told.
    password = team.administrator[1]
    team.push("team/app", f"v{password}")
    team.keep_tags("team", "*")
    error = refused(team, lambda client: client.delete_tag("team/app", f"v{password}"))
    assert error.registry_message == "PRECONDITION: the tag v••• configured as immutable, cannot be deleted"


def test_an_answer_that_is_lost_leaves_it_open(team: HarborDouble) -> None:
    digest = team.push("team/app", "1")
    team.lie(Lie.ANSWER_LOST, "/api/", "DELETE")
    assert type(failure(team, lambda client: client.delete_artifact("team/app", digest))) is ComponentUnhealthy
    assert held(team, "team") == {"app": {}}
    team.tell_the_truth()
    done(team, lambda client: client.delete_artifact("team/app", digest))
