"""A token server for docker-registry's `auth.token`: it grants every scope to those whose password is right.

The certificate's key signs RS256 tokens that carry the certificate in `x5c`, which 2.8 and 3 both take.
"""

import json
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

_ISSUER = "token-server.test"
_SERVICE = "registry.test"


class TokenServer:
    """Where it is, and how a registry is told to trust it."""

    def __init__(self, folder: Path, users: Mapping[str, str], granted_scopes: frozenset[str]) -> None:
        signer = trustme.CA(key_type=trustme.KeyType.RSA).issue_cert(_ISSUER, key_type=trustme.KeyType.RSA)
        key = load_pem_private_key(signer.private_key_pem.bytes(), password=None)
        assert isinstance(key, RSAPrivateKey)
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(signer.cert_chain_pems[0].bytes())
        self._bundle = folder / "token-signers.pem"
        self._bundle.write_bytes(signer.cert_chain_pems[0].bytes())
        self._users = {b64encode(f"{name}:{word}".encode()).decode(): name for name, word in users.items()}
        self._granted_scopes = granted_scopes
        self.port = 0

    @property
    def configuration(self) -> dict[str, Any]:
        """The section `auth` of a registry's configuration."""
        return {
            "auth": {
                "token": {
                    "realm": f"http://127.0.0.1:{self.port}/token",
                    "service": _SERVICE,
                    "issuer": _ISSUER,
                    "rootcertbundle": str(self._bundle),
                }
            }
        }

    def token(self, subject: str, scopes: list[str]) -> str:
        """Return a token of five minutes for those of the scopes that are granted."""
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in (scope.split(":", 2) for scope in scopes)
            if kind in self._granted_scopes
        ]
        now = int(time.time())
        header = {
            "typ": "JWT",
            "alg": "RS256",
            "x5c": [b64encode(self._certificate.public_bytes(Encoding.DER)).decode()],
        }
        claims = {"iss": _ISSUER, "sub": subject, "aud": _SERVICE, "exp": now + 300, "nbf": now, "iat": now}
        signed = f"{_encoded(header)}.{_encoded(claims | {'access': access})}"
        signature = self._key.sign(signed.encode(), PKCS1v15(), SHA256())
        return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def answer(self, authorization: str, query: Mapping[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Return status and body for one question."""
        user = self._users.get(authorization.removeprefix("Basic "))
        if user is None:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong"}]}
        return 200, {"token": self.token(user, query.get("scope", [])), "expires_in": 300}


@contextmanager
def running_token_server(
    folder: Path,
    users: Mapping[str, str],
    granted_scopes: frozenset[str] = frozenset({"registry", "repository"}),
) -> Iterator[TokenServer]:
    """Run a token server as long as the block. ``granted_scopes`` are the types of scope that it grants."""
    tokens = TokenServer(folder, users, granted_scopes)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            status, answer = tokens.answer(self.headers.get("Authorization", ""), query)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Say nothing: the test's own output is enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tokens.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield tokens
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _encoded(part: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
