"""Faults that clients may know of, as top-level errors with a code."""

from typing import Any


class PublicError(Exception):
    """A fault whose message and code reach the client; every other exception is masked."""

    is_public = True

    def __init__(self, message: str, code: str, extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.extensions = extensions or {}


def forbidden(message: str) -> PublicError:
    """Return the error for what the viewer may not use."""
    return PublicError(message, "FORBIDDEN")


def bad_input(message: str) -> PublicError:
    """Return the error for an argument of a query that can't be taken."""
    return PublicError(message, "BAD_USER_INPUT")
