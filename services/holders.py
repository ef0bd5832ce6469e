"""Names, addresses and image hosts belong to one integration each: who holds one, and nobody takes it meanwhile.

What the platform holds, no workspace can take. Workspaces know nothing of each other, and the platform takes what it
wants: two of them may well bring the same registry.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.database import Transaction
from models.integration import PLATFORM_SCOPE
from models.names import fold_name
from models.queries.integrations import INTEGRATIONS
from models.reading import Statement
from models.records import IntegrationRecord
from services.user_errors import AddressTaken, ImageHostTaken, NameTaken


async def claim_lock(transaction: Transaction) -> None:
    """Hold off others who would take names, addresses or image hosts, until the transaction ends."""
    if transaction.dialect.claim_lock is not None:
        await transaction.fetch(transaction.dialect.claim_lock)


async def require_free(
    transaction: Transaction,
    workspace_id: int | None,
    *,
    name: str | None = None,
    url: str | None = None,
    image_host: str | None = None,
    image_host_aliases: Sequence[str] = (),
    but_by: int | None = None,
) -> None:
    """Raise NameTaken, AddressTaken or ImageHostTaken when another integration than `but_by` holds one.

    For a workspace's registry, the platform's and its own are looked at; for the platform's (None), the platform's.
    """
    scopes = [PLATFORM_SCOPE] if workspace_id is None else [PLATFORM_SCOPE, workspace_id]
    if name is not None:
        holder = await _holder(transaction, scopes, 'i."name_key"', fold_name(name), but_by)
        if holder is not None:
            raise NameTaken(name, holder, ("input", "name"))
    if url is not None:
        holder = await _holder(transaction, scopes, 'i."url"', url, but_by)
        if holder is not None:
            raise AddressTaken(url, holder, ("input", "url"))
    hosts = [] if image_host is None else [(image_host, ("input", "imageHost"))]
    hosts += [(alias, ("input", "imageHostAliases")) for alias in image_host_aliases]
    for host, path in hosts:
        owner = 'i."id" IN (SELECT "integration_id" FROM "image_host" WHERE "host"'
        holder = await _holder(transaction, scopes, owner, host, but_by, end=")")
        if holder is not None:
            raise ImageHostTaken(host, holder, path)


async def _holder(
    transaction: Transaction,
    scopes: Sequence[int],
    expression: str,
    value: str,
    but_by: int | None,
    end: str = "",
) -> IntegrationRecord | None:
    statement = Statement(transaction.dialect)
    is_held = f"{expression} = {statement.bind(value)}{end}"
    is_in_scope = statement.is_one_of('i."scope"', scopes)
    rows = await transaction.fetch(
        f"SELECT {INTEGRATIONS.select_list} FROM {INTEGRATIONS.source}"
        f' WHERE {is_held} AND {is_in_scope} ORDER BY i."scope"',
        *statement.values,
    )
    records = [r for r in INTEGRATIONS.read(transaction.dialect, rows) if r.id != but_by]
    return records[0] if records else None
