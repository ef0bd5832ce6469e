"""Real docker-registry processes for tests, which can read their logs and break their storage."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from demo.certificates import ServerCertificate
from demo.docker_registry import EXECUTABLE, DockerRegistry
from demo.images import push_image

__all__ = ["DockerRegistryServer", "push_image", "require_docker_registry", "running_docker_registry"]


def require_docker_registry() -> str:
    """Return the path of docker-registry. Skips the test without it; on CI, where it belongs, fails it."""
    path = shutil.which(EXECUTABLE)
    if path is None:
        reason = "docker-registry is not installed (Debian: apt install docker-registry)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


class DockerRegistryServer(DockerRegistry):
    """One docker-registry process, which may also have a token server."""

    def __init__(
        self,
        executable: str,
        folder: Path,
        htpasswd: Mapping[str, str] | None,
        tls: trustme.CA | None,
        configuration: Mapping[str, Any] | None,
        bearer: Callable[[str], str] | None,
    ) -> None:
        super().__init__(
            executable,
            folder,
            users=htpasswd,
            certificate=None if tls is None else _certificate_from(tls),
            configuration=configuration,
        )
        self._bearer = bearer

    def authorization_for(self, repository: str) -> dict[str, str]:
        """Return the header of one who may push to a repository; empty where everybody may."""
        if self._bearer is not None:
            return {"Authorization": f"Bearer {self._bearer(f'repository:{repository}:pull,push')}"}
        return super().authorization_for(repository)


@contextmanager
def running_docker_registry(
    folder: Path,
    *,
    htpasswd: Mapping[str, str] | None = None,
    tls: trustme.CA | None = None,
    configuration: Mapping[str, Any] | None = None,
    bearer: Callable[[str], str] | None = None,
) -> Iterator[DockerRegistryServer]:
    """Run a registry as long as the block.

    ``htpasswd`` gives user names and passwords, ``tls`` an authority that signs its certificate,
    ``configuration`` whole sections of its configuration in place of ours, ``bearer`` a token for a scope
    where these sections ask for tokens. Skips as `require_docker_registry` does.
    """
    server = DockerRegistryServer(require_docker_registry(), folder, htpasswd, tls, configuration, bearer)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _certificate_from(authority: trustme.CA) -> ServerCertificate:
    issued = authority.issue_cert("127.0.0.1", "localhost")
    return ServerCertificate(
        chain_pem=b"".join(blob.bytes() for blob in issued.cert_chain_pems),
        key_pem=issued.private_key_pem.bytes(),
        authority_pem=authority.cert_pem.bytes(),
    )
