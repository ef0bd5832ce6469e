"""Where a registry is, whom to trust there, and who we are: parsed once, from what people typed."""

import ipaddress
import re
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from yarl import URL

MAX_URL_CHARACTERS = 1000
MAX_CA_CERTIFICATE_CHARACTERS = 256 * 1024

_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")


class InvalidRegistryUrl(ValueError):
    """What was typed is no address of a registry. ``message`` says what is wrong, for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidCaCertificate(ValueError):
    """What was given is no certificate to trust. ``message`` says what is wrong, for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class TlsTrust:
    """Whose certificates to take.

    Without anything: those of the system's authorities. ``ca_certificate_pem`` replaces them, it doesn't add
    to them: a private registry should not be impersonated by any public authority, and a bundle may name
    several. ``is_verification_skipped`` takes any certificate.
    """

    ca_certificate_pem: str | None = field(default=None, repr=False)
    is_verification_skipped: bool = False


@dataclass(frozen=True, slots=True)
class RegistryEndpoint:
    """Where a registry is. ``url`` comes from `parse_registry_url`: no trailing slash, no `/v2`.

    ``token_realm`` is the one token server on another host that may see the credential.
    """

    url: URL
    tls: TlsTrust = TlsTrust()
    token_realm: URL | None = None

    @property
    def host(self) -> str:
        """The host for people, with its port where one was typed."""
        return shown_host(self.url)


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name and password, or a robot's name and secret. The password stays out of repr."""

    username: str
    password: str = field(repr=False)


def shown_host(url: URL) -> str:
    """Return host and port of a URL as a person would type them: names decoded, the default port left out."""
    host = url.host or ""
    host = f"[{host}]" if ":" in host else host
    return host if url.explicit_port is None else f"{host}:{url.explicit_port}"


def parse_registry_url(text: str) -> URL:
    """Return the address that a person typed, in the one form that we keep.

    The host is lower case and ASCII, a default port is dropped, a path prefix stays without trailing slash.
    Raises InvalidRegistryUrl for everything that is no plain http or https address. Whether it may be
    connected to is another question, see `registry_clients.addresses`.
    """
    text = text.strip(" ")
    if not text:
        raise InvalidRegistryUrl("Give the registry's address, such as https://registry.example.com.")
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidRegistryUrl(f"The address is longer than {MAX_URL_CHARACTERS} characters.")
    if _CONTROL_OR_SPACE.search(text) or "\\" in text:
        raise InvalidRegistryUrl("The address holds spaces, backslashes or control characters.")
    if not re.match(r"https?://", text, re.IGNORECASE):
        raise InvalidRegistryUrl("The address must begin with https:// or http://.")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise InvalidRegistryUrl("The address is no valid URL.") from error
    # An empty user, query or fragment ("http://@host?#") is a slip as well, and yarl drops it silently.
    if "@" in text:
        raise InvalidRegistryUrl("Leave user name and password out of the address: they go elsewhere.")
    if "?" in text or "#" in text:
        raise InvalidRegistryUrl("Leave everything from the first ? or # out of the address.")
    if not host:
        raise InvalidRegistryUrl("The address names no host.")
    if not port:
        raise InvalidRegistryUrl("The port must be between 1 and 65535.")
    return URL.build(
        scheme=url.scheme,
        host=_checked_host(host),
        port=None if url.is_default_port() else port,
        path=_checked_path(url),
    )


def _checked_host(host: str) -> str:
    if ":" in host:
        if "%" in host:
            raise InvalidRegistryUrl("An address with a zone (%) means something on one machine only.")
        return str(ipaddress.IPv6Address(host))
    # A name whose last label is a number is read as IPv4 by resolvers, in forms such as 127.1 and 0x7f000001.
    host = host.rstrip(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise InvalidRegistryUrl("The host is no valid IP address.") from error
    if len(host) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise InvalidRegistryUrl("The host is no valid name.")
    return host


def _checked_path(url: URL) -> str:
    path = url.raw_path.rstrip("/")
    if not _PATH.fullmatch(path):
        raise InvalidRegistryUrl("The path of the address may hold letters, digits and . _ ~ - only.")
    if path.rsplit("/", 1)[-1] in ("v2", "v1"):
        raise InvalidRegistryUrl("Leave /v2 out of the address: give what comes before it.")
    return path


def validate_ca_certificate_pem(text: str) -> str:
    """Return the certificates in a PEM text, one after the other and nothing else.

    A server's own self-signed certificate is fine. Raises InvalidCaCertificate when there is none, when it
    can't be read, and when a private key is among them: that must not be stored.
    """
    if len(text) > MAX_CA_CERTIFICATE_CHARACTERS:
        raise InvalidCaCertificate(f"The certificates are longer than {MAX_CA_CERTIFICATE_CHARACTERS} characters.")
    if "PRIVATE KEY" in text:
        raise InvalidCaCertificate("This holds a private key. Give the certificate alone, and keep the key.")
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise InvalidCaCertificate(
            "This is no certificate: it should begin with -----BEGIN CERTIFICATE-----."
        ) from error
    return "".join(certificate.public_bytes(Encoding.PEM).decode("ascii") for certificate in certificates)
