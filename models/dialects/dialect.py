"""What a database must tell us so that the rest of the SQL can be written once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol


class Dialect(Protocol):
    """The differences between the databases that we run on."""

    name: str
    skip_locked: str
    """What follows a SELECT that claims rows, so that replicas pass over each other's."""

    lock_rows: str
    """What follows a SELECT whose rows stay as they are until the transaction ends."""

    begin: tuple[str, ...]
    """Statements that follow Tortoise's own BEGIN, before anything else."""

    migration_lock: str | None
    """A statement that holds off other migrations until the transaction ends; None where none can be."""

    claim_lock: str | None
    """A statement that holds off others who would take a name; None where transactions are serial anyway."""

    read_snapshot: str | None
    """The first statement of a transaction whose reads all see one moment; None where they do anyway."""

    after_first_migration: tuple[str, ...]
    """Statements that give the tables what the migrations can't say portably; may be repeated."""

    table_names: str
    """A statement that returns the tables there are, one `name` a row."""

    def placeholder(self, number: int) -> str:
        """Return how the number-th parameter (from 1) stands in a statement."""
        ...

    def parameter(self, value: object) -> Any:
        """Return the value as the driver takes it."""
        ...

    def datetime(self, value: Any) -> datetime:
        """Return a stored time, aware and in UTC."""
        ...

    def json(self, value: Any) -> Any:
        """Return a stored JSON value, decoded."""
        ...

    def list_parameter(self, values: Sequence[int] | Sequence[str]) -> Any:
        """Return a list of values as one parameter."""
        ...

    def is_one_of(self, expression: str, placeholder: str, values: Sequence[int] | Sequence[str]) -> str:
        """Return a condition: the expression is one of the values that a list parameter holds."""
        ...
