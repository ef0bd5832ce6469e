"""Real docker-registry processes for tests, which can read their logs and break their storage."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from demo.certificates import ServerCertificate
from demo.docker_registry import EXECUTABLE, DockerRegistry
from demo.images import push_image

__all__ = [
    "DockerRegistryServer",
    "push_blob",
    "push_image",
    "push_manifest",
    "require_docker_registry",
    "running_docker_registry",
]


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


def push_blob(server: DockerRegistryServer, repository: str, content: bytes) -> str:
    """Push some bytes as a blob and return their digest."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload = _sent(server, "POST", f"/v2/{repository}/blobs/uploads/", repository)
    parts = urlsplit(upload["Location"])
    target = f"{parts.path}?{parts.query}&digest={digest}"
    _sent(server, "PUT", target, repository, content, "application/octet-stream")
    return digest


def push_manifest(
    server: DockerRegistryServer, repository: str, reference: str, content: bytes, media_type: str
) -> str:
    """Push a manifest, as it is, under a tag or its digest; return its digest. What it names must be there."""
    sent = _sent(server, "PUT", f"/v2/{repository}/manifests/{reference}", repository, content, media_type)
    return sent["Docker-Content-Digest"]


def _sent(
    server: DockerRegistryServer,
    method: str,
    target: str,
    repository: str,
    content: bytes = b"",
    media_type: str | None = None,
) -> HTTPMessage:
    headers = server.authorization_for(repository) | ({} if media_type is None else {"Content-Type": media_type})
    with closing(server.connect()) as connection:
        connection.request(method, target, content, headers)
        response = connection.getresponse()
        said = response.read()
    assert response.status in (201, 202), f"{method} {target} is answered {response.status}: {said[:500]!r}"
    return response.headers


def _certificate_from(authority: trustme.CA) -> ServerCertificate:
    issued = authority.issue_cert("127.0.0.1", "localhost")
    return ServerCertificate(
        chain_pem=b"".join(blob.bytes() for blob in issued.cert_chain_pems),
        key_pem=issued.private_key_pem.bytes(),
        authority_pem=authority.cert_pem.bytes(),
    )
