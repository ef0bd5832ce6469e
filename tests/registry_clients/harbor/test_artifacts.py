"""What is in a repository, by pages."""

import pytest

from registry_clients.errors import (
    AnswerTooLarge,
    ComponentUnhealthy,
    CredentialRejected,
    RegistryError,
    UnexpectedAnswer,
)
from registry_clients.harbor.client import HarborClient
from registry_clients.protocol import ListsArtifacts
from registry_clients.records import ArtifactPage, FoundArtifact
from tests.doubles.harbor.images import Platform, made_image, made_index
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import asked, done, failure, make_reader


def page_of(
    harbor: HarborDouble, name: str, *, page: int = 1, page_size: int = 100, has_reader: bool = True
) -> ArtifactPage | None:
    reader = make_reader(harbor) if has_reader else None
    return done(harbor, lambda client: client.list_artifacts(name, page=page, page_size=page_size), reader)


@pytest.mark.parametrize("name", ["team/web", "team/app/web", "team/deep/er/still/one", "4711/a.b/c__d"])
def test_nested_names_are_found(harbor: HarborDouble, name: str) -> None:
    harbor.create_project("team")
    harbor.create_project("4711")
    digest = harbor.push(name, "1.0")
    found = page_of(harbor, name)
    assert found is not None
    assert found.total_count == 1
    assert [(artifact.digest, [tag.name for tag in artifact.tags]) for artifact in found.artifacts] == [
        (digest, ["1.0"])
    ]
    assert found.artifacts[0].platforms == ()
    assert asked(harbor) == ["GET /projects/{project}/repositories/{repository}/artifacts robot"]


def test_an_index_with_its_platforms(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    children = {
        Platform("linux", "amd64"): made_image("amd64"),
        Platform("linux", "arm64"): made_image("arm64"),
    }
    harbor.push("team/app", "1", made_index(children))
    found = page_of(harbor, "team/app")
    assert found is not None
    assert len(found.artifacts) == 1
    assert [(one.os, one.architecture, one.digest) for one in found.artifacts[0].platforms] == [
        (platform.os, platform.architecture, image.digest) for platform, image in children.items()
    ]


def test_pages(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    pushed = [harbor.push("team/app", f"{number}") for number in range(5)]
    pages = [page_of(harbor, "team/app", page=page, page_size=2, has_reader=False) for page in (1, 2, 3, 4)]
    assert [len(page.artifacts) for page in pages if page] == [2, 2, 1, 0]
    assert {page.total_count for page in pages if page} == {5}
    assert {artifact.digest for page in pages if page for artifact in page.artifacts} == set(pushed)


@pytest.mark.parametrize("name", ["team/nothing", "nowhere/app"])
@pytest.mark.parametrize("has_reader", [True, False])
def test_what_is_not_there_is_none(harbor: HarborDouble, name: str, has_reader: bool) -> None:
    harbor.create_project("team")
    assert page_of(harbor, name, has_reader=has_reader) is None


def test_a_reader_that_was_cut_is_no_repository_that_is_gone(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    harbor.create_project("team")
    harbor.push("team/app", "1")
    harbor.set_robot_permissions(reader.username, {"/": "project:list", "*": "project:read"})
    error = failure(harbor, lambda client: client.list_artifacts("team/app"), reader=reader)
    assert (type(error), error.http_status) == (CredentialRejected, 403)


def test_a_name_of_one_segment_is_in_no_project(harbor: HarborDouble) -> None:
    assert page_of(harbor, "web", has_reader=False) is None
    assert asked(harbor) == []


@pytest.mark.parametrize(("page", "page_size"), [(0, 10), (1, 0), (1, -1), (1, 101)])
def test_pages_are_bounded(harbor: HarborDouble, page: int, page_size: int) -> None:
    with pytest.raises(ValueError, match="pages count from 1"):
        done(harbor, lambda client: HarborClient.list_artifacts(client, "a/b", page=page, page_size=page_size))
    assert asked(harbor) == []


def artifact_at(harbor: HarborDouble, name: str, reference: str, *, has_reader: bool = True) -> FoundArtifact | None:
    reader = make_reader(harbor) if has_reader else None

    async def look(client: HarborClient) -> FoundArtifact | None:
        assert isinstance(client, ListsArtifacts)
        return await client.look_at_artifact(name, reference)

    return done(harbor, look, reader)


@pytest.mark.parametrize("has_reader", [True, False])
def test_one_artifact_by_tag_and_by_digest(harbor: HarborDouble, has_reader: bool) -> None:
    harbor.create_project("team")
    digest = harbor.push("team/app/web", "1.0")
    harbor.push("team/app/web", "2.0")
    page = page_of(harbor, "team/app/web")
    assert page is not None
    [listed] = [artifact for artifact in page.artifacts if artifact.digest == digest]
    assert [tag.name for tag in listed.tags] == ["1.0"]
    for reference in ("1.0", digest):
        assert artifact_at(harbor, "team/app/web", reference, has_reader=has_reader) == listed
    who = "robot" if has_reader else "user"
    template = "/projects/{project}/repositories/{repository}/artifacts/{reference}"
    assert asked(harbor)[-1] == f"GET {template} {who}"


def test_an_image_of_an_index_is_found_by_its_digest(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    image = made_image("amd64")
    harbor.push("team/app", "1", made_index({Platform("linux", "amd64"): image}))
    found = artifact_at(harbor, "team/app", image.digest)
    assert found is not None
    assert (found.digest, found.tags, found.size_bytes) == (image.digest, (), image.size_bytes)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("team/app", "nothing"),
        ("team/app", f"sha256:{'0' * 64}"),
        ("team/nothing", "1"),
        ("nowhere/app", "1"),
    ],
)
@pytest.mark.parametrize("has_reader", [True, False])
def test_an_artifact_that_is_not_there_is_none(
    harbor: HarborDouble, name: str, reference: str, has_reader: bool
) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "1")
    assert artifact_at(harbor, name, reference, has_reader=has_reader) is None


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("web", "1"),
        ("team/", "1"),
        ("team/..", "1"),
        ("team//app", "1"),
        ("team/App", "1"),
        ("team/app", ""),
        ("team/app", ".."),
        ("team/app", "a/b"),
        ("team/app", "ä"),
        ("team/app", "1?x=y"),
        ("team/app", "sha256:beef"),
        ("team/app", f"sha256:{'A' * 64}"),
        ("team/app", "x" * 129),
    ],
)
def test_what_names_nothing_is_never_asked_for(harbor: HarborDouble, name: str, reference: str) -> None:
    assert artifact_at(harbor, name, reference, has_reader=False) is None
    assert asked(harbor) == []


def test_another_artifact_than_was_asked_for_is_not_taken(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "1")
    other = f"sha256:{'0' * 64}"
    with harbor.paused() as state:
        project = state.project_named("team")
        assert project is not None
        [artifact] = project.repositories["app"].artifacts
        state.artifact_by_reference = lambda *_: artifact  # type: ignore[method-assign]
    error = failure(harbor, lambda client: client.look_at_artifact("team/app", other))
    assert type(error) is UnexpectedAnswer


def test_a_reader_that_was_cut_is_no_artifact_that_is_gone(harbor: HarborDouble) -> None:
    reader = make_reader(harbor)
    harbor.create_project("team")
    harbor.push("team/app", "1")
    harbor.set_robot_permissions(reader.username, {"/": "project:list", "*": "project:read"})
    error = failure(harbor, lambda client: client.look_at_artifact("team/app", "1"), reader=reader)
    assert (type(error), error.http_status) == (CredentialRejected, 403)


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (Lie.HTML_IN_FRONT, UnexpectedAnswer),
        (Lie.HUGE_BODY, AnswerTooLarge),
        (Lie.TRUNCATED_JSON, UnexpectedAnswer),
        (Lie.EMPTY_BAD_GATEWAY, ComponentUnhealthy),
    ],
)
def test_lies_are_no_artifacts(harbor: HarborDouble, lie: Lie, kind: type[RegistryError]) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "1")
    harbor.lie(lie)
    assert type(failure(harbor, lambda client: client.look_at_artifact("team/app", "1"))) is kind
    assert type(failure(harbor, lambda client: client.list_artifacts("team/app"))) is kind


def test_whether_a_rule_keeps_a_tag(harbor: HarborDouble) -> None:
    harbor.create_project("team")
    harbor.push("team/app", "v1", made_image("one"))
    harbor.push("team/app", "dev", made_image("one"))
    harbor.keep_tags("team", "v*")
    found = artifact_at(harbor, "team/app", "dev")
    page = page_of(harbor, "team/app")
    assert found is not None
    assert page is not None
    assert page.artifacts == (found,)
    assert {tag.name: tag.is_immutable for tag in found.tags} == {"v1": True, "dev": False}
