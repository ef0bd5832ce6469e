"""One plain HTTP call to a double, as any client would make it."""

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.doubles.harbor.server import HarborDouble

_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Asked:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Status and code of a refusal."""
        return self.status, self.json["errors"][0]["code"]


def ask(
    harbor: HarborDouble,
    method: str,
    path: str,
    credential: tuple[str, str] | str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Asked:
    """Send one request on a connection of its own; a credential is a name with a password, or a token.

    ``body`` goes as JSON, ``content`` as it is.
    """
    connection = _connection(harbor)
    sent = dict(headers or {})
    if isinstance(credential, str):
        sent["Authorization"] = f"Bearer {credential}"
    elif credential is not None:
        sent["Authorization"] = f"Basic {base64.b64encode(':'.join(credential).encode()).decode()}"
    if body is not None:
        sent["Content-Type"] = "application/json"
    try:
        connection.request(method, path, content if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        return Asked(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def api(
    harbor: HarborDouble,
    path: str,
    credential: tuple[str, str] | None = None,
    method: str = "GET",
    body: Any = None,
) -> Asked:
    """Call the API, as the administrator unless told otherwise."""
    return ask(harbor, method, f"/api/v2.0{path}", credential or harbor.administrator, body)


def _connection(harbor: HarborDouble) -> http.client.HTTPConnection:
    if harbor.ca_certificate_pem is None:
        return http.client.HTTPConnection("127.0.0.1", harbor.port, timeout=_TIMEOUT_SECONDS)
    context = ssl.create_default_context(cadata=harbor.ca_certificate_pem)
    return http.client.HTTPSConnection("127.0.0.1", harbor.port, timeout=_TIMEOUT_SECONDS, context=context)
