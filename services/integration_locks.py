"""The lock on an integration's row: taken before rows that belong to it, by whoever writes several, until the commit.

What belongs to an integration goes with it. Whoever held a row of those, and then wrote another that refers to the
integration, would wait for its remover, who waits for that row. Who only claims a row for a time writes that alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.database import Transaction
from models.integration import Integration
from models.reading import Statement


async def lock_integration(transaction: Transaction, integration_id: int) -> None:
    """Hold off others who would change an integration, or what belongs to it; where there is none, nothing."""
    if transaction.dialect.lock_rows:
        await _lock(transaction, "integration", "id", integration_id)


async def lock_integrations(transaction: Transaction, ids: Sequence[int]) -> None:
    """Hold off others who would change these integrations, in the order in which all do that.

    An UPDATE of several takes them as they lie: it and somebody who goes by id would wait for each other.
    """
    if transaction.dialect.lock_rows:
        statement = Statement(transaction.dialect)
        condition = statement.is_one_of('"id"', ids)
        await transaction.fetch(
            f'SELECT 1 FROM "integration" WHERE {condition} ORDER BY "id"{transaction.dialect.lock_rows}',
            *statement.values,
        )


async def locked_integration(transaction: Transaction, integration_id: int) -> Integration | None:
    """Return an integration that nobody else changes, nor its health, until the transaction ends; None without one."""
    if transaction.dialect.lock_rows:
        # Its health first: what a probe saw is written in that order (a new check refers to the integration),
        # and the other way round each would wait for the other.
        await _lock(transaction, "integration_health", "integration_id", integration_id)
        await _lock(transaction, "integration", "id", integration_id)
    return await Integration.get_or_none(id=integration_id)


async def _lock(transaction: Transaction, table: str, key: str, integration_id: int) -> None:
    place = transaction.dialect.placeholder(1)
    await transaction.fetch(
        f'SELECT 1 FROM "{table}" WHERE "{key}" = {place}{transaction.dialect.lock_rows}', integration_id
    )
