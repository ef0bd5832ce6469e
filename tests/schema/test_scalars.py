"""Scalars: what goes in comes out, and nothing else goes in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import SCALARS, WRITTEN_SCALARS, Count

DATE_TIME = SCALARS[datetime]


def parse(value: object) -> datetime:
    assert DATE_TIME.parse_value is not None
    moment = DATE_TIME.parse_value(value)
    assert isinstance(moment, datetime)
    return moment


def serialize(moment: datetime) -> str:
    assert DATE_TIME.serialize is not None
    text = DATE_TIME.serialize(moment)
    assert isinstance(text, str)
    return text


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_date_time_comes_back_to_the_microsecond(moment: datetime) -> None:
    text = serialize(moment)
    assert text.endswith("Z")
    assert parse(text) == moment


def test_a_date_time_is_kept_in_utc() -> None:
    parsed = parse("2026-01-31T12:00:00+02:00")
    assert (parsed, parsed.tzinfo) == (datetime(2026, 1, 31, 10, tzinfo=UTC), UTC)
    assert serialize(datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-31T10:00:00Z"


ZONES = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
# At the ends of the calendar, some have no equal in UTC.
MOMENTS = (st.datetimes() | st.datetimes(timezones=st.just(UTC) | ZONES)).filter(lambda moment: 1 < moment.year < 9999)


@given(st.lists(st.none() | MOMENTS))
def test_many_date_times_are_written_as_one_is(moments: list[datetime | None]) -> None:
    write = WRITTEN_SCALARS[datetime].write
    assert write is not None
    assert list(write(moments)) == [None if moment is None else serialize(moment) for moment in moments]


def test_one_date_time_that_cannot_be_written_fails_as_it_does_alone() -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    write = WRITTEN_SCALARS[datetime].write
    assert write is not None
    with pytest.raises(OverflowError):
        serialize(early)
    with pytest.raises(OverflowError):
        write([datetime.now(UTC), early])


@pytest.mark.parametrize("scalar", [scalar for scalar, hint in WRITTEN_SCALARS.items() if hint.write is None])
def test_what_stands_in_answers_as_it_is_would_be_serialized_as_that(scalar: object) -> None:
    definition, values = SCALARS[scalar], {str: "a text", int: 2**53}
    assert definition.serialize is not None
    for kind in WRITTEN_SCALARS[scalar].classes:
        assert definition.serialize(values[kind]) is values[kind]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-02-30T00:00:00Z",
        "1" * 10_000,
        1769860800,
        True,
        None,
        # In UTC, these are before the first year and after the last one.
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_what_is_no_date_time_is_refused_and_not_quoted(value: object) -> None:
    with pytest.raises(ValueError, match="DateTime") as refused:
        parse(value)
    assert str(value) not in str(refused.value) or not value


@given(st.text() | st.integers() | st.none() | st.binary())
def test_whatever_comes_is_taken_or_refused(value: object) -> None:
    try:
        parsed = parse(value)
    except ValueError:
        return
    assert parsed.tzinfo is UTC


@given(st.integers(min_value=0, max_value=2**53))
def test_a_count_goes_past_what_an_int_holds(count: int) -> None:
    definition = SCALARS[Count]
    assert definition.serialize is not None
    assert definition.parse_value is not None
    assert definition.parse_value(definition.serialize(count)) == count


@pytest.mark.parametrize("value", [-1, 1.5, True, "1", None])
def test_what_is_no_count_is_refused(value: object) -> None:
    parse_value = SCALARS[Count].parse_value
    assert parse_value is not None
    with pytest.raises(ValueError, match="a whole number"):
        parse_value(value)
