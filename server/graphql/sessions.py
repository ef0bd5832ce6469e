"""Who is asking: what the transports need to know of a viewer, and how they find out."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Protocol, TypeAlias

Versions: TypeAlias = Mapping[str, Hashable]
"""The version of each source of answers: another one after each change."""


class NotAuthenticated(Exception):
    """No credential, or one that is wrong, expired or revoked.

    `message` is shown to the client: it never says which part of a credential was wrong.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AnswerContext(Protocol):
    """What resolvers are given, and what it has noted of the answer that they made."""

    @property
    def is_personal(self) -> bool:
        """Whether the answer holds something of the viewer, beside what all with the same scope are told."""
        ...

    @property
    def is_of_its_moment(self) -> bool:
        """Whether the answer holds something that has no version: it may be another at any time."""
        ...

    @property
    def sources(self) -> Iterable[str]:
        """What the answer was made from."""
        ...


class Session(Protocol):
    """One authenticated viewer, for as long as a request, a stream or a socket lives."""

    @property
    def viewer_key(self) -> str:
        """What the limits per viewer count by: the same for each credential of one viewer."""
        ...

    @property
    def scope(self) -> Hashable:
        """What a viewer may see and do: those with equal scopes may be told the same."""
        ...

    @property
    def first_versions(self) -> Versions:
        """The versions of everything, looked up when the viewer was authenticated."""
        ...

    async def versions(self) -> Versions:
        """Return the versions of everything now: what is read afterwards is at least as new."""
        ...

    def new_context(self, request_id: str) -> AnswerContext:
        """Return a fresh context for resolvers (`info.context`).

        Called for each operation, and again for each event of a subscription, so that what a loader has
        cached is never older than the event.
        """
        ...

    def new_shared_context(self, request_id: str) -> object:
        """Return a fresh context for what is told to all with the same scope: it knows of no viewer."""
        ...

    def when_over(self, tell: Callable[[str], None]) -> Callable[[], None]:
        """Have a quick function called once, in the loop, when the credential has expired or is revoked.

        It is given the reason, for the client to read. The function that is returned takes this back.
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
