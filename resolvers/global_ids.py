"""Opaque ids that are unique over all types."""

import base64
import binascii

MAX_CHARACTERS = 200
MAX_KEY = 2**63 - 1


class InvalidId(ValueError):
    """A text is no id that came from here."""


def global_id(type_name: str, key: int) -> str:
    """Return the id of the thing of that type with that key."""
    # Of letters, a colon and digits, Base64 makes neither of the signs in which its alphabet for URLs differs.
    return binascii.b2a_base64(f"{type_name}:{key}".encode(), newline=False).decode().rstrip("=")


def parse_global_id(text: str) -> tuple[str, int]:
    """Return type name and key. Raises InvalidId."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidId
    try:
        type_name, _, key = (
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            .decode("ascii")
            .partition(":")
        )
    except (ValueError, binascii.Error) as error:
        raise InvalidId from error
    if not (key.isdecimal() and key.isascii() and type_name) or int(key) > MAX_KEY:
        raise InvalidId
    if global_id(type_name, int(key)) != text.rstrip("="):
        # One thing has one id: caches of clients compare them as text.
        raise InvalidId
    return type_name, int(key)


def key_of(text: str, type_name: str) -> int | None:
    """Return the key of an id of that type; None for one of another type, or of nothing."""
    try:
        found, key = parse_global_id(text)
    except InvalidId:
        return None
    return key if found == type_name else None
