"""Artifacts of a registry that lists tags alone: for few calls, and fewer pulls."""

import asyncio

import pytest

from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.errors import StorageUnreadable, TimedOut, UnexpectedAnswer
from registry_clients.protocol import ListsArtifacts
from registry_clients.records import ArtifactPage, FoundArtifact, FoundTag, PlatformManifest
from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.recordings.recording import recorded_response
from tests.registry_clients.docker_registry_answers import client_over, failure_of
from tests.registry_clients.made_manifests import OCI_INDEX, OCI_MANIFEST, digest, image, index, manifest
from tests.registry_clients.scripted_registry import REPOSITORY, ScriptedRegistry
from tests.registry_clients.scripted_transport import ScriptedTransport, by_path, response

LINUX = {"os": "linux", "architecture": "amd64"}


@pytest.fixture
def registry() -> ScriptedRegistry:
    return ScriptedRegistry()


def page_of(client: DockerRegistryClient, page: int = 1, page_size: int = 100) -> ArtifactPage:
    assert isinstance(client, ListsArtifacts)
    found = asyncio.run(client.list_artifacts(REPOSITORY, page=page, page_size=page_size))
    assert found is not None
    return found


def shape(page: ArtifactPage) -> list[tuple[str, list[str]]]:
    return [(artifact.digest, [tag.name for tag in artifact.tags]) for artifact in page.artifacts]


def tag(name: str) -> FoundTag:
    return FoundTag(name, pushed_at=None, pulled_at=None, is_immutable=None)


class Counting(ScriptedTransport):
    """Holds every call for a turn of the loop, and counts how many are held at most."""

    most = 0
    held = 0

    async def send(self, request: RegistryRequest) -> RegistryResponse:
        self.held += 1
        self.most = max(self.most, self.held)
        await asyncio.sleep(0)
        self.held -= 1
        return await super().send(request)


def test_tags_of_one_artifact_are_together(registry: ScriptedRegistry) -> None:
    content = image("one", (10, 2**40))
    one = registry.push(content, "latest", "1.0")
    two = registry.push(image("two"), "1.5")
    transport = registry.transport
    found = page_of(client_over(transport))
    assert shape(found) == [(one, ["1.0", "latest"]), (two, ["1.5"])]
    assert (found.total_count, found.is_last) == (None, True)
    assert found.artifacts[0] == FoundArtifact(
        digest=one,
        media_type=OCI_MANIFEST,
        artifact_type=None,
        size_bytes=len(content) + 5 + 10 + 2**40,
        tags=(tag("1.0"), tag("latest")),
        platforms=(),
        pushed_at=None,
        pulled_at=None,
    )
    assert sorted(transport.asked) == [
        "GET /v2/team/app/manifests/1.0",
        "GET /v2/team/app/manifests/1.5",
        "GET /v2/team/app/manifests/latest",
        "GET /v2/team/app/tags/list",
    ]


def test_a_page_that_was_read_before_is_no_pull(registry: ScriptedRegistry) -> None:
    for number in range(5):
        registry.push(image(f"{number}"), f"v{number}")
    client = client_over(transport := registry.transport)
    first = page_of(client)
    assert registry.pulls == 5
    transport.requests.clear()
    assert page_of(client) == first
    assert (registry.pulls, len(transport.requests)) == (5, 6)
    # A tag that moved is read in the one call that shows it.
    moved = registry.push(image("moved"), "v3")
    transport.requests.clear()
    assert ("v3", moved) in [(one.tags[0].name, one.digest) for one in page_of(client).artifacts]
    assert (registry.pulls, len(transport.requests)) == (6, 6)


def test_pages_are_of_tags_by_name(registry: ScriptedRegistry) -> None:
    shared = registry.push(image("shared"), "a", "e")
    others = [registry.push(image(name), name) for name in "bcd"]
    client = client_over(transport := registry.transport)
    pages = [page_of(client, page, 2) for page in (1, 2, 3, 4)]
    assert [shape(page) for page in pages] == [
        [(shared, ["a"]), (others[0], ["b"])],
        [(others[1], ["c"]), (others[2], ["d"])],
        [(shared, ["e"])],
        [],
    ]
    assert [page.is_last for page in pages] == [False, False, True, True]
    # Of each page only its own tags are asked for.
    assert len(transport.requests) == 4 + 5


def test_a_page_that_is_just_full_is_the_last(registry: ScriptedRegistry) -> None:
    registry.push(image("x"), "a", "b")
    assert page_of(client_over(registry.transport), 1, 2).is_last


@pytest.mark.parametrize(("page", "page_size"), [(0, 10), (1, 0), (1, -1), (1, 101)])
def test_pages_are_bounded(page: int, page_size: int) -> None:
    transport = by_path({})
    with pytest.raises(ValueError, match="pages count from 1"):
        asyncio.run(client_over(transport).list_artifacts(REPOSITORY, page=page, page_size=page_size))


def test_no_repository_and_one_without_tags(registry: ScriptedRegistry) -> None:
    assert page_of(client_over(registry.transport)) == ArtifactPage((), None, is_last=True)
    gone = recorded_response("distribution-2.8.2/tags", "a repository that was never there")
    client = client_over(by_path({"/v2/no/such/tags/list": gone}))
    assert asyncio.run(client.list_artifacts("no/such")) is None
    assert asyncio.run(client.list_artifacts("No/Such")) is None


def test_a_tag_that_goes_meanwhile_is_left_out(registry: ScriptedRegistry) -> None:
    one = registry.push(image("one"), "a")
    registry.tags["b"] = f"sha256:{'0' * 64}"
    assert shape(page_of(client_over(registry.transport))) == [(one, ["a"])]


def test_the_size_of_an_index_is_that_of_its_images(registry: ScriptedRegistry) -> None:
    images = {name: image(name, (1000,)) for name in ("amd64", "arm64")}
    children = {registry.push(content): {"os": "linux", "architecture": name} for name, content in images.items()}
    content = index(children | {f"sha256:{'0' * 64}": LINUX})
    named = registry.push(content, "1.0", "latest")
    client = client_over(transport := registry.transport)
    [artifact] = page_of(client).artifacts
    # One that was deleted, which the registry allows, counts nothing.
    assert artifact.size_bytes == len(content) + sum(len(one) + 5 + 1000 for one in images.values())
    assert (artifact.digest, artifact.media_type) == (named, OCI_INDEX)
    assert artifact.platforms[0] == PlatformManifest(digest(images["amd64"]), "linux", "amd64", None)
    assert len(transport.requests) == 1 + 2 + 3
    transport.requests.clear()
    # What the images mean is known; the one that wasn't there might be now.
    assert page_of(client).artifacts == (artifact,)
    assert len(transport.requests) == 1 + 2 + 1


def test_images_of_indexes_in_an_index_count_too(registry: ScriptedRegistry) -> None:
    leaf = image("leaf", (7000,))
    inner = index({registry.push(leaf): LINUX})
    outer = index({registry.push(inner): None})
    registry.push(outer, "v1")
    [artifact] = page_of(client_over(registry.transport)).artifacts
    assert artifact.size_bytes == len(outer) + len(inner) + len(leaf) + 5 + 7000
    assert [(one.digest, one.os) for one in artifact.platforms] == [(digest(inner), "unknown")]


def test_a_nest_has_an_end(registry: ScriptedRegistry) -> None:
    content = image("leaf")
    for _ in range(400):
        content = index({registry.push(content): LINUX})
    registry.push(content, "v1")
    client = client_over(transport := registry.transport)
    [artifact] = page_of(client).artifacts
    assert len(transport.requests) == 2 + 256
    assert artifact.digest == digest(content)


def test_a_wide_index_has_an_end(registry: ScriptedRegistry) -> None:
    registry.push(index({digest(f"{number}"): LINUX for number in range(3000)}), "v1")
    client = client_over(transport := registry.transport)
    [artifact] = page_of(client).artifacts
    assert len(transport.requests) == 2 + 256
    assert len(artifact.platforms) == 3000


@pytest.mark.parametrize("content", [image("bad", (-5,)), manifest(mediaType="a/b"), manifest(manifests=5)])
def test_what_is_no_manifest_keeps_nobody_from_the_rest(registry: ScriptedRegistry, content: bytes) -> None:
    good = registry.push(image("good"), "a")
    bad = registry.push(content, "b")
    found = page_of(client_over(registry.transport))
    assert shape(found) == [(good, ["a"]), (bad, ["b"])]
    assert (found.artifacts[1].size_bytes, found.artifacts[1].platforms) == (len(content), ())


def test_sizes_beyond_all_bounds_stay_within_64_bits(registry: ScriptedRegistry) -> None:
    registry.push(image("huge", (2**63 - 1, 2**63 - 1)), "v1")
    [artifact] = page_of(client_over(registry.transport)).artifacts
    assert artifact.size_bytes == 2**63 - 1


def test_a_registry_that_lies_gives_no_page(registry: ScriptedRegistry) -> None:
    registry.push(image("one"), "a")
    registry.push(image("two"), "b")
    registry.instead["b"] = response(200, image("two"), Docker_Content_Digest=f"sha256:{'0' * 64}")
    error = failure_of(lambda client: client.list_artifacts(REPOSITORY), client_over(registry.transport))
    assert type(error) is UnexpectedAnswer
    assert error.__cause__ is None


def test_one_failure_ends_the_page(registry: ScriptedRegistry) -> None:
    for number in range(100):
        registry.push(image(f"{number}"), f"t{number:03}")
    registry.instead["t000"] = response(500, b'{"errors":[{"code":"UNKNOWN"}]}')
    client = client_over(transport := Counting(registry.answer))
    error = failure_of(lambda client: client.list_artifacts(REPOSITORY), client)
    assert type(error) is StorageUnreadable
    assert len(transport.requests) < 20


def test_one_artifact_by_tag_and_by_digest(registry: ScriptedRegistry) -> None:
    content = image("one", (10,))
    named = registry.push(content, "a", "b")
    client = client_over(registry.transport)
    by_tag = asyncio.run(client.look_at_artifact(REPOSITORY, "a"))
    assert by_tag is not None
    assert (by_tag.digest, by_tag.tags, by_tag.size_bytes) == (named, (tag("a"),), len(content) + 15)
    # Which tags name a digest the registry doesn't tell.
    by_digest = asyncio.run(client.look_at_artifact(REPOSITORY, named))
    assert by_digest is not None
    assert (by_digest.digest, by_digest.tags, by_digest.size_bytes) == (named, (), len(content) + 15)


def test_what_a_digest_means_is_kept_and_not_whether_it_is_there(registry: ScriptedRegistry) -> None:
    named = registry.push(image("one"), "a")
    client = client_over(registry.transport)
    assert asyncio.run(client.look_at_artifact(REPOSITORY, named)) is not None
    assert asyncio.run(client.look_at_artifact(REPOSITORY, "a")) is not None
    registry.manifests.clear()
    registry.tags.clear()
    assert asyncio.run(client.look_at_artifact(REPOSITORY, named)) is None
    assert asyncio.run(client.look_at_artifact(REPOSITORY, "a")) is None


@pytest.mark.parametrize(
    ("name", "reference"),
    [("Team/App", "a"), ("", "a"), ("team/app", ""), ("team/app", "a/b"), ("team/app", "sha256:12")],
)
def test_what_names_nothing_is_never_asked_for(name: str, reference: str) -> None:
    assert asyncio.run(client_over(by_path({})).look_at_artifact(name, reference)) is None


def test_so_many_reads_at_once_whatever_is_asked_for(registry: ScriptedRegistry) -> None:
    for number in range(50):
        children = {registry.push(image(f"{number}-{child}")): LINUX for child in range(5)}
        registry.push(index(children), f"t{number}")
    transport = Counting(registry.answer)

    async def two_pages() -> None:
        client = client_over(transport)
        await asyncio.gather(*(client.list_artifacts(REPOSITORY, page=page, page_size=25) for page in (1, 2)))

    asyncio.run(two_pages())
    assert transport.most == 6
    assert registry.pulls == 50 + 250


def test_a_page_has_its_deadline(registry: ScriptedRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_clients.docker_registry.artifacts.PAGE_DEADLINE_SECONDS", 0.01)
    registry.push(image("one"), "a")

    class Silent(ScriptedTransport):
        async def send(self, request: RegistryRequest) -> RegistryResponse:
            if "manifests" in request.url.path:
                await asyncio.Event().wait()
            return await super().send(request)

    client = client_over(Silent(registry.answer))
    error = failure_of(lambda client: client.list_artifacts(REPOSITORY), client)
    assert type(error) is TimedOut
    assert error.message == "registry.test:5000 did not tell all within 0.01 seconds."


def test_the_memory_has_bounds(registry: ScriptedRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_clients.docker_registry.artifacts.MAX_REMEMBERED_MANIFESTS", 3)
    monkeypatch.setattr("registry_clients.docker_registry.artifacts.MAX_REMEMBERED_TAGS", 5)
    for number in range(10):
        registry.push(image(f"{number}"), f"t{number}")
    client = client_over(registry.transport)
    first = page_of(client)
    assert page_of(client) == first
    # Ten tags, and three of them known at most: in this order none is, when its turn comes again.
    assert registry.pulls == 20


def test_a_wide_index_is_not_remembered(registry: ScriptedRegistry) -> None:
    registry.push(index({digest(f"{number}"): LINUX for number in range(65)}), "v1")
    client = client_over(registry.transport)
    first = page_of(client)
    assert page_of(client) == first
    assert registry.pulls == 2
