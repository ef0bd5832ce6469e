"""Who is asking: what the transports need to know of a viewer, and how they find out."""

from typing import Protocol


class NotAuthenticated(Exception):
    """No credential, or one that is wrong, expired or revoked.

    `message` is shown to the client: it never says which part of a credential was wrong.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Session(Protocol):
    """One authenticated viewer, for as long as a request, a stream or a socket lives."""

    @property
    def viewer_key(self) -> str:
        """What the limits per viewer count by: the same for each credential of one viewer."""
        ...

    def new_context(self, request_id: str) -> object:
        """Return a fresh context for resolvers (`info.context`).

        Called for each operation, and again for each event of a subscription, so that what a loader has
        cached is never older than the event.
        """
        ...

    async def wait_until_over(self) -> str:
        """Wait until the credential expires or is revoked; return the reason, for the client to read.

        Cancelled when the client leaves first.
        """
        ...


class Authenticator(Protocol):
    """Turns a bearer token into a session."""

    async def authenticate(self, token: str | None) -> Session:
        """Return the session of `token`; raise NotAuthenticated for a missing or wrong one."""
        ...


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer …` value, or None when there is none.

    The scheme's case doesn't matter (RFC 9110, section 11.1).
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
