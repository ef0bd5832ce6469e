"""Trying a registry without saving anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from models.enums import RegistryKind
from registry_clients.addresses import AddressPolicy
from registry_clients.discretion import discreet
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import OtherKind, RegistryError
from registry_clients.kind import RegistryKind as ClientKind
from registry_clients.kinds import KIND_DESCRIPTIONS, open_client, recognise_kind
from registry_clients.protocol import HasChangeFeed, ListsContents, ListsSpaces, MakesReaderCredential, RegistryClient
from registry_clients.records import RegistryContents, Verification
from registry_clients.transport import TransportSettings
from services.observation import UNOBSERVED, Observer
from services.registry_input import (
    InputErrors,
    RegistryInput,
    parse_credential,
    parse_endpoint,
    require_supported,
)
from services.user_errors import RegistryRefused

URL_PATH = ("input", "url")


@dataclass(frozen=True, slots=True)
class RegistryCheck:
    """What a registry said of itself when it was checked; `space_count` is None where it can't tell."""

    kind: RegistryKind
    version: str | None
    is_credential_verified: bool
    space_count: int | None


@dataclass(frozen=True, slots=True)
class RegistryLook:
    """What a registry is, holds and can do; `contents` is None where it wasn't asked what it holds.

    An administrator's credential is not used to list everything where a reader's can be made: that would cost the
    registry a hundred times as much.
    """

    verification: Verification
    contents: RegistryContents | None
    makes_readers: bool
    has_change_feed: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """With which rules and limits registries are reached, and who counts it."""

    policy: AddressPolicy
    settings: TransportSettings
    observer: Observer = UNOBSERVED


@dataclass(frozen=True, slots=True)
class Reaches:
    """How registries are reached, by whose they are: a workspace's may not lie where the platform's may."""

    platform: Reach
    workspaces: Reach

    def of(self, workspace_id: int | None) -> Reach:
        """Return how to reach a registry that a workspace brought; None stands for the platform's."""
        return self.platform if workspace_id is None else self.workspaces


async def check_registry(given: RegistryInput, reach: Reach) -> RegistryCheck:
    """Try a registry; without a kind, find out which it is.

    Raises UserErrors for what is wrong with the input, KindNotSupported, RegistryRefused.
    """
    errors = InputErrors()
    endpoint = parse_endpoint(given, errors)
    credential = parse_credential(given.username, given.password, given.kind, errors)
    errors.raise_any()
    if endpoint is None:
        raise AssertionError("an input without errors has an endpoint")
    kind = given.kind
    if kind is None:
        kind = await _recognised(endpoint, reach)
        # Whether it needs one is only known now.
        credential = parse_credential(given.username, given.password, kind, errors)
        errors.raise_any()
    require_supported(kind)
    async with _client(kind, endpoint, credential, reach) as client:
        verification = await client.verify()
        return RegistryCheck(
            kind=kind,
            version=verification.version,
            is_credential_verified=verification.is_credential_verified,
            space_count=len(await client.list_spaces()) if isinstance(client, ListsSpaces) else None,
        )


async def look_at(
    kind: RegistryKind, endpoint: RegistryEndpoint, credential: Credential | None, reach: Reach
) -> RegistryLook:
    """Verify a registry and list what it holds, unless a reader's credential can do that. Raises RegistryRefused."""
    async with _client(kind, endpoint, credential, reach) as client:
        verification = await client.verify()
        makes_readers = isinstance(client, MakesReaderCredential)
        contents = None
        if isinstance(client, ListsContents) and not makes_readers:
            contents = await client.list_contents()
        return RegistryLook(
            verification=verification,
            contents=contents,
            makes_readers=makes_readers,
            has_change_feed=isinstance(client, HasChangeFeed),
        )


async def verify(
    kind: RegistryKind, endpoint: RegistryEndpoint, credential: Credential | None, reach: Reach
) -> Verification:
    """Verify a registry and a credential. Raises RegistryRefused."""
    async with _client(kind, endpoint, credential, reach) as client:
        return await client.verify()


@asynccontextmanager
async def _client(
    kind: RegistryKind, endpoint: RegistryEndpoint, credential: Credential | None, reach: Reach
) -> AsyncIterator[RegistryClient]:
    try:
        client = await open_client(
            ClientKind(kind.value),
            endpoint,
            credential,
            reach.policy,
            reach.settings,
            reach.observer.registry_called,
        )
        try:
            with discreet(credential):
                yield client
        finally:
            await client.aclose()
    except RegistryError as error:
        raise RegistryRefused(error, URL_PATH) from error


async def _recognised(endpoint: RegistryEndpoint, reach: Reach) -> RegistryKind:
    try:
        kind = await recognise_kind(endpoint, reach.policy, reach.settings)
    except RegistryError as error:
        raise RegistryRefused(error, URL_PATH) from error
    if kind is None:
        titles = " or ".join(description.title for description in KIND_DESCRIPTIONS.values())
        raise RegistryRefused(OtherKind(f"What answers at {endpoint.host} is no {titles}."), URL_PATH)
    return RegistryKind(kind.value)
