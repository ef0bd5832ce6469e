"""Documents that are seen for the first time, against strawberry's own view, which keeps none."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import orjson
from starlette.types import ASGIApp

from benchmarks.application import OpenApplication, open_application, post
from benchmarks.dashboard import DASHBOARD
from benchmarks.report import Finding, spread
from benchmarks.seeded_platform import seed_platform
from benchmarks.small_queries import FIELDS, LIST, PAGE
from benchmarks.stock_view import StockView
from benchmarks.timing import paired_seconds
from server import garbage_collection

ROUNDS = 100

NOTHING_TEXT = 'text: "no registry is named so"'
NOTHING = f"(first: 50, filter: {{ {NOTHING_TEXT} }})"


async def run() -> list[Finding]:
    """Return how a small document and a large one fare: the large one finds nothing, so that little is left to run."""
    async with open_application() as application:
        await seed_platform(application)
        # As `serve` has it.
        garbage_collection.settle()
        small, small_stock = await _seconds(application, _new_list, PAGE)
        large, large_stock = await _seconds(application, _new_dashboard, 0)
        composed, composed_stock = await _seconds(application, _new_composed_dashboard, 0)
    return [
        spread(f"A new document, a list of {FIELDS} fields", small, "strawberry's own view, no login", small_stock),
        spread("A new document, the dashboard of nothing", large, "strawberry's own view, no login", large_stock),
        spread(
            "A new document, the same of variables, fragments and directives",
            composed,
            "strawberry's own view, no login",
            composed_stock,
        ),
    ]


def _new_list(number: int) -> str:
    """Return the document with a number in the name of its root field: another text, and another tree."""
    return _replaced(LIST, "integrations", f"list{number}: integrations")


def _new_dashboard(number: int) -> str:
    """Return the same of the dashboard, with a filter that no integration meets."""
    return _replaced(DASHBOARD, "integrations(first: 50)", f"list{number}: integrations{NOTHING}")


def _new_composed_dashboard(number: int) -> str:
    """Return the same as an application would write it, so that every rule of validation has something to look at."""
    _, nodes, card = DASHBOARD.partition("nodes {")
    card, end, _ = card.rpartition("}\n  }\n}")
    assert nodes
    assert end
    variables = f"($first: Int = 50, $filter: IntegrationFilter = {{ {NOTHING_TEXT} }}, $never: Boolean = false)"
    field = f"list{number}: integrations(first: $first, filter: $filter) @skip(if: $never)"
    return (
        f"query Dashboard{variables} {{ {field} {{ nodes {{ ...Card }} }} }} fragment Card on Integration {{ {card} }}"
    )


def _replaced(document: str, field: str, other: str) -> str:
    assert document.count(field) == 1, document
    return document.replace(field, other)


async def _seconds(
    application: OpenApplication, new_document: Callable[[int], str], count: int
) -> tuple[list[float], list[float]]:
    """Return what each document took here and with strawberry's view, asked of both once; it lists so many."""
    stock = StockView(application)
    ours, theirs = [
        orjson.loads(await post(app, application.token, new_document(0)))["data"] for app in (application.app, stock)
    ]
    assert ours == theirs
    assert len(ours["list0"]["nodes"]) == count

    def asked_of(app: ASGIApp, documents: Iterator[str]) -> Awaitable[bytes]:
        return post(app, application.token, next(documents))

    ways = [
        partial(asked_of, app, (new_document(number) for number in itertools.count(1)))
        for app in (application.app, stock)
    ]
    here, there = await paired_seconds(ways, ROUNDS)
    return here, there
