"""Altering tables on SQLite without losing their indexes."""

from __future__ import annotations

from typing import Any

from tortoise.fields.base import Field
from tortoise.migrations.schema_editor.sqlite import SqliteSchemaEditor
from tortoise.models import Model


class IndexKeepingSqliteEditor(SqliteSchemaEditor):
    """Tortoise's editor for SQLite, which makes a table anew to alter a column.

    Its indexes go with the old table, and Tortoise makes none of them again: the lists would be right, and slow.
    """

    async def _remake_table(
        self,
        model: type[Model],
        create_field: Field[Any] | None = None,
        delete_field: Field[Any] | None = None,
        alter_fields: list[tuple[Field[Any], Field[Any]]] | None = None,
    ) -> None:
        table = model._meta.db_table
        # Those without a statement belong to constraints, and come with the table.
        indexes = await self.client.execute_query_dict(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", [table]
        )
        columns = {index["name"]: await self._names(f'PRAGMA index_info("{index["name"]}")') for index in indexes}
        await super()._remake_table(model, create_field, delete_field, alter_fields)
        present = await self._names(f'PRAGMA table_info("{table}")')
        made = await self._names(f'PRAGMA index_list("{table}")')
        for index in indexes:
            if index["name"] not in made and columns[index["name"]] <= present:
                await self.client.execute_query(index["sql"])

    async def _names(self, pragma: str) -> set[str]:
        return {row["name"] for row in await self.client.execute_query_dict(pragma)}
