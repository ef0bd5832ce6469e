"""Small queries through our endpoint, against handlers written by hand and strawberry's own view."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import orjson

from benchmarks.application import open_application, post
from benchmarks.captured_calls import captured_calls
from benchmarks.databases import DatabaseKind, both_kinds
from benchmarks.handwritten import handwritten_list, handwritten_viewer
from benchmarks.report import Finding, spread
from benchmarks.seeded_platform import seed_platform
from benchmarks.stock_view import StockView
from benchmarks.timing import paired_seconds
from server import garbage_collection

ROUNDS, ROUNDS_IN_A_ROW, IN_A_ROW = 300, 60, 10
PAGE = 20

LIST = f"{{ integrations(first: {PAGE}) {{ nodes {{ id name kind imageHost createdAt }} }} }}"
FIELDS = 2 + PAGE * 5
VIEWER = "{ viewer { name } }"


async def run() -> list[Finding]:
    """Return how a list of one statement and the viewer's name fare on each kind of database."""
    with both_kinds() as kinds:
        return [finding for kind in kinds for finding in await _measured(kind)]


async def _measured(kind: DatabaseKind) -> list[Finding]:
    async with open_application(kind=kind) as application:
        await seed_platform(application)
        stock, token = StockView(application), application.token
        (statement,) = await captured_calls(application, LIST)
        assert await captured_calls(application, VIEWER) == []
        list_by_hand = handwritten_list(application.services.database, statement, PAGE)
        viewer_by_hand = handwritten_viewer()
        ours, theirs, theirs_by_hand = [
            orjson.loads(await post(app, token, LIST))["data"] for app in (application.app, stock, list_by_hand)
        ]
        assert ours == theirs
        assert _alike(ours) == _alike(theirs_by_hand)
        assert len(ours["integrations"]["nodes"]) == PAGE
        # As `serve` has it.
        garbage_collection.settle()
        findings: list[Finding] = []
        for what, query, by_hand in (
            (f"a list of {FIELDS} fields, one statement", LIST, list_by_hand),
            ("the viewer's name", VIEWER, viewer_by_hand),
        ):
            ways = [partial(post, app, token, query) for app in (application.app, by_hand, stock)]
            ours, hand, of_stock = await paired_seconds(ways, ROUNDS)
            ours_in_a_row, hand_in_a_row = await paired_seconds(ways[:2], ROUNDS_IN_A_ROW, in_a_row=IN_A_ROW)
            told = f"{kind.name}: {what}"
            findings += [
                spread(told, ours, "written by hand, no login", hand),
                spread(f"{told}, {IN_A_ROW} in a row", ours_in_a_row, "written by hand, no login", hand_in_a_row),
                spread(told, ours, "strawberry's own view, no login", of_stock),
            ]
    return findings


def _alike(data: Any) -> list[dict[str, Any]]:
    """Return the list with its moments read, which are written in two forms."""
    return [{**node, "createdAt": datetime.fromisoformat(node["createdAt"])} for node in data["integrations"]["nodes"]]
