"""TLS of the real transport: whom it trusts, and what it says of the others."""

import asyncio
import datetime
import ssl
from collections.abc import Callable

import pytest
import trustme
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import TlsTrust
from registry_clients.errors import (
    CertificateExpired,
    RegistryError,
    TlsNotTrusted,
    UnexpectedAnswer,
)
from registry_clients.transport import AiohttpTransport, RegistryRequest, RegistryResponse
from tests.registry_clients.open_transport import SETTINGS, transport_for
from tests.servers.misbehaving import (
    answering,
    http_answer,
    misbehaving_server,
)


def tls_outcome(
    issue: Callable[[trustme.CA], trustme.LeafCert], trust: Callable[[trustme.CA], TlsTrust]
) -> RegistryResponse:
    """Return what is answered over TLS, or raise."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issue(authority).configure_cert(context)

    async def ask() -> RegistryResponse:
        async with (
            misbehaving_server(answering(http_answer(200, b"{}")), tls=context) as server,
            transport_for(trust(authority)) as transport,
        ):
            return await transport.send(RegistryRequest("GET", URL(f"https://127.0.0.1:{server.port}/v2/")))

    return asyncio.run(ask())


def trusting(authority: trustme.CA) -> TlsTrust:
    return TlsTrust(ca_certificate_pem=authority.cert_pem.bytes().decode())


def issued(host: str, expires_at: datetime.datetime | None = None) -> Callable[[trustme.CA], trustme.LeafCert]:
    return lambda authority: authority.issue_cert(host, not_after=expires_at)


def test_a_given_authority_is_trusted_and_any_with_verification_off() -> None:
    assert tls_outcome(issued("127.0.0.1"), trusting).body == b"{}"
    assert tls_outcome(issued("x"), lambda _: TlsTrust(is_verification_skipped=True)).body == b"{}"


def test_a_servers_own_certificate_can_be_what_is_trusted() -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    own = leaf.cert_chain_pems[0].bytes().decode()
    assert tls_outcome(lambda _: leaf, lambda _: TlsTrust(ca_certificate_pem=own)).body == b"{}"


@pytest.mark.parametrize(
    ("issue", "trust", "kind", "words"),
    [
        (issued("127.0.0.1"), lambda _: TlsTrust(), TlsNotTrusted, "is not trusted"),
        (issued("127.0.0.1"), lambda _: trusting(trustme.CA()), TlsNotTrusted, "is not trusted"),
        (issued("other.test"), trusting, TlsNotTrusted, "is for another host"),
        (
            issued("127.0.0.1", datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
            trusting,
            CertificateExpired,
            "has expired",
        ),
    ],
)
def test_certificates_that_are_not_taken(
    issue: Callable[[trustme.CA], trustme.LeafCert],
    trust: Callable[[trustme.CA], TlsTrust],
    kind: type[RegistryError],
    words: str,
) -> None:
    with pytest.raises(kind) as caught:
        tls_outcome(issue, trust)
    assert words in caught.value.message


def test_plain_http_where_tls_was_asked() -> None:
    async def ask() -> None:
        plain = answering(http_answer(400))
        async with misbehaving_server(plain, reads_head=False) as server, transport_for() as transport:
            with pytest.raises(UnexpectedAnswer) as caught:
                await transport.send(RegistryRequest("GET", URL(f"https://127.0.0.1:{server.port}/")))
            assert caught.value.message == (
                f"127.0.0.1:{server.port} does not speak TLS: should the address begin with http://?"
            )

    asyncio.run(ask())


def test_a_certificate_that_is_none() -> None:
    async def ask() -> None:
        await AiohttpTransport.open(TlsTrust("nonsense"), AddressPolicy(), SETTINGS)

    with pytest.raises(TlsNotTrusted):
        asyncio.run(ask())
