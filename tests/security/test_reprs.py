"""What holds a secret doesn't show it: a repr ends in logs and tracebacks."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from yarl import URL

from models.enums import RegistryKind
from registry_clients.discretion import discreet, without_secret
from registry_clients.endpoint import Credential, RegistryEndpoint, TlsTrust
from registry_clients.errors import CredentialRejected
from registry_clients.transport import RegistryRequest
from server.graphql.requests import GraphQLRequest
from services.credential_cipher import CredentialCipher, EncryptionKey
from services.integrating import NewIntegration
from services.registry_connections import RegistryTarget
from services.registry_input import RegistryInput
from services.updating import IntegrationUpdate

MARKER = "marker-secret"
CREDENTIAL = Credential("somebody", MARKER)
ENDPOINT = RegistryEndpoint(url=URL("https://127.0.0.1"), tls=TlsTrust(), token_realm=None)


@pytest.mark.parametrize(
    "holder",
    [
        CREDENTIAL,
        EncryptionKey("one", MARKER.encode().ljust(32)),
        CredentialCipher((EncryptionKey("one", MARKER.encode().ljust(32)),)),
        RegistryInput("https://127.0.0.1", None, "somebody", MARKER),
        NewIntegration("one", RegistryInput("https://127.0.0.1", None, "somebody", MARKER)),
        IntegrationUpdate(id=1, password=MARKER),
        RegistryTarget(
            1, None, RegistryKind.HARBOR, ENDPOINT, CREDENTIAL, Credential("r", MARKER), False, datetime.now(UTC)
        ),
        RegistryRequest("GET", URL("https://127.0.0.1"), {"Authorization": MARKER}),
        GraphQLRequest("{ viewer { name } }", None, {"password": MARKER}),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_a_repr_shows_no_secret(holder: Any) -> None:
    assert MARKER not in repr(holder)
    assert MARKER not in str(holder)


BASIC = base64.b64encode(f"somebody:{MARKER}".encode()).decode()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"no: {MARKER}!", "no: •••!"),
        (f"no: {MARKER} and {MARKER}", "no: ••• and •••"),
        (f"Authorization: Basic {BASIC}", "Authorization: Basic •••"),
        (f"Authorization: Basic {BASIC.rstrip('=')}", "Authorization: Basic •••"),
        (base64.b64encode(MARKER.encode()).decode().rstrip("="), "•••"),
        ("cut in the middle: marker-sec", "cut in the middle: •••"),
        ("nothing to hide: marking", "nothing to hide: marking"),
    ],
)
def test_a_credential_is_taken_out_of_what_a_registry_says(said: str, shown: str) -> None:
    assert without_secret(said, CREDENTIAL).replace("=", "") == shown
    with pytest.raises(CredentialRejected) as raised, discreet(CREDENTIAL):
        raise CredentialRejected("It was refused.", registry_message=said)
    assert (raised.value.registry_message or "").replace("=", "") == shown
    assert raised.value.message == "It was refused."


@pytest.mark.parametrize(
    ("password", "escaped"),
    [
        ("p&ss<word>", "p&amp;ss&lt;word&gt;"),
        ('quo"ted', "quo&quot;ted"),
        ("per%cent and/space", "per%25cent%20and%2Fspace"),
    ],
)
def test_an_escaped_password_is_taken_out_too(password: str, escaped: str) -> None:
    credential = Credential("somebody", password)
    assert without_secret(f"[{password}] [{escaped}]", credential) == "[•••] [•••]"
