"""A large query through our endpoint, against strawberry's own view and against a handler written by hand."""

from __future__ import annotations

from typing import Any

import orjson

from benchmarks.application import open_application, post
from benchmarks.captured_calls import captured_calls
from benchmarks.databases import DatabaseKind, both_kinds
from benchmarks.handwritten import handwritten_dashboard
from benchmarks.report import Finding, spread
from benchmarks.seeded_platform import BINDINGS_EACH, INTEGRATIONS, SPACES_EACH, seed_platform
from benchmarks.stock_view import StockView
from benchmarks.timing import paired_seconds
from server import garbage_collection
from server.graphql.limits import Limits

ROUNDS, ROUNDS_STOCK = 60, 12

DASHBOARD = """
query Dashboard {
  integrations(first: 50) {
    nodes {
      id name kind imageHost labels
      health { status reason message since checkedAt }
      spaces(first: 20) {
        nodes { id name visibility bindings(first: 2) { nodes { id state workspace { name } } } }
      }
    }
  }
}"""


async def run() -> list[Finding]:
    """Return how it fares on each kind of database, made anew and where nothing has changed."""
    with both_kinds() as kinds:
        return [finding for kind in kinds for finding in await _measured(kind)]


async def _measured(kind: DatabaseKind) -> list[Finding]:
    async with open_application(kind=kind) as application, open_application(Limits(), kind) as keeping:
        await seed_platform(application)
        await seed_platform(keeping)
        stock, token = StockView(application), application.token
        by_hand = handwritten_dashboard(application.services.database, await captured_calls(application, DASHBOARD))
        ours, theirs, theirs_by_hand = [
            orjson.loads(await post(app, token, DASHBOARD))["data"] for app in (application.app, stock, by_hand)
        ]
        assert ours == theirs
        assert _shown(ours) == _shown(theirs_by_hand)
        # As `serve` has it.
        garbage_collection.settle()
        anew, written, kept = await paired_seconds(
            [
                lambda: post(application.app, token, DASHBOARD),
                lambda: post(by_hand, token, DASHBOARD),
                lambda: post(keeping.app, keeping.token, DASHBOARD),
            ],
            ROUNDS,
        )
        beside_stock, of_stock = await paired_seconds(
            [lambda: post(application.app, token, DASHBOARD), lambda: post(stock, token, DASHBOARD)], ROUNDS_STOCK
        )
    what = f"{kind.name}: dashboard, {INTEGRATIONS} integrations × {SPACES_EACH} spaces × {BINDINGS_EACH} bindings"
    return [
        spread(what, anew, "the same SQL, written by hand", written),
        spread(f"{what}, nothing changed", kept, "the same SQL, written by hand", written),
        spread(what, beside_stock, "strawberry's own view", of_stock),
    ]


def _shown(data: Any) -> list[tuple[str, list[str], list[Any]]]:
    """Return what both ways write alike; moments are written in two forms."""
    return [(node["name"], node["labels"], node["spaces"]["nodes"]) for node in data["integrations"]["nodes"]]
