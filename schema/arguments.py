"""Arguments of queries: what can't be taken is said, what names nothing finds nothing."""

from collections.abc import Sequence

import strawberry

from resolvers.global_ids import ArtifactKey, InvalidId, key_of, parse_artifact_id
from resolvers.public_errors import bad_input
from services.user_errors import NotFound, UserError, UserErrors

MOST_IDS = 100
MOST_TEXTS = 100
MOST_TEXT_CHARACTERS = 200


def keys_or_nothing(ids: Sequence[strawberry.ID] | None, type_name: str) -> tuple[int, ...] | None:
    """Return the keys of ids of that type, sorted; ids of other types, or of nothing, find nothing.

    Raises PublicError for more than a hundred.
    """
    if ids is None:
        return None
    if len(ids) > MOST_IDS:
        raise bad_input(f"At most {MOST_IDS} ids can be given at once; there are {len(ids)}.")
    return tuple(sorted({key for key in (key_of(given, type_name) for given in ids) if key is not None}))


def input_key(given: str, type_name: str, what: str, field: str = "id") -> int:
    """Return the key of an id in a mutation's input. Raises NotFound for one of another type, or of nothing."""
    key = key_of(given, type_name)
    if key is None:
        raise NotFound(what, ("input", field))
    return key


def input_artifact(given: str, field: str = "id") -> ArtifactKey:
    """Return the key of an artifact's id in a mutation's input. Raises NotFound for any other id."""
    try:
        return parse_artifact_id(given)
    except InvalidId as error:
        raise NotFound("artifact", ("input", field)) from error


def input_keys(given: Sequence[str], type_name: str, what: str, field: str) -> list[int]:
    """Return the keys of ids in a mutation's input. Raises UserErrors with NotFound for each that is none."""
    keys = [key_of(each, type_name) for each in given]
    errors: list[UserError] = [
        NotFound(what, ("input", field, str(index))) for index, key in enumerate(keys) if key is None
    ]
    if errors:
        raise UserErrors(errors)
    return [key for key in keys if key is not None]


def checked_text(text: str | None) -> str | None:
    """Return a text to search for; None for an empty one. Raises PublicError for one that is too long."""
    if text is not None and len(text) > MOST_TEXT_CHARACTERS:
        raise bad_input(f"A text to search for has at most {MOST_TEXT_CHARACTERS} characters.")
    if text is not None and ("\x00" in text or not _is_encodable(text)):
        raise bad_input("A text to search for must not hold null characters or halves of characters.")
    return text or None


def required_text(text: str) -> str:
    """Return a text to search for, trimmed. Raises PublicError for an empty one, and for one that can't be taken."""
    checked = checked_text(text.strip())
    if checked is None:
        raise bad_input(f"A text to search for has 1 to {MOST_TEXT_CHARACTERS} characters.")
    return checked


def checked_texts(texts: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return texts of which one is to be met. Raises PublicError for too many, and for one that can't be taken."""
    if texts is None:
        return None
    if len(texts) > MOST_TEXTS:
        raise bad_input(f"At most {MOST_TEXTS} texts can be given at once; there are {len(texts)}.")
    return tuple(checked_text(text) or "" for text in texts)


def _is_encodable(text: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in text)
