"""From what people type to what a registry is reached with; everything wrong is said at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from yarl import URL

from models.enums import RegistryKind
from registry_clients.endpoint import (
    Credential,
    InvalidCaCertificate,
    InvalidRegistryUrl,
    RegistryEndpoint,
    TlsTrust,
    parse_registry_url,
    validate_ca_certificate_pem,
)
from registry_clients.image_host import InvalidImageHost, image_host_of, parse_image_host
from registry_clients.kind import RegistryKind as ClientKind
from registry_clients.kinds import KIND_DESCRIPTIONS
from services.user_errors import InvalidInput, KindNotSupported, Path, UserError, UserErrors

T = TypeVar("T")

USERNAME_CHARACTERS = 255
PASSWORD_CHARACTERS = 4096
MOST_ALIASES = 20


@dataclass(frozen=True, slots=True)
class TlsInput:
    """Whom to trust, as typed."""

    ca_certificate_pem: str | None = None
    is_verification_skipped: bool = False


@dataclass(frozen=True, slots=True)
class RegistryInput:
    """How to reach a registry, as typed."""

    url: str
    kind: RegistryKind | None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsInput = TlsInput()
    token_realm: str | None = None


class InputErrors:
    """Gathers what is wrong with one input."""

    def __init__(self) -> None:
        self.errors: list[UserError] = []

    def take(self, parse: Callable[[], T], path: Path) -> T | None:
        """Return what a parser returns; None, and the error kept, when it refuses."""
        try:
            return parse()
        except UserError as error:
            self.errors.append(error)
        except UserErrors as error:
            self.errors += error.errors
        except (InvalidRegistryUrl, InvalidCaCertificate, InvalidImageHost) as error:
            self.errors.append(InvalidInput(error.message, path))
        return None

    def refuse(self, message: str, path: Path) -> None:
        """Keep an error."""
        self.errors.append(InvalidInput(message, path))

    def raise_any(self) -> None:
        """Raise UserErrors when something was wrong."""
        if self.errors:
            raise UserErrors(self.errors)


def parse_endpoint(given: RegistryInput, errors: InputErrors) -> RegistryEndpoint | None:
    """Return the endpoint; None, and errors kept, when something in it is wrong."""
    before = len(errors.errors)
    url = errors.take(lambda: parse_registry_url(given.url), ("input", "url"))
    realm = None
    if given.token_realm is not None:
        realm = errors.take(lambda: _checked_realm(given.token_realm or ""), ("input", "tokenRealm"))
    tls = parse_tls(given.tls, errors)
    if len(errors.errors) > before or url is None or tls is None:
        return None
    return RegistryEndpoint(url=url, tls=tls, token_realm=realm)


def parse_tls(given: TlsInput, errors: InputErrors) -> TlsTrust | None:
    """Return whom to trust; None, and an error kept, when that can't be read."""
    path = ("input", "tls", "caCertificatePem")
    if given.ca_certificate_pem is None or not given.ca_certificate_pem.strip():
        return TlsTrust(is_verification_skipped=given.is_verification_skipped)
    text = given.ca_certificate_pem
    if given.is_verification_skipped:
        errors.refuse("Give a CA certificate, or skip verification: not both.", path)
        return None
    pem = errors.take(lambda: validate_ca_certificate_pem(text), path)
    return None if pem is None else TlsTrust(ca_certificate_pem=pem)


def parse_credential(
    username: str | None, password: str | None, kind: RegistryKind | None, errors: InputErrors
) -> Credential | None:
    """Return the credential; None for none, or, errors kept, for half of one."""
    if not username and not password:
        if kind is not None and KIND_DESCRIPTIONS[ClientKind(kind.value)].requires_credential:
            title = KIND_DESCRIPTIONS[ClientKind(kind.value)].title
            errors.refuse(f"{title} needs a username and a password.", ("input", "username"))
        return None
    if not username or not password:
        missing = "username" if not username else "password"
        errors.refuse("Give both username and password, or neither.", ("input", missing))
        return None
    if len(username) > USERNAME_CHARACTERS:
        errors.refuse(f"The username must not be longer than {USERNAME_CHARACTERS} characters.", ("input", "username"))
    if ":" in username or not username.isprintable():
        # RFC 7617: the user-id of basic authentication holds no colon, and no control characters.
        errors.refuse("The username must not contain colons or control characters.", ("input", "username"))
    if len(password) > PASSWORD_CHARACTERS:
        errors.refuse(f"The password must not be longer than {PASSWORD_CHARACTERS} characters.", ("input", "password"))
    if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in password):
        errors.refuse("The password must not contain control characters.", ("input", "password"))
    return Credential(username, password)


def parse_aliases(texts: list[str], primary: str, errors: InputErrors) -> tuple[str, ...]:
    """Return the further image hosts, in their one form, each once and without the primary one."""
    path = ("input", "imageHostAliases")
    if len(texts) > MOST_ALIASES:
        errors.refuse(f"There may be {MOST_ALIASES} aliases at most.", path)
        return ()
    hosts = [
        errors.take(lambda text=text: parse_image_host(text), (*path, str(index)))  # type: ignore[misc]
        for index, text in enumerate(texts)
    ]
    return tuple(dict.fromkeys(host for host in hosts if host is not None and host != primary))


def parse_primary_image_host(text: str | None, url: URL | None, errors: InputErrors) -> str | None:
    """Return the image host: as given, else host and port of the address; None without either.

    Not every host of an address can stand in an image's name (underscores can't): then an error is kept.
    """
    if text is None or not text.strip():
        if url is None:
            return None
        text = image_host_of(url)
    given = text
    return errors.take(lambda: parse_image_host(given), ("input", "imageHost"))


def require_supported(kind: RegistryKind) -> None:
    """Raise KindNotSupported for a kind that can't be integrated yet."""
    description = KIND_DESCRIPTIONS[ClientKind(kind.value)]
    if not description.is_supported:
        raise KindNotSupported(f"{description.title} can't be integrated yet.", ("input", "kind"))


def _checked_realm(text: str) -> URL:
    return parse_registry_url(text)
