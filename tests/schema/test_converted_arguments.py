"""Arguments of fields that need no resolver of strawberry's come out as strawberry would give them."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
import strawberry
from strawberry.types.arguments import convert_arguments

from schema.execution_hints import _converter


@strawberry.enum
class Size(Enum):
    """An enum."""

    SMALL = "s"
    LARGE = "l"


@strawberry.input
class Box:
    """An input with a default, something that may be left out, and something optional."""

    count: int = 3
    label: strawberry.Maybe[str]
    note: str | None = strawberry.UNSET


@strawberry.type
class Query:
    """One field with arguments of every sort."""

    @strawberry.field
    def all(
        self,
        text: str | None = strawberry.UNSET,
        number: int = 2,
        size: Size = Size.SMALL,
        numbers: list[int] | None = None,
        sizes: list[Size | None] | None = None,
        box: Box | None = None,
        boxes: list[Box] | None = None,
        maybe: strawberry.Maybe[str] = None,
        maybe_null: strawberry.Maybe[str | None] = None,
        maybe_box: strawberry.Maybe[Box] = None,
    ) -> str:
        """Return nothing of interest."""
        return ""


def outcome(convert: Any, *given: Any, **options: Any) -> Any:
    """Return what a conversion returns, or the class of what it raises."""
    try:
        return convert(*given, **options)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"text": None},
        {"text": "a", "number": 5},
        {"size": Size.LARGE},
        {"numbers": [1, 2]},
        {"numbers": None},
        {"sizes": [Size.LARGE, None]},
        {"box": {}},
        {"box": {"label": "a", "note": None}},
        {"box": {"label": None}},
        {"boxes": [{"count": 1}, {"note": "a"}]},
        {"maybe": "a"},
        {"maybe": None},
        {"maybeNull": "a"},
        {"maybeNull": None},
        {"maybeBox": {"count": 1}},
    ],
    ids=str,
)
def test_it_is_what_strawberry_makes_of_them(given: dict[str, Any]) -> None:
    schema = strawberry.Schema(Query)
    (field,) = schema.get_type_by_name("Query").fields  # type: ignore[union-attr]
    expected = outcome(
        convert_arguments,
        given,
        field.arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
    )
    assert outcome(_converter(schema, field), given) == expected
