"""What a database must tell us so that the rest of the SQL can be written once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from models.dialects.image_names import SoughtText

PLAN_MEASUREMENTS = (
    'INSERT INTO "usage_measurement" ("integration_id", "next_at") SELECT "id", "created_at" FROM "integration"'
)
"""Has the usage of integrations measured that were there before usage was."""


def open_hooks(random_id: str) -> str:
    """Return a statement that gives a hook to integrations that were there before hooks were.

    `random_id` is an expression: 32 random hexadecimal digits, anew for each row.
    """
    return (
        f'INSERT INTO "hook" ("integration_id", "public_id") SELECT "id", {random_id} FROM "integration"'
        " WHERE \"kind\" = 'DOCKER_REGISTRY'"
    )


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

    access_lock: str | None
    """A statement that holds off others who change who may pull what; None where transactions are serial anyway."""

    event_channel: str | None
    """What `NOTIFY` and `LISTEN` name, so that processes wake each other; None where there is no such thing."""

    move_versions: str
    """A statement that raises the version of each table in a list parameter, in one order."""

    begin_migration: tuple[str, ...]
    """Statements that follow `begin` in a migration; what they change must be as before after `end_migration`."""

    end_migration: tuple[str, ...]
    """Statements that follow a migration's commit or rollback, on the same connection."""

    broken_references: str | None
    """A statement that returns rows which refer to none, with their `table`; None where none can be."""

    after_migration: Mapping[str, tuple[str, ...]]
    """Statements that give the tables what a migration can't say portably, by the migration's name."""

    table_names: str
    """A statement that returns the tables there are, one `name` a row."""

    position: str
    """The function that returns where in a text another one begins, from 1; 0 where it doesn't."""

    def placeholder(self, number: int) -> str:
        """Return how the number-th parameter (from 1) stands in a statement."""
        ...

    def moment(self, placeholder: str) -> str:
        """Return a placeholder that is said to be a time."""
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

    def parents(self, placeholder: str) -> str:
        """Return what stands behind FROM for the ids in a list parameter: rows of `parents`, each with an `id`."""
        ...

    def page_of_each(
        self, ids: str, *, select_list: str, source: str, membership: str, record_id: str, ordering: str, limit: int
    ) -> str:
        """Return a statement: for each of `parents` in a list parameter (`ids`), its first rows in an order.

        `membership` is the condition on rows, which speaks of the parent as `parents."id"`. The rows of a parent come
        in that order; how parents follow each other is open.
        """
        ...

    def ids_of_names_with(self, sought: SoughtText, bind: Callable[[object], str]) -> str:
        """Return a statement: the `id` of each repository whose name holds a text elsewhere than at a beginning.

        Those with the least ids; its rows come in no order. `bind` returns what stands for a value. However many names
        there are, no more of them are read than have its parts, and of these no more than are wanted, or on PostgreSQL
        some thousands.
        """
        ...

    def last_segment(self, name: str) -> str:
        """Return an expression: what stands behind the last slash of a name."""
        ...

    def repositories_in(self, space_ids: str) -> str:
        """Return what stands behind FROM for the ids and names of the repositories (`r`) of some spaces.

        `space_ids` is a statement that returns the `id` of each. They are looked up space by space.
        """
        ...
