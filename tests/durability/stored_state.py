"""What a database must hold after a crash: all that was acknowledged, and nothing by halves."""

from __future__ import annotations

from models.database import Database
from models.queries.events import log_span
from services.credential_cipher import CredentialCipher
from services.installation import credential_purpose
from tests.durability.mutation_loop import Book


async def require_kept(database: Database, cipher: CredentialCipher, book: Book) -> None:
    """Fail unless everything that is in the book is in the database."""
    tokens = {row["name"]: row["revoked_at"] for row in await database.fetch('SELECT * FROM "access_token"')}
    ours = {name for name in tokens if name.startswith("token-")}
    assert book.tokens <= ours <= book.tokens | book.maybe_tokens
    revoked = {name for name in ours if tokens[name] is not None}
    assert book.revoked <= revoked <= book.revoked | book.maybe_revoked
    rows = {row["name"]: row for row in await database.fetch('SELECT * FROM "integration"')}
    assert set(book.integrations) - book.maybe_integrations <= set(rows)
    assert set(rows) <= set(book.integrations) | book.maybe_integrations
    assert not set(rows) & book.removed
    for name, row in rows.items():
        assert cipher.decrypt(row["password_encrypted"], credential_purpose(row["url"])) == "planted"
        if name not in book.maybe_integrations:
            assert row["description"] == book.integrations[name]


async def require_whole(database: Database) -> None:
    """Fail when something was written by halves."""
    integrations = await database.fetch(
        'SELECT i."id", (SELECT COUNT(*) FROM "integration_health" h WHERE h."integration_id" = i."id") AS health,'
        ' (SELECT COUNT(*) FROM "image_host" p WHERE p."integration_id" = i."id" AND p."is_primary") AS hosts,'
        ' (SELECT COUNT(*) FROM "image_host" p WHERE p."integration_id" = i."id" AND NOT p."is_primary") AS aliases,'
        ' (SELECT COUNT(*) FROM "space" s WHERE s."integration_id" = i."id") AS spaces, i."description"'
        ' FROM "integration" i'
    )
    for row in integrations:
        assert (row["health"], row["hosts"], row["spaces"]) == (1, 1, 2), tuple(row)
        # The description and the alias come in one change.
        assert row["aliases"] == (0 if row["description"] is None else 1), tuple(row)
    for table in ("integration_health", "image_host", "space", "health_check"):
        orphans = await database.fetch(
            f'SELECT 1 FROM "{table}" WHERE "integration_id" NOT IN (SELECT "id" FROM "integration")'
        )
        assert not orphans, table
    # Each thing has its event, of the same transaction; and the positions have no gap.
    events = await database.fetch('SELECT "position", "type", "integration_id" FROM "event" ORDER BY "position"')
    span = await log_span(database)
    assert [row["position"] for row in events] == list(range(1, span.last + 1))

    def of(type_: str) -> list[int]:
        return [row["integration_id"] for row in events if row["type"] == type_]

    standing = {row["id"] for row in integrations}
    assert set(of("INTEGRATION_ADDED")) - set(of("INTEGRATION_REMOVED")) == standing
    assert len(of("INTEGRATION_ADDED")) == len(set(of("INTEGRATION_ADDED")))
    tokens = await database.fetch('SELECT "revoked_at" FROM "access_token"')
    assert len(of("ACCESS_TOKEN_CREATED")) == len(tokens)
    assert len(of("ACCESS_TOKEN_REVOKED")) == len([row for row in tokens if row["revoked_at"] is not None])
    # Who did what: begun and never ended is STARTED, and nothing else is without an end.
    audit = await database.fetch('SELECT "outcome", "finished_at" FROM "audit_event"')
    assert {row["outcome"] for row in audit if row["finished_at"] is None} <= {"STARTED"}
    assert {row["outcome"] for row in audit if row["finished_at"] is not None} <= {"SUCCEEDED"}


async def require_audited(database: Database, book: Book) -> None:
    """Fail unless each acknowledged change has its audit row, ended."""
    rows = await database.fetch("""SELECT COUNT(*) AS count FROM "audit_event" WHERE "outcome" = 'SUCCEEDED'""")
    assert rows[0]["count"] >= book.acknowledged
