"""What every client reads and deletes in the repositories of a real registry of its kind."""

import asyncio
import re
from dataclasses import replace

import pytest

from registry_clients.endpoint import Credential
from registry_clients.errors import CredentialRejected, RegistryError
from registry_clients.protocol import (
    DeletesArtifacts,
    DeletesRepositories,
    DeletesTags,
    ListsArtifacts,
    ReadsManifests,
    RegistryClient,
)
from registry_clients.records import FoundArtifact
from registry_clients.refusals import DeletionRefused, NoDeletion
from tests.contract.registry_under_test import RegistryUnderTest, client_of

NOTHING = f"sha256:{'0' * 64}"

# Every character of the grammar, and every way of putting words together.
NAMES = ("app", "app/web/deep/er", "a.b/c_d/e__f/g-h/i--j/k---l", "0/1.2_3", "z" * 100)


async def everything_in(client: RegistryClient, repository: str, page_size: int = 100) -> list[FoundArtifact]:
    """Return what is on all pages, in order."""
    assert isinstance(client, ListsArtifacts)
    found: list[FoundArtifact] = []
    for number in range(1, 100):
        page = await client.list_artifacts(repository, page=number, page_size=page_size)
        assert page is not None
        found += page.artifacts
        if page.is_last:
            return found
    raise AssertionError("no page was the last")


async def tags_in(client: RegistryClient, repository: str) -> dict[str, list[str]]:
    """Return the tags of each artifact by its digest; nothing where there is no such repository."""
    assert isinstance(client, ListsArtifacts)
    if await client.list_artifacts(repository) is None:
        return {}
    return {
        artifact.digest: sorted(tag.name for tag in artifact.tags)
        for artifact in await everything_in(client, repository)
    }


@pytest.mark.parametrize("name", NAMES)
def test_artifacts_are_what_was_pushed(registry: RegistryUnderTest, name: str) -> None:
    repository = f"{registry.space_prefix}team/{name}"

    async def look() -> None:
        one = await asyncio.to_thread(registry.push, repository, "1.0", "one")
        assert await asyncio.to_thread(registry.push, repository, "latest", "one") == one
        two = await asyncio.to_thread(registry.push, repository, "2.0_RC-1", "two")
        async with client_of(registry) as client:
            assert await tags_in(client, repository) == {one: ["1.0", "latest"], two: ["2.0_RC-1"]}
            assert isinstance(client, ListsArtifacts)
            for artifact in await everything_in(client, repository):
                assert artifact.media_type == "application/vnd.oci.image.manifest.v1+json"
                assert (artifact.artifact_type, artifact.platforms) == (None, ())
                assert 0 < artifact.size_bytes < 10_000
                by_digest = await client.look_at_artifact(repository, artifact.digest)
                assert by_digest is not None
                assert (by_digest.digest, by_digest.size_bytes) == (artifact.digest, artifact.size_bytes)
                by_tag = await client.look_at_artifact(repository, artifact.tags[0].name)
                assert by_tag is not None
                assert by_tag.digest == artifact.digest
                assert artifact.tags[0].name in {tag.name for tag in by_tag.tags}
            if isinstance(client, ReadsManifests):
                await hold_against_manifests(client, repository, one)

    asyncio.run(look())


async def hold_against_manifests(client: RegistryClient, repository: str, digest: str) -> None:
    """Hold what a page tells against what stands behind its tags."""
    assert isinstance(client, ReadsManifests)
    assert isinstance(client, ListsArtifacts)
    assert await client.list_tags(repository) == ("1.0", "2.0_RC-1", "latest")
    assert await client.look_at_tag(repository, "latest", None) == digest
    assert await client.look_at_tag(repository, "latest", digest) == digest
    assert await client.look_at_tag(repository, "latest", NOTHING) == digest
    assert await client.look_at_tag(repository, "nothing", None) is None
    manifest = await client.read_manifest(repository, digest)
    artifact = await client.look_at_artifact(repository, digest)
    assert manifest is not None
    assert artifact is not None
    assert len(manifest.blobs) == 2
    assert artifact.size_bytes == manifest.size_bytes + sum(blob.size_bytes for blob in manifest.blobs)
    assert await client.read_manifest(repository, NOTHING) is None


def test_pages_leave_nothing_out(registry: RegistryUnderTest) -> None:
    repository = f"{registry.space_prefix}team/app"

    async def look() -> None:
        pushed = {await asyncio.to_thread(registry.push, repository, f"v{number}") for number in range(5)}
        async with client_of(registry) as client:
            for page_size in (1, 2, 5, 100):
                found = await everything_in(client, repository, page_size)
                assert len(found) == 5
                assert {artifact.digest for artifact in found} == pushed
            # What comes after the last page is empty, and last too.
            assert isinstance(client, ListsArtifacts)
            beyond = await client.list_artifacts(repository, page=9, page_size=2)
            assert beyond is not None
            assert (beyond.artifacts, beyond.is_last) == ((), True)

    asyncio.run(look())


def test_what_is_not_there_is_none(registry: RegistryUnderTest) -> None:
    team, nowhere = f"{registry.space_prefix}team", f"{registry.space_prefix}nowhere"

    async def look() -> None:
        await asyncio.to_thread(registry.push, f"{team}/app")
        async with client_of(registry) as client:
            assert isinstance(client, ListsArtifacts)
            for repository in (f"{team}/nothing", f"{team}/app/deeper", f"{nowhere}/app", "No/Name", f"{team}/..", ""):
                assert await client.list_artifacts(repository) is None
                assert await client.look_at_artifact(repository, "v1") is None
                assert await client.look_at_artifact(repository, NOTHING) is None
            for reference in ("v2", "V1", NOTHING, "", "..", "a/b", "sha256:1", "x" * 200):
                assert await client.look_at_artifact(f"{team}/app", reference) is None

    asyncio.run(look())


def test_an_artifact_goes_with_its_tags(registry: RegistryUnderTest) -> None:
    repository = f"{registry.space_prefix}team/app/web"

    async def delete() -> None:
        one = await asyncio.to_thread(registry.push, repository, "1.0", "one")
        await asyncio.to_thread(registry.push, repository, "latest", "one")
        two = await asyncio.to_thread(registry.push, repository, "2.0", "two")
        async with client_of(registry) as client:
            assert isinstance(client, DeletesArtifacts)
            assert isinstance(client, ListsArtifacts)
            assert set(await tags_in(client, repository)) == {one, two}
            await client.delete_artifact(repository, one)
            assert await tags_in(client, repository) == {two: ["2.0"]}
            for reference in (one, "1.0", "latest"):
                assert await client.look_at_artifact(repository, reference) is None
            # Gone already, and never there: it is as good.
            for digest in (one, NOTHING, "1.0", ""):
                await client.delete_artifact(repository, digest)
            await client.delete_artifact(f"{repository}/nothing", two)
            assert await tags_in(client, repository) == {two: ["2.0"]}
            await client.delete_artifact(repository, two)
            assert await tags_in(client, repository) == {}

    asyncio.run(delete())


def test_a_tag_goes_alone_or_not_at_all(registry: RegistryUnderTest) -> None:
    repository = f"{registry.space_prefix}team/app"

    async def delete() -> None:
        one = await asyncio.to_thread(registry.push, repository, "1.0", "one")
        await asyncio.to_thread(registry.push, repository, "latest", "one")
        async with client_of(registry) as client:
            assert isinstance(client, DeletesTags)
            refused: DeletionRefused | None = None
            try:
                await client.delete_tag(repository, "latest")
            except DeletionRefused as error:
                refused = error
            if refused is not None:
                assert refused.reason is NoDeletion.NOT_OFFERED
                assert re.fullmatch(r"\S+ can delete whole artifacts only, with all their tags: .*", refused.message)
                assert await tags_in(client, repository) == {one: ["1.0", "latest"]}
                return
            assert await tags_in(client, repository) == {one: ["1.0"]}
            for tag in ("latest", "nothing", one, ""):
                await client.delete_tag(repository, tag)
            await client.delete_tag(f"{repository}/nothing", "1.0")
            assert await tags_in(client, repository) == {one: ["1.0"]}

    asyncio.run(delete())


def test_a_repository_goes_where_that_is_offered(registry: RegistryUnderTest) -> None:
    repository, kept = f"{registry.space_prefix}team/app/web", f"{registry.space_prefix}team/app"

    async def delete() -> None:
        for name in (repository, kept):
            await asyncio.to_thread(registry.push, name)
        async with client_of(registry) as client:
            if isinstance(client, DeletesRepositories):
                for name in (repository, repository, f"{kept}/nothing", f"{kept}/", ""):
                    await client.delete_repository(name)
                assert isinstance(client, ListsArtifacts)
                assert await client.list_artifacts(repository) is None
            assert len(await tags_in(client, kept)) == 1

    asyncio.run(delete())


def test_many_read_at_once(registry: RegistryUnderTest) -> None:
    repositories = [f"{registry.space_prefix}team/app{number}" for number in range(4)]

    async def look() -> None:
        pushed = {name: await asyncio.to_thread(registry.push, name) for name in repositories}
        async with client_of(registry) as client:
            found = await asyncio.gather(*(tags_in(client, name) for name in repositories for _ in range(10)))
            assert found == [{pushed[name]: ["v1"]} for name in repositories for _ in range(10)]

    asyncio.run(look())


def test_nothing_is_read_or_deleted_after_the_end(registry: RegistryUnderTest) -> None:
    repository = f"{registry.space_prefix}team/app"

    async def close() -> None:
        digest = await asyncio.to_thread(registry.push, repository)
        async with client_of(registry) as client:
            assert isinstance(client, ListsArtifacts)
            assert isinstance(client, DeletesArtifacts)
            await client.aclose()
            for call in (client.list_artifacts(repository), client.look_at_artifact(repository, "v1")):
                with pytest.raises(RegistryError):
                    await call
            with pytest.raises(RegistryError):
                await client.delete_artifact(repository, digest)
        async with client_of(registry) as client:
            assert await tags_in(client, repository) == {digest: ["v1"]}

    asyncio.run(close())


def test_a_wrong_credential_reads_and_deletes_nothing(registry: RegistryUnderTest) -> None:
    repository = f"{registry.space_prefix}team/app"

    async def attempt() -> None:
        digest = await asyncio.to_thread(registry.push, repository)
        if registry.credential is not None:
            nobody = replace(registry, credential=Credential("nobody-of-this-name", "nothing"))
            async with client_of(nobody) as client:
                assert isinstance(client, ListsArtifacts)
                assert isinstance(client, DeletesArtifacts)
                with pytest.raises(CredentialRejected) as caught:
                    await client.list_artifacts(repository)
                assert caught.value.http_status == 401
                with pytest.raises(CredentialRejected):
                    await client.delete_artifact(repository, digest)
        async with client_of(registry) as client:
            assert await tags_in(client, repository) == {digest: ["v1"]}

    asyncio.run(attempt())
