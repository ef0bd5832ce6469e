"""What people type as a registry's address, certificate and credential."""

import datetime

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from registry_clients.endpoint import (
    Credential,
    InvalidCaCertificate,
    InvalidRegistryUrl,
    RegistryEndpoint,
    parse_registry_url,
    validate_ca_certificate_pem,
)


@pytest.mark.parametrize(
    ("typed", "kept", "host"),
    [
        ("https://registry.example.com", "https://registry.example.com", "registry.example.com"),
        (" https://Registry.Example.COM/ ", "https://registry.example.com", "registry.example.com"),
        ("HTTPS://registry.example.com:443", "https://registry.example.com", "registry.example.com"),
        ("http://registry:80/", "http://registry", "registry"),
        ("http://registry:5000//", "http://registry:5000", "registry:5000"),
        ("https://example.com/registry/", "https://example.com/registry", "example.com"),
        ("https://example.com/a/b-c_d.e~f", "https://example.com/a/b-c_d.e~f", "example.com"),
        ("https://registry.example.com.", "https://registry.example.com", "registry.example.com"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", "127.0.0.1:5000"),
        ("http://[::1]:5000", "http://[::1]:5000", "[::1]:5000"),
        ("http://[0:0::1]", "http://[::1]", "[::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example", "bücher.example"),
        ("http://docker_registry:5000", "http://docker_registry:5000", "docker_registry:5000"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str, host: str) -> None:
    url = parse_registry_url(typed)
    assert str(url) == kept
    assert RegistryEndpoint(url).host == host
    assert parse_registry_url(str(url)) == url


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Give the registry's address, such as https://registry.example.com."),
        ("registry.example.com:5000", "The address must begin with https:// or http://."),
        ("ftp://registry", "The address must begin with https:// or http://."),
        ("file:///etc/passwd", "The address must begin with https:// or http://."),
        ("https:registry", "The address must begin with https:// or http://."),
        ("https://", "The address names no host."),
        ("https:///path", "The address names no host."),
        ("https://user:word@registry", "Leave user name and password out of the address: they go elsewhere."),
        ("https://@registry", "Leave user name and password out of the address: they go elsewhere."),
        ("https://registry?", "Leave everything from the first ? or # out of the address."),
        ("https://registry#a", "Leave everything from the first ? or # out of the address."),
        ("https://registry:0", "The port must be between 1 and 65535."),
        ("https://registry:65536", "The address is no valid URL."),
        ("https://registry:port", "The address is no valid URL."),
        ("https://reg istry", "The address holds spaces, backslashes or control characters."),
        ("https://registry\n", "The address holds spaces, backslashes or control characters."),
        ("https://registry\x00.example", "The address holds spaces, backslashes or control characters."),
        (
            "https://good.example\\.evil.example",
            "The address holds spaces, backslashes or control characters.",
        ),
        ("https://2130706433", "The host is no valid IP address."),
        ("https://127.1", "The host is no valid IP address."),
        ("https://0x7f000001", "The host is no valid IP address."),
        ("https://registry.0x7f", "The host is no valid IP address."),
        ("https://[fe80::1%25eth0]", "An address with a zone (%) means something on one machine only."),
        ("https://-registry", "The host is no valid name."),
        ("https://registry..example", "The host is no valid name."),
        ("https://registry/a%2fb", "The path of the address may hold letters, digits and . _ ~ - only."),
        ("https://registry/a//b", "The path of the address may hold letters, digits and . _ ~ - only."),
        ("https://registry/v2/", "Leave /v2 out of the address: give what comes before it."),
        ("https://registry/" + "a" * 1000, "The address is longer than 1000 characters."),
    ],
)
def test_what_is_no_address_says_why(typed: str, message: str) -> None:
    with pytest.raises(InvalidRegistryUrl) as caught:
        parse_registry_url(typed)
    assert caught.value.message == message


@given(st.one_of(st.text(max_size=60), st.text(max_size=40).map(lambda text: f"https://{text}")))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = parse_registry_url(text)
    except InvalidRegistryUrl:
        return
    assert url.scheme in ("http", "https")
    assert url.raw_host
    assert parse_registry_url(str(url)) == url


def test_a_bundle_keeps_its_certificates_alone() -> None:
    first, second = (trustme.CA().cert_pem.bytes().decode() for _ in range(2))
    assert validate_ca_certificate_pem(f"a remark\n{first}another\n{second}") == first + second


def test_a_servers_own_certificate_is_taken() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry.test")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM).decode()
    assert validate_ca_certificate_pem(pem) == pem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This is no certificate: it should begin with -----BEGIN CERTIFICATE-----."),
        ("garbage", "This is no certificate: it should begin with -----BEGIN CERTIFICATE-----."),
        (
            "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n",
            "This is no certificate: it should begin with -----BEGIN CERTIFICATE-----.",
        ),
        ("x" * 262145, "The certificates are longer than 262144 characters."),
    ],
)
def test_what_is_no_certificate_says_why(text: str, message: str) -> None:
    with pytest.raises(InvalidCaCertificate) as caught:
        validate_ca_certificate_pem(text)
    assert caught.value.message == message


def test_a_private_key_is_sent_back_and_not_shown() -> None:
    issued = trustme.CA().issue_cert("registry.test")
    with pytest.raises(InvalidCaCertificate) as caught:
        validate_ca_certificate_pem(issued.private_key_and_cert_chain_pem.bytes().decode())
    assert caught.value.message == "This holds a private key. Give the certificate alone, and keep the key."


def test_a_password_is_not_shown() -> None:
    assert repr(Credential("alice", "wonder")) == "Credential(username='alice')"
