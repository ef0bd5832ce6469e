"""What is in repositories, asked of their registries while somebody waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from resolvers.global_ids import ArtifactKey, global_id, parse_artifact_id, parse_global_id
from tests.api.harbors import integrate_harbor
from tests.api.live import over_event_stream
from tests.api.surface import Surface
from tests.doubles.harbor.images import Platform, compact_json, image_of_manifest, made_image, made_index
from tests.doubles.harbor.server import HarborDouble, running_harbor
from tests.waiting import eventually

REPOSITORY = "team/app/web"
LISTED = "/projects/{project}/repositories/{repository}/artifacts"
LOOKED_AT = f"{LISTED}/{{reference}}"

ARTIFACT = """
id digest mediaType artifactType sizeBytes pushedAt pulledAt pullCommand
platforms { digest os architecture variant }
tags { totalCount nodes { name image digest pushedAt isImmutable } }
"""
PAGE = f"""
query ($id: ID!, $first: Int, $after: Cursor) {{ node(id: $id) {{ ... on Repository {{
  artifacts(first: $first, after: $after) {{
    isStale asOf totalCount nodes {{ {ARTIFACT} }} edges {{ cursor node {{ digest }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
  }}
}} }} }}
"""
TAGS = """
query ($id: ID!, $first: Int, $after: Cursor) { node(id: $id) { ... on Repository {
  tags(first: $first, after: $after) {
    isStale totalCount nodes { name image digest isImmutable } edges { cursor }
    pageInfo { hasNextPage endCursor }
  }
} } }
"""
PUSHES = "subscription { events(filter: { types: [IMAGE_PUSHED] }) { type } }"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ __typename ... on Artifact {{ {ARTIFACT} repository {{ name }} }} }} }}"


@dataclass(frozen=True, slots=True)
class Held:
    """A Harbor that is integrated, and what is in one of its repositories."""

    surface: Surface
    harbor: HarborDouble
    integration_id: str

    @property
    def host(self) -> str:
        """What its images' names begin with."""
        return f"127.0.0.1:{self.harbor.port}"

    def repository(self, name: str = REPOSITORY) -> str:
        """Return the id of a mirrored repository."""
        ((key,),) = self.surface.rows(f"""SELECT "id" FROM "repository" WHERE "name" = '{name}'""")
        return global_id("Repository", key)

    def page(self, name: str = REPOSITORY, **variables: object) -> dict[str, Any]:
        """Return a page of the artifacts of a repository."""
        page: dict[str, Any] = self.surface.server.graphql(PAGE, {"id": self.repository(name), **variables})["node"]
        artifacts: dict[str, Any] = page["artifacts"]
        return artifacts

    def listings(self) -> int:
        """Return how often it was asked for a list of artifacts."""
        return self.harbor.calls.count("GET", LISTED)


def held(surface: Surface, harbor: HarborDouble) -> Held:
    """Integrate a Harbor and return what it holds."""
    held = Held(surface, harbor, integrate_harbor(surface, harbor))
    harbor.calls.reset()
    return held


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    """A Harbor with a project."""
    with running_harbor() as running:
        running.create_project("team")
        yield running


def test_an_artifact_is_shown_as_its_registry_tells_of_it(surface: Surface, harbor: HarborDouble) -> None:
    children = {
        Platform("amd64"): made_image("amd64", size_bytes=5_000_000_000),
        Platform("arm64"): made_image("arm64", size_bytes=4_000),
    }
    index = made_index(children)
    digest = harbor.push(REPOSITORY, "1.0", index)
    harbor.push(REPOSITORY, "latest", index)
    harbor.pull(REPOSITORY, "1.0")
    there = held(surface, harbor)

    page = there.page()

    (shown,) = page["nodes"]
    assert page["totalCount"] == 1
    assert page["isStale"] is False
    image = f"{there.host}/{REPOSITORY}"
    tagged = [tag.pop("pushedAt") for tag in shown["tags"]["nodes"]]
    tags = [
        {"name": name, "image": f"{image}:{name}", "digest": digest, "isImmutable": False} for name in ("latest", "1.0")
    ]
    assert shown == {
        "id": global_id("Artifact", ArtifactKey(parse_global_id(there.repository())[1], digest)),
        "digest": digest,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "artifactType": None,
        "sizeBytes": index.size_bytes,
        "pushedAt": shown["pushedAt"],
        "pulledAt": shown["pulledAt"],
        "pullCommand": f"docker pull {image}@{digest}",
        "platforms": [
            {"digest": child.digest, "os": "linux", "architecture": platform.architecture, "variant": None}
            for platform, child in children.items()
        ],
        "tags": {"totalCount": 2, "nodes": tags},
    }
    assert shown["sizeBytes"] > 2**31
    assert shown["pushedAt"] <= tagged[1] <= tagged[0] <= shown["pulledAt"] <= page["asOf"]
    # The same by its id: the registry is asked for this one alone.
    found = surface.server.graphql(NODE, {"id": shown["id"]})["node"]
    assert [tag.pop("pushedAt") for tag in found["tags"]["nodes"]] == tagged
    assert found == {"__typename": "Artifact", "repository": {"name": REPOSITORY}, **shown}
    assert there.listings() == harbor.calls.count("GET", LOOKED_AT) == 1


def test_what_is_no_container_image_says_what_it_is_and_has_no_command(surface: Surface, harbor: HarborDouble) -> None:
    chart = "application/vnd.cncf.helm.config.v1+json"
    configuration = compact_json({"name": "app", "version": "1.0.0"})
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": chart, "digest": f"sha256:{'1' * 64}", "size": len(configuration)},
        "layers": [],
    }
    harbor.push(REPOSITORY, "1.0.0", image_of_manifest(compact_json(manifest), configuration, kind="CHART"))
    harbor.push(REPOSITORY, None, made_image("an image that nothing names"))
    image, shown = held(surface, harbor).page()["nodes"]

    assert (shown["artifactType"], shown["pullCommand"]) == (chart, None)
    assert [tag["name"] for tag in shown["tags"]["nodes"]] == ["1.0.0"]
    assert (image["artifactType"], image["tags"]["nodes"]) == (None, [])
    assert image["pullCommand"].startswith("docker pull ")
    assert image["pulledAt"] is None


def test_pages_are_the_registrys_own(surface: Surface, harbor: HarborDouble) -> None:
    digests = [harbor.push(REPOSITORY, str(number)) for number in range(25)][::-1]
    there = held(surface, harbor)
    found, after = [], None
    for number in range(3):
        page = there.page(first=10, after=after)
        assert [edge["node"]["digest"] for edge in page["edges"]] == [node["digest"] for node in page["nodes"]]
        found += [node["digest"] for node in page["nodes"]]
        info = page["pageInfo"]
        assert info == {
            "hasNextPage": number < 2,
            "hasPreviousPage": number > 0,
            "startCursor": page["edges"][0]["cursor"],
            "endCursor": page["edges"][-1]["cursor"],
        }
        assert page["totalCount"] == 25
        after = info["endCursor"]
    assert found == digests
    assert there.listings() == 3
    assert there.page(first=10, after=after)["nodes"] == []
    # From the middle of a page it takes two of the registry's.
    middle = there.page(first=10)["edges"][3]["cursor"]
    assert [node["digest"] for node in there.page(first=10, after=middle)["nodes"]] == digests[4:14]


def test_the_fiftieth_page_is_read_without_the_others(surface: Surface, harbor: HarborDouble) -> None:
    digests = [harbor.push(REPOSITORY, str(number)) for number in range(51)][::-1]
    there = held(surface, harbor)
    cursor = there.page(first=49)["pageInfo"]["endCursor"]
    harbor.calls.reset()

    page = there.page(first=1, after=cursor)

    assert [node["digest"] for node in page["nodes"]] == [digests[49]]
    (call,) = [call for call in harbor.calls.all if call.template.endswith(LISTED)]
    assert "page=50&page_size=1&" in call.path + "&"


def test_tags_are_those_of_the_artifacts(surface: Surface, harbor: HarborDouble) -> None:
    for number in range(3):
        image = made_image(f"image {number}")
        for tag in ("a", "b", "c"):
            harbor.push(REPOSITORY, f"{number}{tag}", image)
    harbor.push(REPOSITORY, None, made_image("an image that nothing names"))
    there = held(surface, harbor)

    def pages(first: int) -> list[list[str]]:
        found: list[list[str]] = []
        after = None
        while True:
            given = {"id": there.repository(), "first": first, "after": after}
            page = surface.server.graphql(TAGS, given)["node"]["tags"]
            assert page["isStale"] is False
            assert page["totalCount"] is None
            found.append([tag["name"] for tag in page["nodes"]])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    everything = ["2c", "2b", "2a", "1c", "1b", "1a", "0c", "0b", "0a"]
    assert pages(20) == [everything]
    # A page of the registry's may hold none.
    assert pages(1)[0] == []
    for first in (1, 2, 3, 4):
        assert [name for page in pages(first) for name in page] == everything


def test_tags_of_an_artifact_come_in_pages_too(surface: Surface, harbor: HarborDouble) -> None:
    image = made_image("an image with names")
    for number in range(5):
        harbor.push(REPOSITORY, str(number), image)
    there = held(surface, harbor)
    query = """query ($id: ID!, $after: Cursor) { node(id: $id) { ... on Repository { artifacts { nodes {
        tags(first: 2, after: $after) { totalCount isStale nodes { name } pageInfo { endCursor hasNextPage } }
    } } } } }"""
    found, after = [], None
    for number in range(3):
        answer = surface.server.graphql(query, {"id": there.repository(), "after": after})
        page = answer["node"]["artifacts"]["nodes"][0]["tags"]
        assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (5, number < 2)
        found += [tag["name"] for tag in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert found == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"first": 0}, "BAD_USER_INPUT"),
        ({"first": 101}, "BAD_USER_INPUT"),
        ({"after": "nothing"}, "INVALID_CURSOR"),
        ({"after": "WyJ0YWdzIiwxLDIwLDBd"}, "INVALID_CURSOR"),
    ],
)
def test_what_can_not_be_asked_for_is_said_at_the_field(
    surface: Surface, harbor: HarborDouble, given: dict[str, Any], code: str
) -> None:
    harbor.push(REPOSITORY, "1.0")
    there = held(surface, harbor)

    result = surface.server.post(PAGE, {"id": there.repository(), **given})

    assert result["data"] == {"node": {"artifacts": None}}
    assert [(error["path"], error["extensions"]["code"]) for error in result["errors"]] == [
        (["node", "artifacts"], code)
    ]
    assert there.listings() == 0


def test_ids_of_artifacts_that_are_not_there_find_nothing(surface: Surface, harbor: HarborDouble) -> None:
    harbor.push(REPOSITORY, "1.0")
    there = held(surface, harbor)
    (shown,) = there.page()["nodes"]
    key = parse_artifact_id(shown["id"])
    gone = [
        ArtifactKey(key.repository_id, f"sha256:{'0' * 64}"),
        ArtifactKey(key.repository_id + 1000, key.digest),
    ]
    ids = [shown["id"], *(global_id("Artifact", each) for each in gone), global_id("Artifact", 1)]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Artifact { digest } } }"

    nodes = surface.server.graphql(query, {"ids": ids})["nodes"]

    assert nodes == [{"digest": key.digest}, None, None, None]


def test_who_sees_the_repository_sees_what_is_in_it(surface: Surface, harbor: HarborDouble) -> None:
    harbor.push(REPOSITORY, "1.0")
    there = held(surface, harbor)
    (shown,) = there.page()["nodes"]
    member = surface.member_token
    given = {"id": there.repository()}
    harbor.calls.reset()

    assert surface.server.graphql(PAGE, given, member) == {"node": None}
    assert surface.server.graphql(NODE, {"id": shown["id"]}, member) == {"node": None}
    assert harbor.calls.count("GET", LOOKED_AT) == there.listings() == 0

    spaces = surface.server.graphql("{ spaces { nodes { id } } }")["spaces"]["nodes"]
    opened = {"ids": [space["id"] for space in spaces], "visibility": "PUBLIC"}
    assert surface.mutate("setSpaceVisibility", opened)["errors"] == []
    assert surface.server.graphql(PAGE, given, member)["node"]["artifacts"]["nodes"] == [shown]
    assert surface.server.graphql(NODE, {"id": shown["id"]}, member)["node"]["digest"] == shown["digest"]


def test_a_push_is_seen_at_once_when_the_registry_tells_of_it(surface: Surface, harbor: HarborDouble) -> None:
    harbor.push(REPOSITORY, "1.0")
    there = held(surface, harbor)
    assert there.page()["totalCount"] == 1
    # Nothing has changed: the answer of a moment ago is as good as a new one.
    assert there.page()["totalCount"] == 1
    assert there.listings() == 1
    live = surface.server.services.live_contents
    with (
        pytest.MonkeyPatch.context() as patch,
        over_event_stream(surface.server, PUSHES, {}) as told,
    ):
        eventually(lambda: surface.server.services.events.is_watched)
        now = live._monotonic()
        patch.setattr(live, "_monotonic", lambda: now)  # nothing gets old
        harbor.push(REPOSITORY, "2.0")
        assert there.page()["totalCount"] == 1
        told.next()
        assert there.page()["totalCount"] == 2
    assert there.listings() == 2


def test_a_repository_that_is_gone_at_its_registry_is_empty(surface: Surface, harbor: HarborDouble) -> None:
    harbor.push(REPOSITORY, "1.0")
    there = held(surface, harbor)
    (shown,) = there.page()["nodes"]
    given = {"id": there.repository()}
    harbor.delete_repository(REPOSITORY)
    # What was said a moment ago would do otherwise.
    surface.server.services.live_contents.doubt(parse_global_id(there.integration_id)[1], REPOSITORY)

    page = surface.server.graphql(PAGE, given)["node"]["artifacts"]

    assert (page["nodes"], page["totalCount"], page["isStale"]) == ([], 0, False)
    assert surface.server.graphql(NODE, {"id": shown["id"]}) == {"node": None}
