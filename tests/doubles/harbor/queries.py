"""Lists: filters, order and pages, with Harbor's own idea of each."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from tests.doubles.harbor.answers import Answer, bad_request, json_answer, unprocessable
from tests.doubles.harbor.requests import Call

T = TypeVar("T")
Fields = Mapping[str, Callable[[T], Any]]

_PAGE_SIZE = 10
_PAGE_SIZE_MAXIMUM = 100


def list_answer(
    call: Call,
    rows: Iterable[T],
    fields: Fields[T],
    shown: Callable[[T], Any],
    *,
    sort: str,
) -> Answer:
    """Return one page of rows: filtered by ``q``, ordered by ``sort`` (or as given), cut, with the total.

    What ``q`` and ``sort`` name that is not in ``fields`` is passed over, and the whole list comes.
    """
    page, page_size = _number(call, "page", 1), _number(call, "page_size", _PAGE_SIZE)
    if page_size > _PAGE_SIZE_MAXIMUM:
        raise unprocessable(f"page_size in query should be less than or equal to {_PAGE_SIZE_MAXIMUM}")
    wanted = [(fields[key], value) for key, value in conditions(call.query.get("q", "")) if key in fields]
    kept = [row for row in rows if all(_holds(field(row), value) for field, value in wanted)]
    ordered = _sorted(kept, call.query.get("sort") or sort, fields, sort)
    start = max(page - 1, 0) * page_size
    # 0 and -1 are no page size: everything comes.
    shown_rows = ordered[start : start + page_size] if page_size > 0 else ordered
    headers = {"X-Total-Count": str(len(kept))} | _link(call, page, page_size, len(kept))
    return json_answer([shown(row) for row in shown_rows], headers)


def harbor_time(moment: datetime) -> str:
    """Return a time as Harbor writes it, with milliseconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z".rjust(24, "0")


def conditions(query: str) -> list[tuple[str, str]]:
    """Return the conditions of a ``q``. 400 when it does not parse."""
    found = []
    for part in filter(None, query.split(",")):
        key, is_there, value = part.partition("=")
        if not is_there or not key or not value:
            raise bad_request('the query string must contain "=" and the key/value cannot be empty')
        for opening, closing in ("[]", "{}", "()"):
            if value.startswith(opening) != value.endswith(closing):
                raise bad_request(f"invalid query string value: {value}")
        found.append((key, value))
    return found


def is_true(call: Call, name: str, *, otherwise: bool) -> bool:
    """Return a yes or no of the query."""
    return call.query.get(name, str(otherwise)).lower() == "true"


def _number(call: Call, name: str, otherwise: int) -> int:
    text = call.query.get(name)
    if text is None:
        return otherwise
    try:
        return int(text)
    except ValueError:
        raise unprocessable(f'{name} in query must be of type int64: "{text}"') from None


def _holds(actual: Any, wanted: str) -> bool:
    if wanted.startswith("("):
        # A list that all must hold of has no meaning for a single value, and is passed over.
        return True
    if wanted.startswith("{"):
        return any(_same(actual, one) for one in wanted[1:-1].split(" "))
    if wanted.startswith("["):
        low, _, high = wanted[1:-1].partition("~")
        return (not low or actual >= _read(low, actual)) and (not high or actual <= _read(high, actual))
    if wanted.startswith("~"):
        return wanted[1:].lower() in str(actual).lower()
    return _same(actual, wanted)


def _same(actual: Any, wanted: str) -> bool:
    return str(actual).lower() == wanted.lower() if isinstance(actual, bool) else str(actual) == wanted


def _read(text: str, like: Any) -> Any:
    if isinstance(like, datetime):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return type(like)(text)


def _sorted(rows: list[T], sort: str, fields: Fields[T], otherwise: str) -> list[T]:
    known = [key for key in sort.split(",") if key.lstrip("-") in fields] or otherwise.split(",")
    for key in reversed(known):
        rows = sorted(rows, key=fields[key.lstrip("-")], reverse=key.startswith("-"))
    return rows


def _link(call: Call, page: int, page_size: int, total: int) -> dict[str, str]:
    links = []
    if page > 1 and total > (page - 2) * page_size:
        links.append(f'<{_address(call, page - 1, page_size)}>; rel="prev"')
    if page_size and page * page_size < total:
        links.append(f'<{_address(call, page + 1, page_size)}>; rel="next"')
    return {"Link": " , ".join(links)} if links else {}


def _address(call: Call, page: int, page_size: int) -> str:
    # Not escaped: a value with an ampersand in it would end there.
    query = dict(call.query) | {"page": str(page), "page_size": str(page_size)}
    return f"{call.request.raw_path}?" + "&".join(f"{key}={query[key]}" for key in sorted(query))
