"""Bodies of a Docker Registry's answers, parsed at the edge: bytes become records, or UnexpectedAnswer."""

import re
from dataclasses import dataclass
from typing import Any

import orjson
from yarl import URL

from registry_clients.errors import UnexpectedAnswer

# Token specification of Distribution: "for compatibility … it defaults to 60 seconds" when missing.
DEFAULT_TOKEN_LIFETIME_SECONDS = 60
MAX_TOKEN_CHARACTERS = 64 * 1024

_NEXT_LINK = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """One page of `/v2/_catalog`: names as they came, valid or not."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token from a token server, and how long it lives from now."""

    token: str
    lifetime_seconds: float

    def __repr__(self) -> str:
        return f"BearerToken(lifetime_seconds={self.lifetime_seconds})"


def parse_object(body: bytes, host: str) -> dict[str, Any]:
    """Return the JSON object in a body. Raises UnexpectedAnswer that says what is there instead."""
    if not body.strip():
        raise UnexpectedAnswer(f"{host} answers with an empty page: is this the address of a registry?")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if body.lstrip()[:1] == b"<":
            message = f"{host} answers with a web page: is this the address of a registry?"
        elif body.lstrip()[:1] in (b"{", b"["):
            message = f"{host} answers with broken JSON."
        else:
            message = f"{host} answers with something else than JSON: is this the address of a registry?"
        raise UnexpectedAnswer(message) from error
    if not isinstance(value, dict):
        raise UnexpectedAnswer(f"{host} answers with JSON that no registry sends.")
    return value


def parse_catalogue_page(body: bytes, host: str) -> CataloguePage:
    """Return a page of the catalogue. Raises UnexpectedAnswer when it is none."""
    repositories = parse_object(body, host).get("repositories", ...)
    # Registries written in Go may say null for an empty list.
    if repositories is None:
        return CataloguePage(())
    if not isinstance(repositories, list) or not all(isinstance(name, str) for name in repositories):
        raise UnexpectedAnswer(f"{host} answers with a catalogue that no registry sends.")
    return CataloguePage(tuple(repositories))


def parse_tag_page(body: bytes, host: str) -> tuple[str, ...]:
    """Return the names in a list of tags, valid or not. Raises UnexpectedAnswer when it is none."""
    tags = parse_object(body, host).get("tags", ...)
    # Seen on 2.8.2: null in a repository whose tags are all gone.
    if tags is None:
        return ()
    if not isinstance(tags, list) or not all(isinstance(name, str) for name in tags):
        raise UnexpectedAnswer(f"{host} answers with a list of tags that no registry sends.")
    return tuple(tags)


def parse_next_last(link: str | None, host: str) -> str | None:
    """Return `last` for the next page out of a Link header, None when there is no next page.

    The URL in the header is of no use beyond that: always relative, and wrong behind a proxy that strips a
    path (seen on 2.8.2 and 3.1.2). Raises UnexpectedAnswer when it names a next page without `last`: to stop
    there would lose what follows.
    """
    if link is None or (match := _NEXT_LINK.search(link)) is None:
        return None
    try:
        last = URL(match[1]).query.get("last")
    except ValueError:
        last = None
    if not last:
        raise UnexpectedAnswer(f"{host} pages its lists in a way that can't be followed.")
    return last


def parse_token(body: bytes, host: str) -> BearerToken:
    """Return the token in a token server's answer. Raises UnexpectedAnswer when there is none."""
    answer = parse_object(body, host)
    # Either name, by specification; Harbor sends an empty access_token beside the token.
    token = answer.get("token") or answer.get("access_token")
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARACTERS or not _TOKEN.fullmatch(token):
        raise UnexpectedAnswer(f"The token server {host} answers without a usable token.")
    lifetime = answer.get("expires_in", DEFAULT_TOKEN_LIFETIME_SECONDS)
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime <= 0:
        lifetime = DEFAULT_TOKEN_LIFETIME_SECONDS
    return BearerToken(token, float(lifetime))
