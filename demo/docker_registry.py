"""A real docker-registry (Debian's package): one process, on a port that the system chose.

It logs to a file and keeps its storage in a folder of its own; it can be stopped, and started again on the same
port. The tests run their registries with it too.
"""

from __future__ import annotations

import base64
import ctypes
import ctypes.util
import http.client
import json
import os
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.certificates import ServerCertificate

EXECUTABLE = "docker-registry"
START_TIMEOUT_SECONDS = 20.0
STOP_TIMEOUT_SECONDS = 10.0

_LISTENING = re.compile(rb"listening on [^\"\s]*?:(\d+)")


class RegistryDidNotStart(Exception):
    """The process ended at once, or did not begin to listen; the message has its last words."""


class DockerRegistry:
    """One docker-registry, with its configuration, its storage and its port.

    ``users`` are those who may pull and push, with their passwords; without any, everybody may. With a
    ``certificate`` it speaks TLS. ``configuration`` replaces whole sections of the one that is written here.
    """

    def __init__(
        self,
        executable: str,
        folder: Path,
        *,
        users: Mapping[str, str] | None = None,
        certificate: ServerCertificate | None = None,
        configuration: Mapping[str, Any] | None = None,
    ) -> None:
        self._executable = executable
        self._folder = folder
        self._users = dict(users or {})
        self._certificate = certificate
        self._configuration = dict(configuration or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.pasted = ""
        """Further sections of its configuration as somebody pastes them, YAML; they count from the next start on."""
        self.port = 0
        self.storage = folder / "storage"
        self.log = folder / "registry.log"

    @property
    def url(self) -> str:
        """Where it is: by number, so that no name server is needed."""
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def ca_certificate_pem(self) -> str | None:
        """The authority that signed its certificate; None without TLS."""
        return None if self._certificate is None else self._certificate.authority_pem.decode()

    @property
    def process_id(self) -> int | None:
        """The id of the process; None while it doesn't run, also when somebody else ended it."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process, on the port of last time if there was one, and wait until it listens.

        Raises RegistryDidNotStart.
        """
        if self.process_id is not None:
            raise RuntimeError("this registry runs already")
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "config.yml"
        sections = self._written_configuration().items()
        # JSON's way to write a value is YAML's too.
        written = "".join(f"{name}: {json.dumps(section)}\n" for name, section in sections)
        configuration.write_text(written + self.pasted)
        self.log.write_bytes(b"")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._executable, "serve", str(configuration)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
                # Ctrl-C at the terminal is for whoever started us: we end it, in our own order.
                start_new_session=True,
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
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def connect(self) -> http.client.HTTPConnection:
        """Return a plain HTTP connection to it, for looking without any client of ours."""
        if self._certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        context = ssl.create_default_context(cadata=self.ca_certificate_pem)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)

    def authorization_for(self, repository: str) -> dict[str, str]:
        """Return the header of one who may push to a repository; empty where everybody may."""
        for username, password in self._users.items():
            token = base64.b64encode(f"{username}:{password}".encode()).decode()
            return {"Authorization": f"Basic {token}"}
        return {}

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        pause = threading.Event()
        while time.monotonic() < deadline:
            said = self.log.read_bytes()
            if match := _LISTENING.search(said):
                return int(match[1])
            if self.process_id is None:
                raise RegistryDidNotStart(f"docker-registry ended at once: {said.decode(errors='replace')}")
            pause.wait(0.01)
        raise RegistryDidNotStart(f"docker-registry did not begin to listen within {START_TIMEOUT_SECONDS:.0f} s")

    def _written_configuration(self) -> dict[str, Any]:
        http_section: dict[str, Any] = {"addr": f"127.0.0.1:{self.port}"}
        if self._certificate is not None:
            http_section["tls"] = self._written_certificate(self._certificate)
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
            configuration["auth"] = {"htpasswd": {"realm": "registry", "path": str(users)}}
        return configuration | self._configuration

    def _written_certificate(self, certificate: ServerCertificate) -> dict[str, str]:
        chain, key = self._folder / "server.pem", self._folder / "server.key"
        chain.write_bytes(certificate.chain_pem)
        key.touch(mode=0o600)
        key.write_bytes(certificate.key_pem)
        return {"certificate": str(chain), "key": str(key)}


def _bcrypt(password: str) -> str:
    """Return a bcrypt hash, the only kind that docker-registry takes, by the C library's crypt(3)."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    # Cost 4 is the lowest, and the salt is always the same: these passwords protect nothing.
    hashed: bytes | None = library.crypt(password.encode(), b"$2b$04$" + b"abcdefghijklmnopqrstuu")
    if hashed is None or not hashed.startswith(b"$2b$"):
        raise RegistryDidNotStart("the C library of this machine can't make bcrypt hashes")
    return hashed.decode("ascii")
