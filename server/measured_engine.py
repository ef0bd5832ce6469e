"""The GraphQL engine, with what it does counted."""

from __future__ import annotations

import time
from typing import Any

from graphql import GraphQLSchema, OperationType
from structlog.typing import FilteringBoundLogger

from server.graphql.engine import Answer, GraphQLEngine, Operation, RequestRefused
from server.graphql.limits import Limits
from server.graphql.requests import GraphQLRequest
from server.graphql.sessions import Session, Versions
from server.metrics import Metrics


class MeasuredEngine(GraphQLEngine):
    """Runs operations as its base does. Documents that are refused have the type "none"."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, log: FilteringBoundLogger, metrics: Metrics, **options: Any
    ) -> None:
        super().__init__(schema, limits, log, subscription_observer=_MeasuredSubscriptions(metrics), **options)
        self._metrics = metrics

    def prepare(self, request: GraphQLRequest) -> Operation:
        """Return the operation that a request asks for. Raises RequestRefused."""
        started = time.perf_counter()
        try:
            return super().prepare(request)
        except RequestRefused:
            self._ended("none", "refused", started)
            raise

    async def execute(
        self, operation: Operation, session: Session, request_id: str, versions: Versions | None = None
    ) -> Answer:
        """Run a query or a mutation and return its answer."""
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            answer = await super().execute(operation, session, request_id, versions)
            outcome = outcome_of(answer)
        finally:
            self._ended(operation.type.value, outcome, started)
        return answer

    def _ended(self, operation_type: str, outcome: str, started: float) -> None:
        self._metrics.operations.labels(operation_type, outcome).observe(time.perf_counter() - started)


class _MeasuredSubscriptions:
    """Counts subscriptions, and the answers that each client gets."""

    def __init__(self, metrics: Metrics) -> None:
        self._open = metrics.subscriptions_open
        self._answers = metrics.subscription_answers
        self._operations = metrics.operations

    def began(self) -> None:
        self._open.inc()

    def answered(self, answer: Answer) -> None:
        self._answers.inc()

    def ended(self, last: Answer | None, seconds: float) -> None:
        self._open.dec()
        # Most end because the client has what it wanted, which is well.
        outcome = "ok" if last is None else outcome_of(last)
        self._operations.labels(OperationType.SUBSCRIPTION.value, outcome).observe(seconds)


def outcome_of(answer: Answer) -> str:
    """Return how an operation went, in one of a few words; what is worst counts."""
    if answer.is_request_error:
        return "refused"
    codes = {error["extensions"]["code"] for error in answer.errors}
    if "INTERNAL" in codes:
        return "failed"
    if "OPERATION_TIMED_OUT" in codes:
        return "timed_out"
    return "errors" if codes else "ok"
