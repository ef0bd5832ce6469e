"""Altering tables on SQLite without losing what Tortoise doesn't make again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tortoise.fields.base import Field
from tortoise.migrations.schema_editor.sqlite import SqliteSchemaEditor
from tortoise.models import Model


@dataclass(frozen=True, slots=True)
class _Index:
    name: str
    columns: frozenset[str]
    statement: str
    """Makes it."""


class IndexKeepingSqliteEditor(SqliteSchemaEditor):
    """Tortoise's editor for SQLite, which makes a table anew to alter a column.

    Its indexes go with the old table, and Tortoise makes none of them again: the lists would be right, and slow.
    So do constraints of several columns, and the count of ids that were given: the id of something deleted would
    come again, and with it whatever is still told of that id, as events are. And triggers: those of the table go with
    it, and while it is away, SQLite refuses to rename another one into its place if any trigger speaks of it.
    """

    async def _remake_table(
        self,
        model: type[Model],
        create_field: Field[Any] | None = None,
        delete_field: Field[Any] | None = None,
        alter_fields: list[tuple[Field[Any], Field[Any]]] | None = None,
    ) -> None:
        table = model._meta.db_table
        indexes = await self._indexes_to_keep(model)
        # The table of migrations counts its ids too, so what is read here is always there.
        given = await self._rows("SELECT seq FROM sqlite_sequence WHERE name = ?", table)
        triggers = await self._rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        for trigger in triggers:
            await self._rows(f'DROP TRIGGER "{trigger["name"]}"')
        await super()._remake_table(model, create_field, delete_field, alter_fields)
        for row in given:
            await self._rows("DELETE FROM sqlite_sequence WHERE name = ?", table)
            await self._rows("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, row["seq"])
        present = {row["name"] for row in await self._rows(f'PRAGMA table_info("{table}")')}
        made = {row["name"] for row in await self._rows(f'PRAGMA index_list("{table}")')}
        for index in indexes:
            if index.name not in made and index.columns <= present:
                await self._rows(index.statement)
        for trigger in triggers:
            await self._rows(trigger["sql"])

    async def _indexes_to_keep(self, model: type[Model]) -> list[_Index]:
        """Return the indexes that don't come with a table by the definitions of its columns."""
        table = model._meta.db_table
        found = await self._rows(
            "SELECT list.name, list.origin, master.sql FROM pragma_index_list(?) list"
            " JOIN sqlite_master master ON master.type = 'index' AND master.name = list.name",
            table,
        )
        kept = []
        for index in found:
            columns = [row["name"] for row in await self._rows(f'PRAGMA index_info("{index["name"]}")')]
            if index["sql"] is not None:
                kept.append(_Index(index["name"], frozenset(columns), index["sql"]))
            elif index["origin"] == "u" and len(columns) > 1:
                name = self._get_unique_constraint_name(model, columns)
                listed = ", ".join(f'"{column}"' for column in columns)
                statement = f'CREATE UNIQUE INDEX "{name}" ON "{table}" ({listed})'
                kept.append(_Index(name, frozenset(columns), statement))
        return kept

    async def _rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        return await self.client.execute_query_dict(statement, list(parameters))
