"""What the contract suite needs to know of a real registry, whatever its kind.

A kind joins the suite with one entry in `REGISTRIES`: a context manager that runs such a registry.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import trustme
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint, TlsTrust, parse_registry_url
from registry_clients.kind import RegistryKind
from registry_clients.kinds import client_over
from registry_clients.protocol import RegistryClient
from registry_clients.transport import AiohttpTransport, TransportSettings
from tests.doubles.harbor.images import made_image
from tests.doubles.harbor.server import running_harbor
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.servers.token_server import running_token_server

SETTINGS = TransportSettings()
POLICY = AddressPolicy()


class Push(Protocol):
    """Pushes a small image; those of the same text are the same."""

    def __call__(self, repository: str, tag: str = "v1", text: str = "") -> str:
        """Make the repository, and its space where spaces are made, and return the image's digest."""
        ...


@dataclass(frozen=True)
class RegistryUnderTest:
    """A real registry that runs, and how to change it from outside.

    ``credential`` is one that may do all we need, None where the registry wants none. ``outage`` stops the registry
    and returns what starts it again at the same address; ``break_storage`` makes what it stores unreadable while it
    goes on answering: each is None where that can't be had.

    ``space_prefix`` is what names of spaces must begin with. One that ``is_shared`` is somebody's: others change
    it meanwhile, and all in it that hasn't the prefix is left alone.
    """

    kind: RegistryKind
    endpoint: RegistryEndpoint
    credential: Credential | None
    push: Push
    outage: Callable[[], Callable[[], None]] | None = None
    break_storage: Callable[[], None] | None = None
    space_prefix: str = ""
    is_shared: bool = False

    def owns(self, name: str) -> bool:
        """Return whether a space or repository is one that the suite has made, by its name."""
        return name.startswith(self.space_prefix)


def _stopped(stop: Callable[[], None], start: Callable[[], None]) -> Callable[[], None]:
    stop()
    return start


def _docker_registry(server: DockerRegistryServer, credential: Credential | None) -> RegistryUnderTest:
    def break_storage() -> None:
        # Not by permissions: root reads all. A file where a folder is meant can be listed by nobody.
        repositories = server.storage / "docker" / "registry" / "v2" / "repositories"
        repositories.rename(server.storage / "repositories-elsewhere")
        repositories.write_text("not a folder")

    return RegistryUnderTest(
        kind=RegistryKind.DOCKER_REGISTRY,
        endpoint=RegistryEndpoint(
            url=parse_registry_url(server.url), tls=TlsTrust(ca_certificate_pem=server.ca_certificate_pem)
        ),
        credential=credential,
        push=lambda repository, tag="v1", text="": push_image(server, repository, tag, text),
        outage=lambda: _stopped(server.stop, server.start),
        break_storage=break_storage,
    )


@contextmanager
def open_docker_registry(folder: Path) -> Iterator[RegistryUnderTest]:
    """Run a Docker Registry that lets everybody in."""
    with running_docker_registry(folder) as server:
        yield _docker_registry(server, None)


@contextmanager
def docker_registry_with_passwords(folder: Path) -> Iterator[RegistryUnderTest]:
    """Run a Docker Registry with an htpasswd file."""
    credential = Credential("alice", "wonder:länd")
    with running_docker_registry(folder, htpasswd={credential.username: credential.password}) as server:
        yield _docker_registry(server, credential)


@contextmanager
def docker_registry_with_tls(folder: Path) -> Iterator[RegistryUnderTest]:
    """Run a Docker Registry whose certificate comes from an authority of its own, with passwords."""
    credential = Credential("alice", "wonder")
    users = {credential.username: credential.password}
    with running_docker_registry(folder, htpasswd=users, tls=trustme.CA()) as server:
        yield _docker_registry(server, credential)


@contextmanager
def docker_registry_with_tokens(folder: Path) -> Iterator[RegistryUnderTest]:
    """Run a Docker Registry that sends its clients to a token server."""
    credential = Credential("alice", "wonder")
    with (
        running_token_server(folder, {credential.username: credential.password}) as tokens,
        running_docker_registry(
            folder,
            configuration=tokens.configuration,
            bearer=lambda scope: tokens.token("pusher", [scope]),
        ) as server,
    ):
        yield _docker_registry(server, credential)


@contextmanager
def _harbor(path_prefix: str, folder: Path) -> Iterator[RegistryUnderTest]:
    del folder
    with running_harbor(path_prefix=path_prefix) as harbor:

        def push(repository: str, tag: str = "v1", text: str = "") -> str:
            project = repository.partition("/")[0]
            with harbor.paused() as state:
                if state.project_named(project) is None:
                    harbor.create_project(project)
            return harbor.push(repository, tag, made_image(text or f"{repository}:{tag}"))

        yield RegistryUnderTest(
            kind=RegistryKind.HARBOR,
            endpoint=RegistryEndpoint(parse_registry_url(harbor.url)),
            credential=Credential(*harbor.administrator),
            push=push,
            outage=lambda: _stopped(harbor.stop, harbor.start),
        )


REGISTRIES: dict[str, Callable[[Path], AbstractContextManager[RegistryUnderTest]]] = {
    "docker-registry-open": open_docker_registry,
    "docker-registry-htpasswd": docker_registry_with_passwords,
    "docker-registry-tls": docker_registry_with_tls,
    "docker-registry-tokens": docker_registry_with_tokens,
    "harbor": partial(_harbor, ""),
    "harbor-behind-a-path": partial(_harbor, "/some/harbor"),
}


@asynccontextmanager
async def client_of(registry: RegistryUnderTest, policy: AddressPolicy = POLICY) -> AsyncIterator[RegistryClient]:
    """Open a client as the suite's own credential."""
    # Not by `open_client`: the suite is for kinds that can't be integrated yet, too.
    transport = await AiohttpTransport.open(registry.endpoint.tls, policy, SETTINGS)
    client = client_over(registry.kind, registry.endpoint, registry.credential, transport, SETTINGS)
    try:
        yield client
    finally:
        await client.aclose()


def other_scheme(url: URL) -> URL:
    """Return the same address with http and https exchanged."""
    scheme = "http" if url.scheme == "https" else "https"
    return url.with_scheme(scheme).with_port(url.port)
