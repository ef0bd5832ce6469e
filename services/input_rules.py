"""What people may write: the rules for names and descriptions, said in one place."""

import unicodedata

from services.user_errors import InvalidInput, Path

NAME_CHARACTERS = 100
DESCRIPTION_CHARACTERS = 2000


def checked_name(text: str, path: Path) -> str:
    """Return the name without spaces around it, composed. Raises InvalidInput."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise InvalidInput("The name must not be empty.", path)
    if len(name) > NAME_CHARACTERS:
        raise InvalidInput(f"The name must not be longer than {NAME_CHARACTERS} characters.", path)
    if any(not _is_printable(character) for character in name):
        raise InvalidInput("The name must not contain control characters or line breaks.", path)
    return name


def checked_description(text: str | None, path: Path) -> str | None:
    """Return the description, None for an empty one. Raises InvalidInput."""
    if text is None or not text.strip():
        return None
    if len(text) > DESCRIPTION_CHARACTERS:
        raise InvalidInput(f"The description must not be longer than {DESCRIPTION_CHARACTERS} characters.", path)
    if any(not (_is_printable(character) or character in "\n\t") for character in text):
        raise InvalidInput("The description must not contain control characters.", path)
    return unicodedata.normalize("NFC", text).strip()


def _is_printable(character: str) -> bool:
    # Control, format (text direction), surrogate and unassigned characters, and line separators, are not.
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
