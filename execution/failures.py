"""What has failed, told as a walk through the query would have met it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from graphql.error import located_error
from graphql.execution import Executor
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from execution.plan import FieldPlan
from execution.results import Place, nulled_by, order_of, path_of

_SAYS_ITSELF = ("message", "nodes", "source", "positions")
"""What an exception may have that `located_error` would take from it."""

LAST = 2**62
"""Behind all that graphql-core has met at the same place."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that failed at a place. What graphql-core has met behind one has its order there, and its path."""

    place: Place
    error: Exception
    sequence: int = 0
    nulled: Path | None = None

    def order(self) -> tuple[tuple[int, ...], int]:
        """Return when a walk through the query would have met it."""
        return order_of(self.place), self.sequence


class NotedErrors(CollectedErrors):
    """Errors that graphql-core has collected, each with the path of what it has nulled."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[GraphQLError, Path]] = []

    def add(self, error: GraphQLError, path: Path | None) -> None:
        """Note an error."""
        if path is not None:
            self.told.append((error, path))


def tell_failures(executor: Executor[Any], failures: Iterable[Failure]) -> GraphQLError | None:
    """Collect the errors of an operation; return the one that nulls the whole answer, behind which none is told."""
    located: dict[int, GraphQLError] = {}
    for failure in sorted(failures, key=Failure.order):
        place, nulled = failure.place, failure.nulled
        path = path_of(place)
        error = _located(failure.error, place[0].field, path, located)
        if nulled is None:
            nulled = nulled_by(place, path)
            if nulled is None:
                return error
        executor.collected_errors.add(error, nulled)
    return None


def _located(error: Exception, field: FieldPlan, path: Path, known: dict[int, GraphQLError]) -> GraphQLError:
    """Return an error of a field, with its path and where in the document the field stands.

    `known` has one of each field that was located: finding the line and column is most of the work.
    """
    if any(hasattr(error, name) for name in _SAYS_ITSELF):
        return located_error(error, field.nodes, path.as_list())
    alike = known.get(id(field))
    if alike is None:
        alike = known[id(field)] = located_error(error, field.nodes, path.as_list())
        return alike
    made = GraphQLError(str(error), path=path.as_list(), original_error=error)
    made.nodes, made.source = alike.nodes, alike.source
    made.positions, made.locations = alike.positions, alike.locations
    return made
