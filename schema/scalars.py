"""Scalars beyond GraphQL's own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NewType

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition

from execution import Written

URL = NewType("URL", str)
Cursor = NewType("Cursor", str)
Count = NewType("Count", int)
ByteSize = NewType("ByteSize", int)
Digest = NewType("Digest", str)
JSONText = NewType("JSONText", str)


def _serialize_datetime(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _write_datetimes(values: Sequence[datetime | None]) -> Sequence[str | None]:
    # orjson writes them and reads their texts in a sixth of the time that Python takes to write them.
    moments = [value if value is None or value.tzinfo is UTC else value.astimezone(UTC) for value in values]
    texts: list[str | None] = orjson.loads(orjson.dumps(moments, option=orjson.OPT_UTC_Z))
    return texts


def _parse_datetime(value: object) -> datetime:
    try:
        if not isinstance(value, str):
            raise ValueError
        moment = datetime.fromisoformat(value)
    except ValueError:
        # The value is not quoted: it may be anything, a secret in the wrong place included.
        raise ValueError("A DateTime is written as in 2026-01-31T12:00:00Z.") from None
    if moment.tzinfo is None:
        raise ValueError("A DateTime needs its offset, Z for UTC.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This DateTime is out of range.") from None


def _parse_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("This must be a whole number, 0 or more.")
    return value


def _parse_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("This must be a text.")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, as in RFC 3339. Answers are in UTC.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_serialize_datetime,
        parse_value=_parse_datetime,
    ),
    URL: strawberry.scalar(
        name="URL",
        description="An absolute address with http or https.",
        specified_by_url="https://url.spec.whatwg.org/",
        serialize=str,
        parse_value=_parse_text,
    ),
    Count: strawberry.scalar(
        name="Count",
        description="How many of something: a whole number that may go past 2^31. A JSON number, safe to 2^53.",
        serialize=int,
        parse_value=_parse_count,
    ),
    ByteSize: strawberry.scalar(
        name="ByteSize",
        description="A number of bytes, which may go past 2^31. A JSON number, safe to 2^53.",
        serialize=int,
        parse_value=_parse_count,
    ),
    Digest: strawberry.scalar(
        name="Digest",
        description="What tells one content from every other: algorithm:hexadecimal, such as sha256:….",
        specified_by_url="https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests",
        serialize=str,
        parse_value=_parse_text,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="A place in a list or in the log of events. Opaque: hand back what you were given.",
        serialize=str,
        parse_value=_parse_text,
    ),
}

_TEXTS, _NUMBERS = Written(frozenset((str,))), Written(frozenset((int,)))

WRITTEN_SCALARS: dict[object, Written] = {
    datetime: Written(frozenset((datetime,)), _write_datetimes),
    URL: _TEXTS,
    Count: _NUMBERS,
    ByteSize: _NUMBERS,
    Digest: _TEXTS,
    Cursor: _TEXTS,
}
"""How many of each are written at once."""
