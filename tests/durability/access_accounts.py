"""Holding what clients were told against the events and the audit: nothing acknowledged is missing, nothing unasked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.database import Database
from models.queries.events import AUDIT_EVENTS
from models.records import AuditEventRecord, EventRecord
from tests.durability.access_replay import histories
from tests.durability.access_world import MAKES, AccessClient, Book, Claim


async def require_accounted_for(
    database: Database, events: Sequence[EventRecord], clients: Sequence[AccessClient], *, was_killed: bool
) -> None:
    """Fail unless what each client was told is so, and what it made happen is what it asked for."""
    audit = sorted(await AUDIT_EVENTS.all(database, lambda _: []), key=lambda row: row.id)
    if not was_killed:
        assert [row for row in audit if row.finished_at is None or row.outcome.value == "STARTED"] == []
    facts = histories(events)
    for client in clients:
        book = client.book
        rows = [row for row in audit if row.viewer_name == client.name]
        _require_audited(rows, book, was_killed=was_killed)
        for claim in book.claims:
            assert _was_so(facts.get(claim.fact, []), claim), (client.name, claim, facts.get(claim.fact))
        begins = [row.occurred_at for row in rows]
        for event in events:
            if event.data.get("by") == client.name and event.position > book.accounted_position:
                # Who asks one thing after the other does what was begun last.
                row = rows[bisect_right(begins, event.occurred_at) - 1]
                assert _explains(row, event), (client.name, event, row)
        # What was so at a time was so: the next look need not ask again.
        book.claims.clear()
        book.accounted_position = events[-1].position


def _require_audited(rows: Sequence[AuditEventRecord], book: Book, *, was_killed: bool) -> None:
    """Fail unless the audit of one client has what it asked, in order, each with the end that it was told."""
    written: list[tuple[str, list[str] | None, bool]] = [
        (row.mutation, row.error_codes, row.is_dry_run) for row in rows
    ]
    told = [(each.mutation, each.codes, each.given.get("dryRun") is True) for each in book.answered]
    if not was_killed:
        assert written == told
        return
    # What a client was not answered may have its row, or none; the others come in order.
    left = iter(written)
    assert all(each in left for each in told)
    assert len(written) <= len(book.asked)


def _was_so(history: Sequence[tuple[datetime, Any]], claim: Claim) -> bool:
    """Return whether a fact was as claimed at some moment between question and answer."""
    begins: list[datetime | None] = [None, *(moment for moment, _ in history)]
    values = [None, *(value for _, value in history)]
    ends = [*begins[1:], None]
    return any(
        value == claim.value and (begin is None or begin <= claim.answered_at) and (end is None or end >= claim.sent_at)
        for begin, end, value in zip(begins, ends, values, strict=True)
    )


def _explains(row: AuditEventRecord, event: EventRecord) -> bool:
    """Return whether an event, in the name of who asked, comes of what an audit row tells."""
    # Of many spaces some may have failed; of a row that was cut off nobody knows the end; and what was made may be gone
    # again before it could be shown.
    is_gone_again = row.mutation in ("createSpace", "integrateRegistry") and row.error_codes == ["NOT_FOUND"]
    is_done = row.outcome.value in ("SUCCEEDED", "STARTED") or row.mutation == "setSpaceVisibility" or is_gone_again
    return (
        event.type.value in MAKES[row.mutation]
        and is_done
        and not row.is_dry_run
        and row.occurred_at <= event.occurred_at
        and (row.finished_at is None or event.occurred_at <= row.finished_at)
    )
