"""What every client does with a real registry of its kind."""

import asyncio
from dataclasses import replace

import pytest

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, TlsTrust
from registry_clients.errors import (
    AddressRefused,
    ConnectionRefused,
    CredentialRejected,
    RegistryError,
    StorageUnreadable,
    TlsNotTrusted,
    UnexpectedAnswer,
)
from registry_clients.kind import Ability
from registry_clients.kinds import KIND_DESCRIPTIONS, recognise_kind
from registry_clients.protocol import ListsContents, ListsRepositories, ListsSpaces
from tests.contract.registry_under_test import POLICY, SETTINGS, RegistryUnderTest, client_of, other_scheme

UNKNOWN = Credential("nobody-of-this-name", "nothing")


async def failure_of_verify(registry: RegistryUnderTest) -> RegistryError:
    async with client_of(registry) as client:
        with pytest.raises(RegistryError) as caught:
            await client.verify()
    return caught.value


def test_it_is_verified_with_its_credential(registry: RegistryUnderTest) -> None:
    async def verify() -> None:
        async with client_of(registry) as client:
            verified = await client.verify()
            assert verified.kind is client.kind is registry.kind
            assert verified.is_credential_verified == (registry.credential is not None)

    asyncio.run(verify())


def test_its_kind_is_recognised_without_a_credential(registry: RegistryUnderTest) -> None:
    assert asyncio.run(recognise_kind(registry.endpoint, POLICY, SETTINGS)) is registry.kind


@pytest.mark.parametrize("credential", [None, Credential("alice", "not-it"), UNKNOWN])
def test_a_missing_or_wrong_credential_is_rejected(registry: RegistryUnderTest, credential: Credential | None) -> None:
    if registry.is_shared and credential not in (None, UNKNOWN):
        pytest.skip("alice may be somebody there")
    if registry.credential is None:
        # Who asks for no credential can't tell a wrong one.
        async def verify() -> bool:
            async with client_of(replace(registry, credential=credential)) as client:
                return (await client.verify()).is_credential_verified

        assert asyncio.run(verify()) is False
        return
    error = asyncio.run(failure_of_verify(replace(registry, credential=credential)))
    assert type(error) is CredentialRejected
    assert registry.endpoint.host in error.message
    if credential is not None:
        assert credential.password not in error.message + (error.registry_message or "")


def test_a_probe_says_that_it_works(registry: RegistryUnderTest) -> None:
    async def probe() -> None:
        async with client_of(registry) as client:
            answer = await client.probe()
            assert 0 < answer.latency_milliseconds < SETTINGS.total_timeout_seconds * 1000
            assert answer.is_read_only is False
            has_components = Ability.COMPONENT_HEALTH in KIND_DESCRIPTIONS[registry.kind].abilities
            assert bool(answer.components) == has_components
            if not registry.is_shared:
                assert all(component.is_healthy for component in answer.components)

    asyncio.run(probe())


def test_one_client_serves_many_at_once(registry: RegistryUnderTest) -> None:
    async def probe() -> int:
        async with client_of(registry) as client:
            answers = await asyncio.gather(*(client.probe() for _ in range(3 * SETTINGS.connections)))
            return len(answers)

    assert asyncio.run(probe()) == 24


def test_spaces_are_what_was_pushed(registry: RegistryUnderTest) -> None:
    team, other = f"{registry.space_prefix}team", f"{registry.space_prefix}other"

    async def look() -> None:
        async with client_of(registry) as client:
            assert isinstance(client, ListsSpaces)
            assert Ability.LIST_SPACES in KIND_DESCRIPTIONS[registry.kind].abilities
            before = {space.name for space in await client.list_spaces()}
            assert not before & {team, other}
            for repository in (f"{team}/app", f"{team}/app/deep", f"{other}/app"):
                await asyncio.to_thread(registry.push, repository)
            spaces = await client.list_spaces()
            found = {space.name: space for space in spaces}
            assert {team, other} <= set(found)
            assert list(found) == sorted(found)
            assert len({space.external_id for space in spaces}) == len(spaces)
            ours = [space for space in spaces if registry.owns(space.name)]
            assert ours == [space for space in await client.list_spaces() if registry.owns(space.name)]

    asyncio.run(look())


def test_contents_are_spaces_and_repositories_that_belong_together(registry: RegistryUnderTest) -> None:
    team, other = f"{registry.space_prefix}team", f"{registry.space_prefix}other"

    async def look() -> None:
        async with client_of(registry) as client:
            assert isinstance(client, ListsContents)
            assert isinstance(client, ListsSpaces)
            assert isinstance(client, ListsRepositories)
            for repository in (f"{team}/app", f"{team}/app/deep", f"{other}/app"):
                await asyncio.to_thread(registry.push, repository)
            contents = await client.list_contents()
            spaces = {space.external_id: space for space in contents.spaces}
            assert all(found.space_external_id in spaces for found in contents.repositories)
            ours = [found for found in contents.repositories if registry.owns(found.name)]
            placed = [(spaces[found.space_external_id].name, found.name) for found in ours]
            assert placed == [(other, f"{other}/app"), (team, f"{team}/app"), (team, f"{team}/app/deep")]
            if not registry.is_shared:
                assert contents.spaces == await client.list_spaces()
                assert contents.repositories == await client.list_repositories()
            team_space = next(space for space in contents.spaces if space.name == team)
            in_team = await client.list_repositories(team_space)
            assert [found.name for found in in_team] == [f"{team}/app", f"{team}/app/deep"]

    asyncio.run(look())


def test_it_goes_and_comes_back_under_the_same_client(registry: RegistryUnderTest) -> None:
    outage = registry.outage
    if outage is None:
        pytest.skip("it is not ours to stop")

    async def probe() -> None:
        async with client_of(registry) as client:
            await client.probe()
            start = await asyncio.to_thread(outage)
            with pytest.raises(ConnectionRefused):
                await client.probe()
            with pytest.raises(ConnectionRefused):
                await client.verify()
            await asyncio.to_thread(start)
            await client.probe()

    asyncio.run(probe())


def test_storage_that_can_not_be_read_is_seen(registry: RegistryUnderTest) -> None:
    break_storage = registry.break_storage
    if break_storage is None:
        pytest.skip("its storage is not ours to break, or it lists without reading it")

    async def probe() -> RegistryError:
        async with client_of(registry) as client:
            await asyncio.to_thread(registry.push, "team/app")
            await client.probe()
            await asyncio.to_thread(break_storage)
            with pytest.raises(RegistryError) as caught:
                await client.probe()
            return caught.value

    error = asyncio.run(probe())
    assert type(error) is StorageUnreadable
    # The registry tells its paths; they go to nobody.
    assert "/" not in error.message.replace(registry.endpoint.host, "")
    assert "repositories" not in (error.registry_message or "")


def test_the_other_scheme_is_said_to_be_wrong(registry: RegistryUnderTest) -> None:
    if registry.is_shared:
        pytest.skip("what answers there is a matter of what stands in front")
    endpoint = replace(registry.endpoint, url=other_scheme(registry.endpoint.url))
    error = asyncio.run(failure_of_verify(replace(registry, endpoint=endpoint)))
    assert type(error) is UnexpectedAnswer
    assert f"{registry.endpoint.url.scheme}://" in error.message


def test_a_certificate_of_its_own_must_be_trusted(registry: RegistryUnderTest) -> None:
    if registry.endpoint.url.scheme != "https" or registry.endpoint.tls.ca_certificate_pem is None:
        pytest.skip("no TLS, or a certificate of a public authority")
    untrusted = replace(registry, endpoint=replace(registry.endpoint, tls=TlsTrust()))
    assert type(asyncio.run(failure_of_verify(untrusted))) is TlsNotTrusted
    skipping = replace(registry.endpoint, tls=TlsTrust(is_verification_skipped=True))

    async def verify() -> bool:
        async with client_of(replace(registry, endpoint=skipping)) as client:
            return (await client.verify()).is_credential_verified

    assert asyncio.run(verify()) is True


def test_the_address_policy_holds(registry: RegistryUnderTest) -> None:
    if registry.endpoint.url.host != "127.0.0.1":
        pytest.skip("it is not on this machine")

    async def verify() -> None:
        async with client_of(registry, AddressPolicy(allows_loopback=False, allows_private=False)) as client:
            with pytest.raises(AddressRefused):
                await client.verify()

    asyncio.run(verify())


def test_closing_twice_is_fine(registry: RegistryUnderTest) -> None:
    async def close() -> None:
        async with client_of(registry) as client:
            await client.probe()
            await client.aclose()
            with pytest.raises(RegistryError):
                await client.probe()

    asyncio.run(close())
