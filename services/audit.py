"""The audit: who did what, written before it is done, so that nothing happens without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from models.database import Database, Transaction
from models.enums import AuditOutcome
from models.event import AuditEvent
from services.clock import Clock
from services.viewer import Viewer

log = structlog.get_logger("audit")

HIDDEN = "•••"
SECRET_FIELDS = frozenset({"password", "token", "secret", "code", "cacertificatepem"})
"""Never kept, whatever they hold; a certificate may have been pasted with its private key."""

ADDRESS_FIELDS = frozenset({"url", "tokenrealm"})
LONGEST_TEXT = 300
LONGEST_LIST = 100


class AuditLog:
    """Writes the audit rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, viewer: Viewer, mutation: str, given: dict[str, Any], request_id: str) -> int:
        """Write that a mutation was begun and return the row's id. Secrets in the input are left out."""
        return await self._write(viewer, mutation, given, request_id, AuditOutcome.STARTED, ())

    async def refuse(self, viewer: Viewer, mutation: str, given: dict[str, Any], request_id: str, code: str) -> None:
        """Write that a mutation was refused before it began."""
        await self._write(viewer, mutation, given, request_id, AuditOutcome.REFUSED, (code,))

    async def finish(self, row_id: int, outcome: AuditOutcome, error_codes: Sequence[str] = ()) -> None:
        """Write how a mutation ended. Never raises: what was done is done, and the row stays STARTED."""

        async def work(_: Transaction) -> None:
            await AuditEvent.filter(id=row_id).update(
                outcome=outcome, error_codes=list(error_codes), finished_at=self._clock()
            )

        try:
            await self._database.transact(work)
        except Exception:
            # A full disk, a database that went away: the answer must not say that nothing happened.
            log.exception("end of a mutation could not be written", audit_event_id=row_id, outcome=outcome.value)

    async def _write(
        self,
        viewer: Viewer,
        mutation: str,
        given: dict[str, Any],
        request_id: str,
        outcome: AuditOutcome,
        error_codes: Sequence[str],
    ) -> int:
        now = self._clock()

        async def work(_: Transaction) -> int:
            row = await AuditEvent.create(
                occurred_at=now,
                finished_at=None if outcome is AuditOutcome.STARTED else now,
                viewer_name=viewer.name,
                viewer_role=viewer.role,
                access_token_id=viewer.access_token_id,
                mutation=mutation,
                input=redacted(given),
                is_dry_run=given.get("dryRun") is True,
                outcome=outcome,
                error_codes=list(error_codes),
                request_id=request_id,
            )
            return int(row.id)

        return await self._database.transact(work)


def redacted(value: Any, name: str = "") -> Any:
    """Return an input as the audit keeps it: no secrets, no certificates, nothing long."""
    if value is None:
        return None
    if name.lower() in SECRET_FIELDS:
        return HIDDEN
    if isinstance(value, dict):
        return {key: redacted(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, name) for item in value[:LONGEST_LIST]]
    if isinstance(value, bool | int | float):
        return value
    # PostgreSQL keeps no NUL in a text, and what is refused for it must leave its trace all the same.
    text = str(value).replace("\x00", "\ufffd")
    if ("://" in text or name.lower() in ADDRESS_FIELDS) and any(sign in text for sign in "@?#"):
        # An address with user info or a query is refused, and may hold a password all the same.
        return HIDDEN
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
