"""The GraphQL engine, with what it does counted."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from graphql import GraphQLSchema
from structlog.typing import FilteringBoundLogger

from server.graphql.engine import Answer, GraphQLEngine, Operation, RequestRefused
from server.graphql.limits import Limits
from server.graphql.requests import GraphQLRequest
from server.graphql.sessions import Session
from server.metrics import Metrics


class MeasuredEngine(GraphQLEngine):
    """Runs operations as its base does. Documents that are refused have the type "none"."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, log: FilteringBoundLogger, metrics: Metrics, **options: Any
    ) -> None:
        super().__init__(schema, limits, log, **options)
        self._metrics = metrics

    def prepare(self, request: GraphQLRequest) -> Operation:
        """Return the operation that a request asks for. Raises RequestRefused."""
        started = time.perf_counter()
        try:
            return super().prepare(request)
        except RequestRefused:
            self._ended("none", "refused", started)
            raise

    async def execute(self, operation: Operation, session: Session, request_id: str) -> Answer:
        """Run a query or a mutation and return its answer."""
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            answer = await super().execute(operation, session, request_id)
            outcome = outcome_of(answer)
        finally:
            self._ended(operation.type.value, outcome, started)
        return answer

    async def subscribe(self, operation: Operation, session: Session, request_id: str) -> AsyncGenerator[Answer, None]:
        """Run a subscription: yield an answer for each event."""
        started = time.perf_counter()
        # Most end because the client has what it wanted, which is well.
        outcome = "ok"
        with self._metrics.subscriptions_open.track_inprogress():
            try:
                async with aclosing(super().subscribe(operation, session, request_id)) as answers:
                    async for answer in answers:
                        outcome = outcome_of(answer)
                        self._metrics.subscription_answers.inc()
                        yield answer
            finally:
                self._ended(operation.type.value, outcome, started)

    def _ended(self, operation_type: str, outcome: str, started: float) -> None:
        self._metrics.operations.labels(operation_type, outcome).observe(time.perf_counter() - started)


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
