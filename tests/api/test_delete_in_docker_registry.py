"""deleteArtifact and deleteTag against a docker-registry as people run it, and by whom a workspace's is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.enums import Role
from resolvers.global_ids import global_id
from tests.api.conftest import HOUR_SECONDS
from tests.api.deletions import (
    artifact_id,
    delete_artifact,
    delete_repository,
    delete_tag,
    listed,
    mirrored,
    repository_id,
    told,
)
from tests.api.surface import Surface
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.serving import running_server
from tests.workspaces import add_workspace, token_in

APP = "team/app"


def storage(folder: Path, **more: Any) -> dict[str, Any]:
    """Return a configuration of where and how a registry stores, with deletion on only where that is said."""
    return {"storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, **more}}


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    """A registry that deletes."""
    with running_docker_registry(tmp_path / "registry") as running:
        yield running


def integrate(surface: Surface, docker: DockerRegistryServer, token: str | None = None, **given: Any) -> None:
    """Integrate a registry, which must succeed."""
    what = {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": docker.url, **given}
    assert surface.mutate("integrateRegistry", what, token=token)["errors"] == []


def test_an_artifact_goes_with_all_tags_that_name_it(surface: Surface, docker: DockerRegistryServer) -> None:
    digest = push_image(docker, APP, "1.0", "one")
    assert push_image(docker, APP, "latest", "one") == digest
    other = push_image(docker, APP, "2.0", "other")
    integrate(surface, docker)
    repository, key = repository_id(surface, APP), artifact_id(surface, APP, digest)
    assert listed(surface, repository) == {digest: ["1.0", "latest"], other: ["2.0"]}
    stored, events = surface.stored(), len(surface.events())

    dry = delete_artifact(surface, id=key, dryRun=True)

    assert (dry["errors"], dry["deletedTags"], dry["hasMoreTags"]) == ([], ["1.0", "latest"], False)
    assert dry["artifact"]["digest"] == digest
    assert (surface.stored(), listed(surface, repository)) == (stored, {digest: ["1.0", "latest"], other: ["2.0"]})

    assert delete_artifact(surface, id=key) == dry

    assert listed(surface, repository) == {other: ["2.0"]}
    assert told(surface, events) == [("IMAGE_DELETED", APP, digest, "admin")]
    for dry_run in (True, False):
        (error,) = delete_artifact(surface, id=key, dryRun=dry_run)["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])
    # The last one gone, the registry lists the repository still.
    assert delete_artifact(surface, id=artifact_id(surface, APP, other))["deletedTags"] == ["2.0"]
    assert (listed(surface, repository), mirrored(surface)) == ({}, [APP])


def test_this_version_deletes_no_tag_alone(surface: Surface, docker: DockerRegistryServer) -> None:
    digest = push_image(docker, APP, "1.0", "one")
    integrate(surface, docker)
    key, events = repository_id(surface, APP), len(surface.events())
    # What version it is, a registry doesn't tell.
    assert delete_tag(surface, repositoryId=key, name="1.0", dryRun=True)["deletedTags"] == ["1.0"]
    payload = delete_tag(surface, repositoryId=key, name="1.0")
    (error,) = payload["errors"]
    assert (error["code"], error["refusalReason"]) == ("DELETION_REFUSED", "NOT_OFFERED")
    assert (error["path"], payload["tag"], payload["deletedTags"]) == (["input", "name"], None, [])
    assert "whole artifacts only" in error["message"]
    assert error["registryMessage"].startswith("DIGEST_INVALID")
    assert (listed(surface, key), told(surface, events)) == ({digest: ["1.0"]}, [])
    (error,) = delete_tag(surface, repositoryId=key, name="nothing")["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "name"])


@pytest.mark.parametrize("is_read_only", [False, True], ids=["deletion-off", "read-only"])
def test_a_registry_that_deletes_nothing_says_so(surface: Surface, tmp_path: Path, is_read_only: bool) -> None:
    with running_docker_registry(tmp_path) as docker:
        digest = push_image(docker, APP, "1.0", "one")
    more = {"delete": {"enabled": True}, "maintenance": {"readonly": {"enabled": True}}} if is_read_only else {}
    with running_docker_registry(tmp_path, configuration=storage(tmp_path, **more)) as docker:
        integrate(surface, docker)
        key, events = artifact_id(surface, APP, digest), len(surface.events())
        payload = delete_artifact(surface, id=key)
        (error,) = payload["errors"]
        if is_read_only:
            assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "READ_ONLY")
        else:
            assert (error["code"], error["refusalReason"]) == ("DELETION_REFUSED", "SWITCHED_OFF")
            assert error["registryMessage"].startswith("UNSUPPORTED")
        assert (error["path"], payload["artifact"], payload["deletedTags"]) == (["input", "id"], None, [])
        assert listed(surface, repository_id(surface, APP)) == {digest: ["1.0"]}
        assert told(surface, events) == []


def test_a_workspaces_administrator_deletes_in_what_it_brought(
    docker: DockerRegistryServer, tmp_path: Path, database_settings: dict[str, Any]
) -> None:
    digest = push_image(docker, APP, "1.0", "one")
    settings = {"probe_interval_seconds": HOUR_SECONDS, "allow_loopback_workspace_registries": True}
    with running_server(tmp_path / "data", **settings, **database_settings) as server:
        surface, database = Surface(server), server.services.database
        own, other = (server.run(add_workspace(database, name)) for name in ("own", "other"))
        admin, member = token_in(server, own, Role.WORKSPACE_ADMIN), token_in(server, own)
        integrate(surface, docker, admin, workspaceId=global_id("Workspace", own))
        repository, key = repository_id(surface, APP), artifact_id(surface, APP, digest)
        events = len(surface.events())
        for token, code in [(member, "FORBIDDEN"), (token_in(server, other, Role.WORKSPACE_ADMIN), "NOT_FOUND")]:
            for payload in (
                delete_artifact(surface, token, id=key),
                delete_tag(surface, token, repositoryId=repository, name="1.0"),
                delete_repository(surface, token, id=repository),
            ):
                assert [error["code"] for error in payload["errors"]] == [code]
                assert payload["deletedTags"] == []
        # The registry's own words are for the platform's administrators.
        (error,) = delete_tag(surface, admin, repositoryId=repository, name="1.0")["errors"]
        assert (error["refusalReason"], error["registryMessage"]) == ("NOT_OFFERED", None)
        assert told(surface, events) == []

        assert delete_artifact(surface, admin, id=key)["deletedTags"] == ["1.0"]

        assert listed(surface, repository) == {}
        (row,) = surface.rows("""SELECT "workspace_id" FROM "event" WHERE "type" = 'IMAGE_DELETED'""")
        assert row == (own,)
        query = "{ events(filter: {types: [IMAGE_DELETED]}) { nodes { ... on ImageDeleted { reference by } } } }"
        assert server.graphql(query, token=member)["events"]["nodes"] == [{"reference": digest, "by": None}]
        (node,) = server.graphql(query)["events"]["nodes"]
        assert node["reference"] == digest
        assert node["by"] is not None
