"""The registries that can be integrated, and how a client for each is made."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from registry_clients.addresses import AddressPolicy
from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.kind import Ability, KindDescription, KindNotSupported, RegistryKind
from registry_clients.protocol import RegistryClient
from registry_clients.recognition import recognise
from registry_clients.transport import AiohttpTransport, TransportSettings

KIND_DESCRIPTIONS: Mapping[RegistryKind, KindDescription] = MappingProxyType(
    {
        RegistryKind.HARBOR: KindDescription(
            kind=RegistryKind.HARBOR,
            title="Harbor",
            description=("A registry with projects, users, quotas and vulnerability scans. Its projects are spaces."),
            abilities=frozenset(Ability) - {Ability.TOKEN_SERVER, Ability.NOTIFICATIONS},
            requires_credential=True,
            is_supported=False,
        ),
        RegistryKind.DOCKER_REGISTRY: KindDescription(
            kind=RegistryKind.DOCKER_REGISTRY,
            title="Docker Registry",
            description=(
                "The plain registry, also known as Distribution. The first segments of its repositories'"
                " names are its spaces: they are found, and can't be made."
            ),
            abilities=frozenset(
                {
                    Ability.LIST_SPACES,
                    Ability.DELETE_ARTIFACTS,
                    Ability.NOTIFICATIONS,
                    Ability.TOKEN_SERVER,
                }
            ),
            requires_credential=False,
            is_supported=True,
        ),
    }
)


async def open_client(
    kind: RegistryKind,
    endpoint: RegistryEndpoint,
    credential: Credential | None,
    policy: AddressPolicy,
    settings: TransportSettings,
) -> RegistryClient:
    """Return a client for one registry; nothing is sent yet, and whoever opens it closes it.

    Raises KindNotSupported for a kind that has no client yet, TlsNotTrusted when the endpoint's CA
    certificate can't be used.
    """
    opener = _OPENERS.get(kind)
    if opener is None:
        raise KindNotSupported(kind, KIND_DESCRIPTIONS[kind].title)
    return await opener(endpoint, credential, policy, settings)


async def recognise_kind(
    endpoint: RegistryEndpoint, policy: AddressPolicy, settings: TransportSettings
) -> RegistryKind | None:
    """Return what kind of registry answers at an endpoint, None for none that we know.

    No credential is sent. Raises RegistryError when nothing answers there.
    """
    transport = await AiohttpTransport.open(endpoint.tls, policy, settings)
    try:
        return await recognise(transport, endpoint.url)
    finally:
        await transport.aclose()


async def _open_docker_registry(
    endpoint: RegistryEndpoint,
    credential: Credential | None,
    policy: AddressPolicy,
    settings: TransportSettings,
) -> RegistryClient:
    transport = await AiohttpTransport.open(endpoint.tls, policy, settings)
    return DockerRegistryClient(endpoint, credential, transport, settings)


_Opener = Callable[[RegistryEndpoint, Credential | None, AddressPolicy, TransportSettings], Awaitable[RegistryClient]]

_OPENERS: Mapping[RegistryKind, _Opener] = MappingProxyType({RegistryKind.DOCKER_REGISTRY: _open_docker_registry})
