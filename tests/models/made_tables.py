"""What migrations make, read from the database itself in words that are the same on both kinds."""

from __future__ import annotations

from typing import Any

import pytest

from models.database import Database, Transaction


async def tables_and_indexes(database: Database) -> list[str]:
    """Return a description of everything that migrations make, in the words of the kind of database."""
    if database.dialect.name == "sqlite":
        rows = await database.fetch("SELECT name || ' ' || COALESCE(sql, '') AS text FROM sqlite_master")
    else:
        rows = await database.fetch(
            "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' '"
            " || COALESCE(column_default, '') || ' ' || COALESCE(collation_name, '')"
            " AS text FROM information_schema.columns WHERE table_schema = current_schema()"
            " UNION SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"
            " UNION SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = current_schema()::regnamespace"
            " UNION SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
            " UNION SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
        )
    return sorted(row["text"] for row in rows)


async def indexes(database: Database) -> set[str]:
    """Return table, uniqueness and columns of every index, those of constraints as well: `space unique name,id`."""
    if database.dialect.name == "sqlite":
        rows = await database.fetch(
            "SELECT t.name || CASE i.\"unique\" WHEN 1 THEN ' unique ' ELSE ' ' END || (SELECT group_concat(name) FROM"
            " (SELECT c.name FROM pragma_index_info(i.name) c ORDER BY c.seqno)) AS text"
            f" FROM ({database.dialect.table_names}) t, pragma_index_list(t.name) i"
        )
    else:
        rows = await database.fetch(
            "SELECT i.indrelid::regclass || CASE WHEN i.indisunique THEN ' unique ' ELSE ' ' END || (SELECT"
            " string_agg(COALESCE(a.attname, '(an expression)'), ',' ORDER BY k.place)"
            " FROM unnest(i.indkey) WITH ORDINALITY k (number, place)"
            " LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) AS text"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = current_schema()::regnamespace"
        )
    return {row["text"] for row in rows}


async def references(database: Database) -> set[str]:
    """Return every foreign key and what a deletion does to it: `image_host.integration_id integration CASCADE`."""
    if database.dialect.name == "sqlite":
        rows = await database.fetch(
            "SELECT t.name || '.' || k.\"from\" || ' ' || k.\"table\" || ' ' || k.on_delete AS text"
            " FROM sqlite_master t, pragma_foreign_key_list(t.name) k WHERE t.type = 'table'"
        )
    else:
        rows = await database.fetch(
            "SELECT k.conrelid::regclass || '.' || a.attname || ' ' || k.confrelid::regclass || ' ' ||"
            " CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL'"
            " ELSE 'NO ACTION' END AS text FROM pg_constraint k"
            " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)"
            " WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace"
        )
    return {row["text"] for row in rows}


async def named_rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return all that is stored, by table, each row by column: for rows whose tables have got other columns since."""
    found = {}
    for table in sorted(row["name"] for row in await database.fetch(database.dialect.table_names)):
        if not table.startswith("sqlite_"):
            found[table] = [dict(row) for row in await database.fetch(f'SELECT * FROM "{table}"')]
    return found


async def require_references(database: Database) -> None:
    """Fail unless the database refuses a row that refers to none."""

    async def work(transaction: Transaction) -> None:
        await transaction.execute('UPDATE "image_host" SET "integration_id" = 1000000000')

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await database.transact(work)
