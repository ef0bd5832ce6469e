"""A real docker-registry (Debian's package), started by a test on a port that the system chose.

It logs to a file and keeps its storage in the test's own folder, so that a test can read the one and break
the other; it can be stopped, and started again on the same port.
"""

import contextlib
import ctypes
import ctypes.util
import hashlib
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

START_TIMEOUT_SECONDS = 20

_EXECUTABLE = "docker-registry"
_LISTENING = re.compile(rb"listening on [^\"\s]*?:(\d+)")


def require_docker_registry() -> str:
    """Return the path of docker-registry. Skips the test without it; on CI, where it belongs, fails it."""
    path = shutil.which(_EXECUTABLE)
    if path is None:
        reason = "docker-registry is not installed (Debian: apt install docker-registry)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


class DockerRegistryServer:
    """One docker-registry process, with its configuration, its storage and its port."""

    def __init__(
        self,
        executable: str,
        folder: Path,
        htpasswd: Mapping[str, str] | None,
        tls: trustme.CA | None,
        configuration: Mapping[str, Any] | None,
        bearer: Callable[[str], str] | None,
    ) -> None:
        self._executable = executable
        self._folder = folder
        self._tls = tls
        self._configuration = configuration or {}
        self._bearer = bearer
        self._users = dict(htpasswd or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.storage = folder / "storage"
        self.log = folder / "registry.log"

    @property
    def url(self) -> str:
        """Where it is: by number, so that no name server is needed."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def ca_certificate_pem(self) -> str | None:
        """The authority that signed its certificate, None without TLS."""
        return None if self._tls is None else self._tls.cert_pem.bytes().decode()

    def start(self) -> None:
        """Start the process, on the port of last time if there was one, and wait until it listens."""
        assert self._process is None
        config = self._folder / "config.json"
        config.write_text(json.dumps(self._written_configuration()))
        self.log.write_bytes(b"")
        environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._executable, "serve", str(config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                env=environment,
            )
        try:
            self.port = self._wait_for_port()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process, if it runs, and wait until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def connect(self) -> http.client.HTTPConnection:
        """Return a plain HTTP connection to it, for tests that look for themselves."""
        if self._tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        context = ssl.create_default_context(cadata=self.ca_certificate_pem)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)

    def authorization_for(self, repository: str) -> dict[str, str]:
        """Return the header of one who may push to a repository, empty where everybody may."""
        if self._bearer is not None:
            return {"Authorization": f"Bearer {self._bearer(f'repository:{repository}:pull,push')}"}
        for username, password in self._users.items():
            token = b64encode(f"{username}:{password}".encode()).decode()
            return {"Authorization": f"Basic {token}"}
        return {}

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        pause = threading.Event()
        while time.monotonic() < deadline:
            said = self.log.read_bytes()
            if match := _LISTENING.search(said):
                return int(match[1])
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"docker-registry ended at once: {said.decode(errors='replace')}")
            pause.wait(0.01)
        raise RuntimeError("docker-registry did not begin to listen")

    def _written_configuration(self) -> dict[str, Any]:
        http_section: dict[str, Any] = {"addr": f"127.0.0.1:{self.port}"}
        if self._tls is not None:
            http_section["tls"] = self._written_certificate(self._tls)
        configuration: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "cache": {"blobdescriptor": "inmemory"},
                "delete": {"enabled": True},
            },
            "http": http_section,
        }
        if self._users:
            users = self._folder / "htpasswd"
            users.write_text("".join(f"{name}:{_bcrypt(word)}\n" for name, word in self._users.items()))
            configuration["auth"] = {"htpasswd": {"realm": "test", "path": str(users)}}
        return configuration | dict(self._configuration)

    def _written_certificate(self, authority: trustme.CA) -> dict[str, str]:
        key, chain = self._folder / "server.key", self._folder / "server.pem"
        if not key.exists():
            certificate = authority.issue_cert("127.0.0.1", "localhost")
            certificate.private_key_pem.write_to_path(key)
            for blob in certificate.cert_chain_pems:
                blob.write_to_path(chain, append=True)
        return {"certificate": str(chain), "key": str(key)}


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


def push_image(server: DockerRegistryServer, repository: str, tag: str, text: str = "") -> str:
    """Push a small OCI image, made here, and return the digest of its manifest.

    Images of the same text are the same; by default the text is repository and tag.
    """
    layer = f"a layer of {text or f'{repository}:{tag}'}".encode()
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _described("application/vnd.oci.image.config.v1+json", config.encode()),
            "layers": [_described("application/vnd.oci.image.layer.v1.tar", layer)],
        }
    ).encode()
    authorization = server.authorization_for(repository)
    with contextlib.closing(server.connect()) as connection:
        for blob in (layer, config.encode()):
            _push_blob(connection, authorization, repository, blob)
        _expect(
            connection,
            201,
            "PUT",
            f"/v2/{repository}/manifests/{tag}",
            manifest,
            authorization | {"Content-Type": "application/vnd.oci.image.manifest.v1+json"},
        )
    return _digest(manifest)


def _push_blob(
    connection: http.client.HTTPConnection, authorization: Mapping[str, str], repository: str, blob: bytes
) -> None:
    headers = _expect(connection, 202, "POST", f"/v2/{repository}/blobs/uploads/", b"", authorization)
    location = headers["Location"]
    separator = "&" if "?" in location else "?"
    _expect(
        connection,
        201,
        "PUT",
        f"{location}{separator}digest={_digest(blob)}",
        blob,
        {**authorization, "Content-Type": "application/octet-stream"},
    )


def _expect(
    connection: http.client.HTTPConnection,
    status: int,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
) -> http.client.HTTPMessage:
    connection.request(method, url, body=body, headers=dict(headers))
    response = connection.getresponse()
    said = response.read()
    assert response.status == status, (method, url, response.status, said)
    return response.headers


def _described(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _bcrypt(password: str) -> str:
    """Return a bcrypt hash, the only kind that docker-registry takes, by the C library's crypt(3)."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    # Cost 4 is the lowest: a test needs no strength, and no salt of its own.
    hashed: bytes = library.crypt(password.encode(), b"$2b$04$" + b"abcdefghijklmnopqrstuu")
    return hashed.decode("ascii")
