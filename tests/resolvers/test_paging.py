"""Cursors: a place in one order, and nothing else is one."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.reading import Order
from resolvers.paging import MOST_FIRST, cursor_of, page_request
from resolvers.public_errors import PublicError

BY_NAME = Order('i."name_key"', "name", 'i."id"')
BY_TIME = Order('i."created_at"', "created_at", 'i."id"', is_time=True)
BY_ID = Order('i."id"', "id", 'i."id"', is_descending=True)
MARKS = {order: f"{order.expression}{'-' if order.is_descending else '+'}" for order in (BY_NAME, BY_TIME, BY_ID)}


@dataclass(frozen=True)
class Record:
    """Something in a list."""

    id: int
    name: str
    created_at: datetime


RECORDS = st.builds(
    Record,
    id=st.integers(min_value=1, max_value=2**63 - 1),
    # What a database can hold: no NUL, no halves of characters.
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")).filter(lambda t: len(t) < 200),
    created_at=st.datetimes(timezones=st.just(UTC)),
)


def made_up(*parts: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


@given(RECORDS, st.sampled_from([BY_NAME, BY_TIME, BY_ID]))
def test_a_cursor_leads_back_to_its_place(record: Record, order: Order) -> None:
    request = page_request(10, cursor_of(record, order), order)
    assert request.after == (getattr(record, order.attribute), record.id)


@given(RECORDS)
def test_a_cursor_is_of_one_order_and_direction(record: Record) -> None:
    for other in (BY_TIME, replace(BY_NAME, is_descending=True)):
        assert refusal(cursor_of(record, BY_NAME), other) == "INVALID_CURSOR"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([BY_NAME, BY_TIME, BY_ID]), JSON, JSON)
@example(BY_NAME, "a\x00", 1)
@example(BY_ID, 2**63, 1)
@example(BY_ID, 1, 2**63)
@example(BY_TIME, "2026-01-01T00:00:00", 1)
@example(BY_TIME, "0001-01-01T00:00:00+23:59", 1)
def test_a_made_up_cursor_is_a_place_that_a_database_can_take_or_refused(order: Order, value: Any, key: Any) -> None:
    try:
        request = page_request(10, made_up(MARKS[order], value, key), order)
    except PublicError as error:
        assert error.code == "INVALID_CURSOR"  # noqa: PT017 (what is taken instead is checked below)
        return
    assert request.after is not None
    place, record_id = request.after
    assert type(record_id) is int
    assert abs(record_id) < 2**63
    if order.is_time:
        assert place.tzinfo is UTC
    elif order is BY_NAME:
        assert isinstance(place, str)
        assert "\x00" not in place
    else:
        assert type(place) is int
        assert abs(place) < 2**63


@given(st.text())
@example("")
@example("é")
@example("\x00")
@example("A" * 10_000)
@example(base64.urlsafe_b64encode(b"[1,2]").decode())
@example(base64.urlsafe_b64encode(b"{}").decode())
@example(base64.urlsafe_b64encode(b'"abc"').decode())
@example(base64.urlsafe_b64encode(b"\xff\xfe").decode())
def test_any_other_text_is_refused(text: str) -> None:
    assert refusal(text, BY_NAME) == "INVALID_CURSOR"


def test_a_time_of_another_zone_is_the_same_place() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    request = page_request(10, made_up(MARKS[BY_TIME], moment.isoformat(), 1), BY_TIME)
    assert request.after == (datetime(2026, 1, 31, 10, tzinfo=UTC), 1)


@pytest.mark.parametrize("first", [1, 20, MOST_FIRST])
def test_as_many_as_wanted(first: int) -> None:
    assert page_request(first, None, BY_NAME).first == first


def test_twenty_where_nothing_is_said() -> None:
    assert page_request(None, None, BY_NAME).first == 20


@pytest.mark.parametrize("first", [0, -1, MOST_FIRST + 1, -(2**31), 2**31 - 1])
def test_a_number_out_of_range_is_refused(first: int) -> None:
    with pytest.raises(PublicError, match=f"between 1 and {MOST_FIRST}; it is {first}") as refused:
        page_request(first, None, BY_NAME)
    assert refused.value.code == "BAD_USER_INPUT"


def refusal(cursor: str, order: Order) -> str:
    with pytest.raises(PublicError) as refused:
        page_request(10, cursor, order)
    return refused.value.code
