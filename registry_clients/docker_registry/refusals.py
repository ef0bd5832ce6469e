"""The one place where a Docker Registry's statuses become errors."""

from enum import StrEnum

from registry_clients.error_bodies import parse_errors, registry_message, says_plain_http_to_tls
from registry_clients.errors import (
    ComponentUnhealthy,
    CredentialRejected,
    RegistryError,
    StorageUnreadable,
    UnexpectedAnswer,
)
from registry_clients.transport import RegistryResponse

API_VERSION_HEADER = "Docker-Distribution-Api-Version"

# Seen on 2.8.2 and 3.1.2: a repository that isn't there is MANIFEST_UNKNOWN to who asks for a manifest.
_NOT_FOUND_CODES = frozenset({"NAME_UNKNOWN", "MANIFEST_UNKNOWN"})


class Call(StrEnum):
    """What was asked of the registry."""

    PING = "PING"
    CATALOGUE = "CATALOGUE"
    TAGS = "TAGS"
    MANIFEST = "MANIFEST"
    DELETION = "DELETION"


_READS_OF_STORAGE = frozenset({Call.CATALOGUE, Call.TAGS, Call.MANIFEST})


def is_own_not_found(response: RegistryResponse) -> bool:
    """Say whether a 404 is the registry's own word, rather than that of a proxy that lost its way to it.

    What a registry doesn't find is gone, so this must not be mistaken. An answer to HEAD has no body: there it is
    the header that a registry gives each of its answers, and proxies may drop.
    """
    if response.body:
        return any(entry.code in _NOT_FOUND_CODES for entry in parse_errors(response.body))
    return API_VERSION_HEADER in response.headers


def refusal_of(response: RegistryResponse, call: Call, host: str) -> RegistryError:
    """Return what an answer other than 2xx and 401 means."""
    status = response.status
    words = registry_message(response.body, response.headers.get("Content-Type", ""))
    entries = parse_errors(response.body)

    def made(kind: type[RegistryError], message: str) -> RegistryError:
        return kind(message, registry_message=words, http_status=status)

    if says_plain_http_to_tls(response.body):
        return made(UnexpectedAnswer, f"{host} speaks TLS: the address must begin with https://.")
    if status == 403:
        return made(CredentialRejected, f"{host} refuses access: the credential may not do this.")
    if status == 404 and call is Call.PING:
        return made(UnexpectedAnswer, f"There is no registry at {host}: /v2/ is not found.")
    if status == 404 and call is Call.CATALOGUE:
        return made(UnexpectedAnswer, f"{host} has no catalogue: what it stores can't be listed.")
    if status == 404:
        return made(UnexpectedAnswer, f"{host} answers 404 as no registry does: what stands before it?")
    if status == 429:
        return made(UnexpectedAnswer, f"{host} answers that too many calls are made to it.")
    # Seen on 2.8.2 and 3.1.2: a storage that can't be read is 500 on everything but /v2/; with the health
    # check of the storage driver on, 503 UNAVAILABLE on /v2/ as well.
    if status in (500, 503) and call in _READS_OF_STORAGE:
        return made(StorageUnreadable, f"{host} answers, but can't read its storage.")
    if status == 503 and any(entry.code == "UNAVAILABLE" for entry in entries):
        return made(StorageUnreadable, f"{host} fails its own health check: most often its storage is away.")
    if status in (502, 503, 504):
        return made(ComponentUnhealthy, f"{host} answers {status}: what stands before the registry can't reach it.")
    if status >= 500:
        return made(ComponentUnhealthy, f"{host} answers {status}: the registry fails inside.")
    # Seen on 2.8.2 and 3.1.2 when the htpasswd file is gone.
    if status == 400 and not response.body and API_VERSION_HEADER in response.headers:
        return made(UnexpectedAnswer, f"{host} can't check passwords: its htpasswd file may be missing.")
    return made(UnexpectedAnswer, f"{host} answers {status}, which no registry does here.")
