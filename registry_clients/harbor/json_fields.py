"""Reading JSON without trusting it: what isn't as it must be is UnexpectedAnswer, never KeyError."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from registry_clients.errors import UnexpectedAnswer

# How Go writes a time that was never set.
_UNSET_YEAR = 1


class Fields:
    """A JSON object of Harbor's: each field is read by its type. ``host`` is for messages."""

    def __init__(self, values: Mapping[str, Any], host: str) -> None:
        self._values = values
        self._host = host

    @classmethod
    def of(cls, value: object, host: str) -> Fields:
        """Return the fields of a value that must be an object."""
        if not isinstance(value, dict):
            raise unexpected(host)
        return cls(value, host)

    def text(self, name: str) -> str:
        """Return a text that must be there and not be empty."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise unexpected(self._host)
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, None when it is missing, null or empty: Harbor leaves out what is empty."""
        return self.text(name) if self._values.get(name) not in (None, "") else None

    def number(self, name: str) -> int:
        """Return a whole number of any size that must be there."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise unexpected(self._host)
        return value

    def count(self, name: str) -> int:
        """Return a number of things: missing means none, as Harbor leaves out zeros; never below 0."""
        if self._values.get(name) is None:
            return 0
        value = self.number(name)
        if value < 0:
            raise unexpected(self._host)
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean; missing means false, as Harbor leaves that out."""
        value = self._values.get(name, False)
        if value is not None and not isinstance(value, bool):
            raise unexpected(self._host)
        return bool(value)

    def time(self, name: str) -> datetime | None:
        """Return a time, in UTC; None when it is missing or was never set (0001-01-01)."""
        text = self.optional_text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.year == _UNSET_YEAR:
                return None
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise unexpected(self._host) from error

    def fields(self, name: str) -> Fields:
        """Return the fields of an object in this one; missing or null, it has none."""
        return Fields.of(self._values.get(name) or {}, self._host)

    def objects(self, name: str) -> tuple[Fields, ...]:
        """Return the objects of a list in this one; missing or null, there are none."""
        return objects_of(self._values.get(name), self._host)

    def has(self, name: str) -> bool:
        """Say whether a field is there and not null."""
        return self._values.get(name) is not None


def parse_object(body: bytes, host: str) -> Fields:
    """Return the fields of the JSON object that a body is. Raises UnexpectedAnswer when it is none."""
    return Fields.of(_parsed(body, host), host)


def parse_objects(body: bytes, host: str) -> tuple[Fields, ...]:
    """Return the objects of the JSON list that a body is; null is an empty one, as Go has it."""
    return objects_of(_parsed(body, host), host)


def objects_of(value: object, host: str) -> tuple[Fields, ...]:
    """Return the fields of each object in a value that must be a list, or null."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise unexpected(host)
    return tuple(Fields.of(entry, host) for entry in value)


def unexpected(host: str) -> UnexpectedAnswer:
    """Return the error for JSON of another shape than Harbor's."""
    return UnexpectedAnswer(f"{host} answers with JSON that no Harbor sends.")


def _parsed(body: bytes, host: str) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        start = body.lstrip()[:1]
        if not start:
            message = f"{host} answers with an empty page: is this the address of a Harbor?"
        elif start == b"<":
            message = f"{host} answers with a web page: is this the address of a Harbor?"
        else:
            message = f"{host} answers with broken JSON."
        raise UnexpectedAnswer(message) from error
