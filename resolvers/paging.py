"""`first` and `after`: checked, and turned into a place in an order."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import orjson

from models.reading import Order, PageRequest
from resolvers.public_errors import PublicError, bad_input

DEFAULT_FIRST = 20
MOST_FIRST = 100
MAX_CURSOR_CHARACTERS = 2000


def page_request(first: int | None, after: str | None, order: Order) -> PageRequest:
    """Return what to read. Raises PublicError for a number out of range and a cursor of something else."""
    count = checked_first(first)
    return PageRequest(count, order, None if after is None else _place(after, order))


def checked_first(first: int | None) -> int:
    """Return how many are wanted. Raises PublicError for a number out of range."""
    count = DEFAULT_FIRST if first is None else first
    if not 1 <= count <= MOST_FIRST:
        raise bad_input(f"first must be between 1 and {MOST_FIRST}; it is {count}.")
    return count


def cursor_of(record: Any, order: Order) -> str:
    """Return the cursor of a record in an order."""
    value = getattr(record, order.attribute)
    if isinstance(value, datetime):
        value = value.isoformat()
    return written_cursor(_mark(order), value, getattr(record, order.id_attribute))


def written_cursor(*parts: object) -> str:
    """Return a cursor of parts, the first of which says what list it is of."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def cursor_parts(cursor: str) -> Any:
    """Return the parts that a cursor may have been made of: whatever they are. Raises ValueError."""
    if len(cursor) > MAX_CURSOR_CHARACTERS:
        raise ValueError("too long")
    try:
        return orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except binascii.Error as error:
        raise ValueError("no Base64") from error


def invalid_cursor() -> PublicError:
    """Return the error for a cursor of something else."""
    return PublicError(
        "This cursor is none that came from this list in this order. Begin without one.", "INVALID_CURSOR"
    )


def _mark(order: Order) -> str:
    return f"{order.expression}{'-' if order.is_descending else '+'}"


def _place(cursor: str, order: Order) -> tuple[Any, int]:
    try:
        mark, value, record_id = cursor_parts(cursor)
        if mark != _mark(order) or not _is_key(record_id):
            raise ValueError
        if order.is_time:
            return _moment(value), record_id
        if not (_is_key(value) if order.attribute == order.id_attribute else _is_storable(value)):
            raise ValueError
        return value, record_id
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid_cursor() from error


def _is_key(value: object) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_storable(value: object) -> bool:
    # PostgreSQL keeps no NUL in a text, and takes none to compare with.
    return isinstance(value, str) and "\x00" not in value


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    # Near the ends of the calendar a time has no equal in UTC.
    return moment.astimezone(UTC)
