"""Artifacts of a registry that lists tags alone: a docker-registry as people run it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resolvers.global_ids import ArtifactKey, global_id, parse_global_id
from tests.api.surface import Surface
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry

REPOSITORY = "team/app"
ARTIFACT = """
__typename id digest mediaType artifactType sizeBytes pushedAt pulledAt pullCommand isStale platforms { digest }
repository { id name }
"""
PAGE = f"""
query ($id: ID!, $first: Int, $after: Cursor, $isOfTags: Boolean!) {{ node(id: $id) {{ ... on Repository {{
  artifacts(first: $first, after: $after) @skip(if: $isOfTags) {{
    isStale totalCount nodes {{ {ARTIFACT} tags {{ totalCount nodes {{ name image digest pushedAt isImmutable }} }} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
  tags(first: $first, after: $after) @include(if: $isOfTags) {{
    nodes {{ name digest }} pageInfo {{ hasNextPage endCursor }}
  }}
}} }} }}
"""
BY_ID = f"query ($id: ID!) {{ node(id: $id) {{ ... on Artifact {{ {ARTIFACT} tags {{ nodes {{ name }} }} }} }} }}"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    with running_docker_registry(tmp_path, htpasswd={"robot": "right"}) as running:
        yield running


def integrate(surface: Surface, registry: DockerRegistryServer) -> str:
    """Integrate the registry and return the id of its one repository."""
    given = {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url}
    given |= {"username": "robot", "password": "right"}
    assert surface.mutate("integrateRegistry", given)["errors"] == []
    ((key,),) = surface.rows('SELECT "id" FROM "repository"')
    return global_id("Repository", key)


def page(surface: Surface, repository_id: str, field: str, **variables: Any) -> dict[str, Any]:
    given = {"id": repository_id, "isOfTags": field == "tags", **variables}
    found: dict[str, Any] = surface.server.graphql(PAGE, given)["node"][field]
    return found


def test_what_tags_name_is_shown_once_with_all_of_them(surface: Surface, registry: DockerRegistryServer) -> None:
    first = push_image(registry, REPOSITORY, "1.0", "one")
    assert push_image(registry, REPOSITORY, "latest", "one") == first
    second = push_image(registry, REPOSITORY, "2.0", "two")
    repository_id = integrate(surface, registry)
    image = f"127.0.0.1:{registry.port}/{REPOSITORY}"

    artifacts = page(surface, repository_id, "artifacts")

    assert (artifacts["isStale"], artifacts["totalCount"]) == (False, None)
    one, two = artifacts["nodes"]
    assert one == {
        "__typename": "Artifact",
        "id": global_id("Artifact", ArtifactKey(parse_global_id(repository_id)[1], first)),
        "digest": first,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": None,
        "sizeBytes": one["sizeBytes"],
        "pushedAt": None,
        "pulledAt": None,
        "pullCommand": f"docker pull {image}@{first}",
        "isStale": False,
        "platforms": [],
        "repository": {"id": repository_id, "name": REPOSITORY},
        "tags": {
            "totalCount": 2,
            "nodes": [
                {"name": name, "image": f"{image}:{name}", "digest": first, "pushedAt": None, "isImmutable": None}
                for name in ("1.0", "latest")
            ],
        },
    }
    assert one["sizeBytes"] > 0
    assert (two["digest"], [tag["name"] for tag in two["tags"]["nodes"]]) == (second, ["2.0"])
    assert page(surface, repository_id, "tags")["nodes"] == [
        {"name": "1.0", "digest": first},
        {"name": "latest", "digest": first},
        {"name": "2.0", "digest": second},
    ]
    # By its id it is the same; which tags name it, the registry can't tell then.
    assert surface.server.graphql(BY_ID, {"id": one["id"]})["node"] == {**one, "tags": {"nodes": []}}


@pytest.mark.parametrize("field", ["artifacts", "tags"])
def test_pages_are_of_tags(surface: Surface, registry: DockerRegistryServer, field: str) -> None:
    digests = {tag: push_image(registry, REPOSITORY, tag) for tag in ("a", "b", "c", "d", "e")}
    repository_id = integrate(surface, registry)
    found, after = [], None
    for number in range(3):
        shown = page(surface, repository_id, field, first=2, after=after)
        found += [node["digest"] for node in shown["nodes"]]
        assert shown["pageInfo"]["hasNextPage"] == (number < 2)
        after = shown["pageInfo"]["endCursor"]
    assert found == list(digests.values())
