"""What somebody may see: one condition for each kind of thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.enums import ADMINISTRATORS_EVENT_TYPES, SPACE_EVENT_TYPES, Visibility
from models.reading import OneOf, Statement


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose things are seen: everybody's, or, with `workspace_ids`, those of these workspaces and what is open to all.

    Each method returns conditions for a source under the alias that its queries use.
    """

    workspace_ids: tuple[int, ...] | None = None

    def integrations(self, statement: Statement) -> Sequence[str]:
        """Return which integrations (`i`): the platform's, and those that the workspaces brought."""
        if self.workspace_ids is None:
            return []
        own = statement.is_one_of('i."workspace_id"', self.workspace_ids)
        return [f'(i."workspace_id" IS NULL OR {own})']

    def spaces(self, statement: Statement) -> Sequence[str]:
        """Return which spaces (`s`): public ones of the platform, all of own registries, and what is bound."""
        if self.workspace_ids is None:
            return []
        of_workspaces, bound_spaces = self._own_registries(statement), self._bound_spaces(statement)
        of_platform = '(SELECT vi."id" FROM "integration" vi WHERE vi."workspace_id" IS NULL)'
        public = f"""s."visibility" = '{Visibility.PUBLIC.value}'"""
        # The signs keep SQLite from reading by way of these lists what it is to look for in them.
        return [
            OneOf(
                f"""(s."visibility" || '' = '{Visibility.PUBLIC.value}' AND +s."integration_id" IN {of_platform}"""
                f' OR +s."integration_id" IN {of_workspaces} OR +s."id" IN {bound_spaces})',
                f'{public} AND +s."integration_id" IN {of_platform}',
                f's."integration_id" IN {of_workspaces}',
                f's."id" IN {bound_spaces}',
            )
        ]

    def spaces_of_own(self, statement: Statement) -> Sequence[str]:
        """Return conditions on spaces (`s`), of which those meet one that are seen and that not everybody sees.

        Only where not everything is seen.
        """
        of_workspaces, bound_spaces = self._own_registries(statement), self._bound_spaces(statement)
        return [f's."integration_id" IN {of_workspaces}', f's."id" IN {bound_spaces}']

    def repositories(self, statement: Statement) -> Sequence[str]:
        """Return which repositories (`r`): those of spaces that are seen."""
        return [self._space_is_seen(statement, 'r."space_id"')] if self.workspace_ids is not None else []

    def workspaces(self, statement: Statement) -> Sequence[str]:
        """Return which workspaces (`w`)."""
        return self._own(statement, 'w."id"')

    def namespaces(self, statement: Statement) -> Sequence[str]:
        """Return which namespaces (`n`)."""
        return self._own(statement, 'n."workspace_id"')

    def bindings(self, statement: Statement) -> Sequence[str]:
        """Return which bindings (`b`)."""
        return self._own(statement, 'b."workspace_id"')

    def events(self, statement: Statement) -> Sequence[str]:
        """Return which events (`e`): of the platform, of own workspaces, and of spaces that are seen now."""
        if self.workspace_ids is None:
            return []
        hidden = statement.is_one_of('e."type"', sorted(type_.value for type_ in ADMINISTRATORS_EVENT_TYPES))
        of_spaces = statement.is_one_of('e."type"', sorted(type_.value for type_ in SPACE_EVENT_TYPES))
        own = statement.is_one_of('e."workspace_id"', self.workspace_ids)
        seen = self._space_is_seen(statement, 'e."space_id"')
        return [
            f"NOT ({hidden})",
            f'(e."workspace_id" IS NOT NULL AND {own} OR e."workspace_id" IS NULL AND (NOT ({of_spaces}) OR {seen}))',
        ]

    def covers(self, workspace_id: int | None) -> bool:
        """Return whether what is a workspace's is seen; None stands for the platform's, which all see."""
        return self.workspace_ids is None or workspace_id is None or workspace_id in self.workspace_ids

    def _space_is_seen(self, statement: Statement, space_id: str) -> str:
        """Return a condition on what belongs to a space. The space is looked up for each row.

        PostgreSQL would rather read all spaces first; the offset keeps it from that.
        """
        (seen,) = self.spaces(statement)
        return f'EXISTS (SELECT 1 FROM "space" s WHERE s."id" = {space_id} AND {seen} LIMIT 1 OFFSET 0)'

    def _own_registries(self, statement: Statement) -> str:
        own = statement.is_one_of('vi."workspace_id"', self.workspace_ids or ())
        return f'(SELECT vi."id" FROM "integration" vi WHERE {own})'

    def _bound_spaces(self, statement: Statement) -> str:
        bound = statement.is_one_of('vb."workspace_id"', self.workspace_ids or ())
        return f'(SELECT vb."space_id" FROM "binding" vb WHERE {bound})'

    def _own(self, statement: Statement, workspace: str) -> Sequence[str]:
        return [] if self.workspace_ids is None else [statement.is_one_of(workspace, self.workspace_ids)]


EVERYTHING = Sight()
