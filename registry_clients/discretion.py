"""Registries repeat what they were told: a password in an error message of theirs must not become one of ours."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from registry_clients.endpoint import Credential
from registry_clients.errors import RegistryError

HIDDEN = "•••"

_TELLING_CHARACTERS = 4
"""So much of a password's beginning, left where a message was cut, would be telling."""


@contextmanager
def discreet(credential: Credential | None) -> Iterator[None]:
    """Take a credential out of what the registry says in the errors that leave the block."""
    try:
        yield
    except RegistryError as error:
        if credential is not None and error.registry_message is not None:
            error.registry_message = without_secret(error.registry_message, credential)
        raise


def without_secret(text: str, credential: Credential) -> str:
    """Return a text without the password, in whatever form it may have come back."""
    # The longest first: one form may be part of another.
    for form in sorted(_forms(credential), key=len, reverse=True):
        text = text.replace(form, HIDDEN)
        for length in range(len(form) - 1, _TELLING_CHARACTERS - 1, -1):
            if text.endswith(form[:length]):
                text = text[:-length] + HIDDEN
                break
    return text


def _forms(credential: Credential) -> set[str]:
    password = credential.password
    basic = f"{credential.username}:{password}".encode()
    encoded = {b64encode(raw).decode().rstrip("=") for raw in (basic, password.encode())}
    url_safe = {form.translate(str.maketrans("+/", "-_")) for form in encoded}
    escaped = {html.escape(password), quote(password), quote(password, safe="")}
    return {password, *encoded, *url_safe, *escaped} - {""}
