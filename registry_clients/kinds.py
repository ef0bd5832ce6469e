"""The registries that can be integrated, and how a client for each is made."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from registry_clients.addresses import AddressPolicy
from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.harbor.client import HarborClient
from registry_clients.harbor.projects import PROJECT_NAME_RULE, is_project_name
from registry_clients.image_reference import is_repository_name
from registry_clients.kind import Ability, KindDescription, KindNotSupported, RegistryKind
from registry_clients.observed_transport import ObservedTransport
from registry_clients.protocol import RegistryClient
from registry_clients.recognition import recognise
from registry_clients.transport import AiohttpTransport, RegistryTransport, TransportSettings


def _is_first_segment(name: str) -> bool:
    return "/" not in name and is_repository_name(name)


KIND_DESCRIPTIONS: Mapping[RegistryKind, KindDescription] = MappingProxyType(
    {
        RegistryKind.HARBOR: KindDescription(
            kind=RegistryKind.HARBOR,
            title="Harbor",
            description=("A registry with projects, users, quotas and vulnerability scans. Its projects are spaces."),
            abilities=frozenset(Ability) - {Ability.TOKEN_SERVER, Ability.NOTIFICATIONS},
            requires_credential=True,
            is_supported=True,
            is_space_name=is_project_name,
            space_name_rule=PROJECT_NAME_RULE,
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
            is_space_name=_is_first_segment,
            space_name_rule=(
                "A name here begins the names of repositories: lower-case letters and digits, with a dot, one or two"
                " underscores, or dashes between them; 255 characters at most."
            ),
        ),
    }
)


async def open_client(
    kind: RegistryKind,
    endpoint: RegistryEndpoint,
    credential: Credential | None,
    policy: AddressPolicy,
    settings: TransportSettings,
    observe: Callable[[RegistryKind, str, float], None] | None = None,
    reader: Credential | None = None,
) -> RegistryClient:
    """Return a client for one registry; nothing is sent yet, and whoever opens it closes it.

    `reader` is the credential for reading alone, where one was made. `observe` is told of each call: to which
    kind, its outcome and its seconds (see `CallObserver`). Raises KindNotSupported for a kind that can't be
    integrated yet, TlsNotTrusted when the endpoint's CA certificate can't be used.
    """
    description = KIND_DESCRIPTIONS[kind]
    if not description.is_supported:
        raise KindNotSupported(kind, description.title)
    transport: RegistryTransport = await AiohttpTransport.open(endpoint.tls, policy, settings)
    if observe is not None:
        transport = ObservedTransport(transport, partial(observe, kind))
    return client_over(kind, endpoint, credential, transport, settings, reader)


def client_over(
    kind: RegistryKind,
    endpoint: RegistryEndpoint,
    credential: Credential | None,
    transport: RegistryTransport,
    settings: TransportSettings,
    reader: Credential | None = None,
) -> RegistryClient:
    """Return a client of a kind, supported yet or not, over a transport that it takes over."""
    match kind:
        case RegistryKind.HARBOR:
            return HarborClient(endpoint, credential, transport, settings, reader)
        case RegistryKind.DOCKER_REGISTRY:
            return DockerRegistryClient(endpoint, credential, transport, settings)


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
