"""The audit log: what was done, by whom, with ids that grow."""

from collections.abc import Callable
from datetime import datetime

from tests.doubles.harbor.records import AuditEntry


class AuditLog:
    """Entries in the order in which they were written, which is that of their ids unless a test says otherwise."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.next_id = 1
        self.entries: list[AuditEntry] = []
        self.is_skipped = False
        self.disabled_event_types: set[str] = set()

    def write(
        self,
        operation: str,
        resource_type: str,
        resource: str,
        username: str,
        *,
        description: str | None = None,
        project_id: int | None = None,
        entry_id: int | None = None,
    ) -> None:
        """Add an entry, unless the log, or this type of event, is switched off.

        ``entry_id`` is for one that is written late, with an id taken earlier.
        """
        if self.is_skipped or f"{operation}_{resource_type}" in self.disabled_event_types:
            return
        if entry_id is None:
            entry_id, self.next_id = self.next_id, self.next_id + 1
        self.entries.append(
            AuditEntry(
                entry_id,
                self._clock(),
                operation,
                resource_type,
                resource,
                description or f"{operation} {resource_type}: {resource}",
                username,
                project_id,
            )
        )

    def take_id(self) -> int:
        """Return an id for an entry that will be written later than the next ones: a slow transaction."""
        entry_id, self.next_id = self.next_id, self.next_id + 1
        return entry_id

    def purge(self) -> None:
        """Drop all entries; the ids go on."""
        self.entries.clear()
