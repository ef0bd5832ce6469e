"""Names that people give: how two of them are the same."""

import unicodedata


def fold_name(name: str) -> str:
    """Return the name as it is compared and sorted by: composed, without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
