"""Reading access tokens."""

from __future__ import annotations

from collections.abc import Sequence

from models.reading import Order, Readable, RecordReader, Statement
from models.records import AccessTokenRecord

ACCESS_TOKENS = RecordReader(
    AccessTokenRecord,
    '"access_token" t',
    {
        name: f't."{name}"'
        for name in ["id", "name", "role", "workspace_id", "created_by", "created_at", "expires_at", "revoked_at"]
    },
)

NEWEST_FIRST = Order('t."id"', "id", 't."id"', is_descending=True)


def every_token(statement: Statement) -> Sequence[str]:
    """Return no condition."""
    return []


async def access_token_by_hash(database: Readable, token_hash: str) -> AccessTokenRecord | None:
    """Return the token with that hash, expired and revoked ones included."""
    records = await ACCESS_TOKENS.all(database, lambda statement: [f't."token_hash" = {statement.bind(token_hash)}'])
    return records[0] if records else None


async def access_tokens_by_id(database: Readable, ids: Sequence[int]) -> dict[int, AccessTokenRecord]:
    """Return those of the tokens that exist, by id."""
    records = await ACCESS_TOKENS.all(database, lambda statement: [statement.is_one_of('t."id"', ids)])
    return {record.id: record for record in records}
