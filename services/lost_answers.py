"""Finding out what became of a change at a registry whose answer was lost.

It can get lost after the registry has done what was asked. Then it is asked again how things stand; what can't be found
out is said to be unknown, never guessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from registry_clients.errors import (
    AddressRefused,
    CertificateExpired,
    ConnectionRefused,
    CredentialRejected,
    NameNotResolved,
    ReadOnly,
    RegistryError,
    TlsNotTrusted,
)

LOOK_PAUSES_SECONDS = (0.0, 0.3, 0.7, 1.5)
"""Before each look at what became of a change: one that is slow may still be under way."""

NOTHING_DONE = (
    NameNotResolved,
    ConnectionRefused,
    TlsNotTrusted,
    CertificateExpired,
    AddressRefused,
    ReadOnly,
)
"""After these the registry has done nothing: it was not reached, or it said so."""


class OutcomeUnknown(Exception):
    """Something was asked, the answer was lost, and nobody could say afterwards whether it was done.

    ``error`` is that which was met, and says so.
    """

    def __init__(self, error: RegistryError) -> None:
        message = (
            f"{error.message} Whether it was done is not known. What is shown here follows as soon as the registry"
            " answers."
        )
        super().__init__(message)
        self.error = type(error)(message, registry_message=error.registry_message, http_status=error.http_status)


async def is_done(look: Callable[[], Awaitable[bool]], error: RegistryError) -> bool:
    """Return whether a change was made although its answer was an error. Raises OutcomeUnknown."""
    if isinstance(error, NOTHING_DONE):
        return False
    is_refused = isinstance(error, CredentialRejected)
    is_known = False
    # Who refuses a credential has done nothing after its answer: one look is enough.
    for seconds in LOOK_PAUSES_SECONDS[:1] if is_refused else LOOK_PAUSES_SECONDS:
        await asyncio.sleep(seconds)
        try:
            if await look():
                return True
            is_known = True
        except RegistryError:
            is_known = False
    if is_known or is_refused:
        return False
    raise OutcomeUnknown(error) from error
