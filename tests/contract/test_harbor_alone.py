"""What only a Harbor can do, beyond the contract of all clients: over the double, and over a real one.

An ability that an older Harbor lacks is asked for first, and its absence is the reason of the skip.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint, parse_registry_url
from registry_clients.errors import NotAnAdministrator
from registry_clients.harbor.client import HarborClient
from registry_clients.kind import RegistryKind
from registry_clients.kinds import KIND_DESCRIPTIONS
from registry_clients.records import Change, ChangeKind, ReaderCredential, ReaderFlaw
from registry_clients.refusals import (
    FeedLost,
    NoReaderCredential,
    SpaceGone,
    SpaceNameHeld,
    SpaceNotAccepted,
    SpaceNotEmpty,
)
from registry_clients.transport import AiohttpTransport, RegistryRequest, TransportSettings
from tests.contract.live_harbor import MARKER, LiveHarbor, cleaned
from tests.contract.live_registries import live_harbor
from tests.doubles.harbor.server import running_harbor

CHANGE_DEADLINE_SECONDS = 20.0
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class HarborUnderTest:
    """A Harbor, and a name for a project that nobody has."""

    harbor: LiveHarbor
    project: str


@pytest.fixture(params=["harbor", pytest.param("live-harbor", marks=pytest.mark.live)])
def under_test(request: pytest.FixtureRequest) -> Iterator[HarborUnderTest]:
    if request.param == "live-harbor":
        harbor = live_harbor()
        with cleaned(harbor) as prefix:
            yield HarborUnderTest(harbor, f"{prefix}team")
        return
    with running_harbor() as double:
        harbor = LiveHarbor(RegistryEndpoint(parse_registry_url(double.url)), Credential(*double.administrator))
        with cleaned(harbor) as prefix:
            yield HarborUnderTest(harbor, f"{prefix}team")


@asynccontextmanager
async def reader_of(harbor: LiveHarbor) -> AsyncIterator[tuple[HarborClient, ReaderCredential]]:
    """Open a client that reads with a robot of its own."""
    async with harbor.client() as administrator:
        try:
            made = await administrator.make_reader(MARKER)
        except NoReaderCredential as error:
            pytest.skip(error.message)
    async with harbor.client(made.credential) as client:
        yield client, made


def test_spaces_are_made_opened_closed_and_deleted(under_test: HarborUnderTest) -> None:
    project = under_test.project

    async def change() -> None:
        async with under_test.harbor.client() as client:
            assert await client.look_at_space(project) is None
            made = await client.create_space(project, is_public=False)
            assert await client.look_at_space(project) == made
            assert (made.name, made.is_public) == (project, False)
            with pytest.raises(SpaceNameHeld):
                await client.create_space(project, is_public=True)
            for is_public in (True, False):
                await client.set_visibility(made, is_public=is_public)
                assert await client.look_at_space(project) == replace(made, is_public=is_public)
            await client.delete_space(made)
            assert await client.look_at_space(project) is None
            again = await client.create_space(project, is_public=False)
            assert again.external_id != made.external_id

    asyncio.run(change())


def test_a_space_with_an_image_stays(under_test: HarborUnderTest) -> None:
    digest = under_test.harbor.push(f"{under_test.project}/app/web")

    async def look() -> None:
        async with under_test.harbor.client() as client:
            space = await client.look_at_space(under_test.project)
            assert space is not None
            page = await client.list_artifacts(f"{under_test.project}/app/web")
            assert page is not None
            [artifact] = page.artifacts
            assert (artifact.digest, [tag.name for tag in artifact.tags]) == (digest, ["v1"])
            summary = await client.summarize_space(space)
            assert summary is not None
            assert summary.repository_count == 1
            held = await client.look_at_repositories(space)
            assert [repository.name for repository in held] == [f"{under_test.project}/app/web"]
            with pytest.raises(SpaceNotEmpty):
                await client.delete_space(space)
            assert await client.look_at_space(under_test.project) == space

    asyncio.run(look())


def test_names_are_taken_as_our_rule_says(under_test: HarborUnderTest) -> None:
    project, is_space_name = under_test.project, KIND_DESCRIPTIONS[RegistryKind.HARBOR].is_space_name

    async def make() -> None:
        async with under_test.harbor.client() as client:
            for name in (f"{project}_under.dot-dash0", project + "x" * (255 - len(project))):
                assert is_space_name(name)
                made = await client.create_space(name, is_public=False)
                assert await client.look_at_space(name) == made
            for ending in ("A", "-", ".", "_", "--a", "._a", "/a", " a", "ä", "x" * (256 - len(project))):
                assert not is_space_name(project + ending)
                with pytest.raises(SpaceNotAccepted):
                    await client.create_space(project + ending, is_public=False)

    asyncio.run(make())


def test_a_limit_on_storage_is_kept(under_test: HarborUnderTest) -> None:
    async def make() -> None:
        async with under_test.harbor.client() as client:
            made = await client.create_space(under_test.project, is_public=False, quota_limit_bytes=5 * 2**20)
            summary = await client.summarize_space(made)
            assert summary is not None
            if summary.quota_used_bytes is None:
                pytest.skip("this Harbor counts no quotas")
            assert summary.quota_limit_bytes == 5 * 2**20

    asyncio.run(make())


def test_a_space_that_is_gone_is_said_to_be(under_test: HarborUnderTest) -> None:
    async def change() -> None:
        async with under_test.harbor.client() as client:
            gone = await client.create_space(under_test.project, is_public=False)
            await client.delete_space(gone)
            again = await client.create_space(under_test.project, is_public=False)
            with pytest.raises(SpaceGone):
                await client.set_visibility(gone, is_public=True)
            with pytest.raises(SpaceGone):
                await client.delete_space(gone)
            # Another of the same name is left alone.
            assert await client.look_at_space(under_test.project) == again

    asyncio.run(change())


def test_a_reader_sees_what_the_administrator_sees(under_test: HarborUnderTest) -> None:
    under_test.harbor.push(f"{under_test.project}/app")

    async def look() -> None:
        async with reader_of(under_test.harbor) as (reader, _), under_test.harbor.client() as administrator:
            space = await administrator.look_at_space(under_test.project)
            assert space is not None
            assert await reader.look_at_space(under_test.project) == space
            assert space in await reader.list_spaces()
            [repository] = await reader.look_at_repositories(space)
            assert repository.name == f"{under_test.project}/app"
            contents = await reader.list_contents()
            assert space in contents.spaces
            assert repository.name in {found.name for found in contents.repositories}
            assert await reader.summarize_space(space) == await administrator.summarize_space(space)

    asyncio.run(look())


def test_a_reader_can_not_pull_nor_administrate(under_test: HarborUnderTest) -> None:
    under_test.harbor.push(f"{under_test.project}/app")

    async def pull(credential: Credential) -> int:
        endpoint = under_test.harbor.endpoint
        transport = await AiohttpTransport.open(endpoint.tls, AddressPolicy(), TransportSettings())
        try:
            basic = b64encode(f"{credential.username}:{credential.password}".encode()).decode()
            url = endpoint.url.with_path(f"/v2/{under_test.project}/app/manifests/v1")
            headers = {"Authorization": f"Basic {basic}", "Accept": "application/vnd.oci.image.manifest.v1+json"}
            return (await transport.send(RegistryRequest("GET", url, headers))).status
        finally:
            await transport.aclose()

    async def look() -> None:
        async with reader_of(under_test.harbor) as (_, made):
            assert await pull(under_test.harbor.credential) == 200
            assert await pull(made.credential) == 401
            as_administrator = LiveHarbor(under_test.harbor.endpoint, made.credential)
            async with as_administrator.client() as client:
                with pytest.raises(NotAnAdministrator):
                    await client.verify()

    asyncio.run(look())


def test_a_reader_is_looked_at_and_removed(under_test: HarborUnderTest) -> None:
    async def look() -> None:
        async with reader_of(under_test.harbor) as (_, first), under_test.harbor.client() as administrator:
            state = await administrator.look_at_reader(first.external_id)
            assert (state.name, state.flaw) == (first.credential.username, None)
            second = await administrator.make_reader(MARKER)
            assert await administrator.remove_stray_readers(MARKER, second.external_id) == 1
            assert (await administrator.look_at_reader(first.external_id)).flaw is ReaderFlaw.GONE
            await administrator.remove_reader(second.external_id)
            assert (await administrator.look_at_reader(second.external_id)).flaw is ReaderFlaw.GONE

    asyncio.run(look())


def test_changes_are_told_of(under_test: HarborUnderTest) -> None:
    project, harbor = under_test.project, under_test.harbor

    async def follow() -> None:
        async with reader_of(harbor) as (reader, _):
            try:
                await reader.check_feed()
            except FeedLost as error:
                pytest.skip(error.message)
            position = await reader.newest_change() or 0
            await asyncio.to_thread(harbor.push, f"{project}/app")
            expected = {(ChangeKind.SPACE_CREATED, None), (ChangeKind.ARTIFACT_PUSHED, f"{project}/app")}
            told: list[Change] = []
            async with asyncio.timeout(CHANGE_DEADLINE_SECONDS):
                # Others' changes are between ours.
                while not expected <= {(change.kind, change.repository_name) for change in told}:
                    page = await reader.changes_after(position)
                    told += [change for change in page.changes if change.space_name == project]
                    position = position if page.newest_id is None else page.newest_id
                    await asyncio.sleep(POLL_SECONDS)
            assert len({change.id for change in told}) == len(told)

    asyncio.run(follow())


def test_what_a_killed_run_left_is_removed_first(under_test: HarborUnderTest) -> None:
    under_test.harbor.push(f"{under_test.project}/app")
    assert under_test.harbor.leftovers == [under_test.project]
    with cleaned(under_test.harbor):
        assert under_test.harbor.leftovers == []


def test_nothing_of_ours_is_left_after_a_failure(under_test: HarborUnderTest) -> None:
    harbor = under_test.harbor

    async def make() -> None:
        async with reader_of(harbor):
            pass

    def fail_half_way() -> None:
        with cleaned(harbor) as prefix:
            for repository in ("app", "app/deep/er"):
                harbor.push(f"{prefix}half/{repository}")
            asyncio.run(make())
            assert len(harbor.leftovers) == 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert harbor.leftovers == []
