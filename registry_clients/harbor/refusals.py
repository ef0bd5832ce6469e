"""The one place where Harbor's statuses become errors.

Seen on 2.16.0: 400 for what it won't take, 401, 403 FORBIDDEN or DENIED, 404, 409, 412, 422 for all that doesn't
parse or validate, 500 with its cause masked, 502 with an empty body when a component is away.
"""

from enum import StrEnum

import orjson

from registry_clients.error_bodies import parse_errors, says_plain_http_to_tls
from registry_clients.errors import (
    ComponentUnhealthy,
    CredentialRejected,
    ReadOnly,
    RegistryError,
    UnexpectedAnswer,
)
from registry_clients.transport import RegistryResponse

_READ_ONLY_SIGN = "read only mode"
_CSRF_SIGN = "CSRF"


class Caller(StrEnum):
    """As whom Harbor is asked."""

    NOBODY = "NOBODY"
    ROUTINE = "ROUTINE"
    """The reader robot, where there is one: its secret costs Harbor little. Else the administrator."""
    ADMINISTRATOR = "ADMINISTRATOR"
    """What needs it, and nothing else: each of its calls costs Harbor 100 ms."""


def is_own_not_found(response: RegistryResponse) -> bool:
    """Say whether a 404 is Harbor's own word, rather than that of a proxy that lost its way to Harbor.

    What Harbor doesn't find is gone, so this must not be mistaken. Without our shape of errors only the answer of
    its API's frame is taken, for a path that an older Harbor doesn't have (read).
    """
    if parse_errors(response.body):
        return True
    try:
        answer = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and answer.get("code") == 404 and str(answer.get("message")).startswith("path ")


def refusal_of(response: RegistryResponse, words: str | None, host: str, *, is_reader: bool) -> RegistryError:
    """Return what an answer of failure means.

    ``words`` are Harbor's own, for administrators; ``is_reader`` says that the reader robot asked.
    """
    status = response.status

    def made(kind: type[RegistryError], message: str) -> RegistryError:
        return kind(message, registry_message=words, http_status=status)

    if says_plain_http_to_tls(response.body):
        return made(UnexpectedAnswer, f"{host} speaks TLS: the address must begin with https://.")
    if status == 401 and is_reader:
        return made(CredentialRejected, f"{host} does not accept our reader robot any more.")
    if status == 401:
        return made(CredentialRejected, f"{host} does not accept the username or the password.")
    if status == 403:
        return _forbidden(response, words, host, is_reader=is_reader)
    if status == 404 and not is_own_not_found(response):
        return made(UnexpectedAnswer, f"There is no Harbor at {host}: its API is not found.")
    if status == 404:
        return made(UnexpectedAnswer, f"{host} doesn't know what was asked for: its Harbor may be too old.")
    if status == 429:
        return made(UnexpectedAnswer, f"{host} answers that too many calls are made to it.")
    if status in (502, 503, 504):
        return made(ComponentUnhealthy, f"{host} answers {status}: a component of Harbor can't be reached.")
    if status >= 500:
        return made(ComponentUnhealthy, f"{host} answers {status}: Harbor fails inside.")
    return made(UnexpectedAnswer, f"{host} answers {status}, which no Harbor does here.")


def says(response: RegistryResponse, sign: str) -> bool:
    """Say whether some words are in what Harbor itself said: not in what was kept of it, which may be less."""
    return any(sign in entry.message for entry in parse_errors(response.body))


def _forbidden(response: RegistryResponse, words: str | None, host: str, *, is_reader: bool) -> RegistryError:
    if says(response, _READ_ONLY_SIGN):
        return ReadOnly(f"{host} is in read-only mode.", registry_message=words, http_status=403)
    if says(response, _CSRF_SIGN):
        # Any `sid` among the cookies does it, and we keep none: somebody in between adds one.
        message = f"{host} takes our call for a browser's: does a proxy in front of it add cookies?"
        return UnexpectedAnswer(message, registry_message=words, http_status=403)
    who = "our reader robot" if is_reader else "this user"
    return CredentialRejected(f"{host} does not let {who} do this.", registry_message=words, http_status=403)
