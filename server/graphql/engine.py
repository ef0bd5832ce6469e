"""Runs GraphQL operations: what all transports share."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute_subscription_event,
    parse,
    specified_rules,
    validate,
)
from structlog.typing import FilteringBoundLogger

from execution import LevelExecutor
from server.graphql.document_shape import measure
from server.graphql.documents import Document, DocumentCache, RefusedDocument
from server.graphql.errors import FieldErrorFormatter, FormattedError, format_request_errors, request_error
from server.graphql.limits import Limits, check_list_cost, check_shape, limit_exceeded
from server.graphql.requests import GraphQLRequest
from server.graphql.sessions import Session

MAX_VALIDATION_ERRORS = 20
"""Past these no more are looked for: each costs a search for what could have been meant."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets: one result, as JSON."""

    body: bytes = field(repr=False)
    errors: tuple[FormattedError, ...] = ()
    is_request_error: bool = False
    """The operation didn't begin: there is no `data`. GraphQL over HTTP has a status of its own for this."""
    cursor: str | None = None
    """The `cursor` of the result's only root field, where it has one: an event's place in its log."""


class RequestRefused(Exception):
    """An operation that can't be run: the answer says why."""

    def __init__(self, errors: list[FormattedError]) -> None:
        super().__init__(errors[0]["message"])
        self.answer = Answer(orjson.dumps({"errors": errors}), tuple(errors), is_request_error=True)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that passed limits and validation, with the request that it came in."""

    request: GraphQLRequest
    document: Document
    node: OperationDefinitionNode

    @property
    def type(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation


class GraphQLEngine:
    """Prepares and runs operations over one schema. Keeps no task beyond the call that needed it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        log: FilteringBoundLogger,
        *,
        allow_introspection: bool = True,
        executor_class: type[Executor[Any]] = LevelExecutor,
    ) -> None:
        """Without introspection, errors suggest no names either. `executor_class` runs the fields."""
        self._schema = schema
        self._limits = limits
        self._log = log
        self._hide_suggestions = not allow_introspection
        self._rules = specified_rules
        if not allow_introspection:
            self._rules = (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._executor_class = executor_class
        self._documents = DocumentCache(limits.max_cached_documents, limits.max_cached_document_bytes)

    def prepare(self, request: GraphQLRequest) -> Operation:
        """Return the operation that a request asks for. Raises RequestRefused."""
        document = self._document(request.query)
        operation = Operation(request, document, _chosen(document, request.operation_name))
        name = operation.node.name.value if operation.node.name else None
        too_costly = check_list_cost(document.shape.list_cost(name, request.variables), self._limits)
        if too_costly:
            raise RequestRefused(format_request_errors(too_costly, "LIMIT_EXCEEDED"))
        return operation

    async def execute(self, operation: Operation, session: Session, request_id: str) -> Answer:
        """Run a query or a mutation and return its answer, in time or as an error that says it took too long.

        Cancelled, it cancels what it began.
        """
        errors = FieldErrorFormatter(self._log, request_id)
        try:
            async with asyncio.timeout(self._limits.operation_timeout_seconds) as deadline:
                executor = self._executor(operation, session.new_context(request_id))
                result = executor.execute_operation()
                if executor.is_awaitable(result):
                    result = await result
        except RequestRefused as refused:
            return refused.answer
        except TimeoutError as error:
            if deadline.expired():
                return self._timed_out()
            return _failure(errors.format_unforeseen(error, "graphql_operation_failed"))
        except Exception as error:  # the boundary: a client gets an answer whatever happened
            return _failure(errors.format_unforeseen(error, "graphql_operation_failed"))
        return _answer(cast("ExecutionResult", result), errors)

    async def subscribe(self, operation: Operation, session: Session, request_id: str) -> AsyncGenerator[Answer, None]:
        """Run a subscription: yield an answer for each event, the source closed when this is.

        A subscription that can't begin yields one answer, a request error. The next event is taken only when
        the client has the last one, so that a slow client holds up its source and nothing else.
        """
        errors = FieldErrorFormatter(self._log, request_id)
        try:
            async with asyncio.timeout(self._limits.operation_timeout_seconds) as deadline:
                executor = self._executor(operation, session.new_context(request_id))
                source = create_source_event_stream(executor)
                if executor.is_awaitable(source):
                    source = await source
        except RequestRefused as refused:
            yield refused.answer
            return
        except TimeoutError as error:
            yield (
                self._timed_out()
                if deadline.expired()
                else _failure(errors.format_unforeseen(error, "graphql_subscription_failed"))
            )
            return
        except Exception as error:  # the boundary, as in execute
            yield _failure(errors.format_unforeseen(error, "graphql_subscription_failed"))
            return
        if isinstance(source, ExecutionResult):
            formatted = errors.format(source.errors or [])
            yield Answer(orjson.dumps({"errors": formatted}), tuple(formatted), is_request_error=True)
            return
        events = aiter(cast("AsyncIterator[Any]", source))
        async with aclosing(_Closable(events)):
            while True:
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
                except Exception as error:  # the boundary, as in execute
                    yield _failure(self._source_error(error, errors))
                    return
                yield await self._execute_event(executor, event, session, request_id, errors)
                # A source with a long backlog never waits, and neither may the sending: let others run.
                await asyncio.sleep(0)

    def _source_error(self, error: Exception, errors: FieldErrorFormatter) -> FormattedError:
        located = GraphQLError(str(error), original_error=error)
        return errors.format([located])[0]

    async def _execute_event(
        self,
        executor: Executor[Any],
        event: object,
        session: Session,
        request_id: str,
        errors: FieldErrorFormatter,
    ) -> Answer:
        try:
            async with asyncio.timeout(self._limits.operation_timeout_seconds) as deadline:
                # Variables are coerced once; the copy for an event brings its own errors, and from us a
                # context of its own.
                for_event = executor.build_per_event_executor(event)
                for_event.context_value = session.new_context(request_id)
                result = execute_subscription_event(for_event)
                if for_event.is_awaitable(result):
                    result = await result
        except TimeoutError as error:
            if deadline.expired():
                return self._timed_out()
            return _failure(errors.format_unforeseen(error, "graphql_event_failed"))
        except Exception as error:  # the boundary, as in execute
            return _failure(errors.format_unforeseen(error, "graphql_event_failed"))
        return _answer(cast("ExecutionResult", result), errors)

    def _executor(self, operation: Operation, context: object) -> Executor[Any]:
        """Return what runs an operation. Raises RequestRefused when its variables don't fit."""
        executor = self._executor_class.build(
            self._schema,
            operation.document.node,
            context_value=context,
            raw_variable_values=dict(operation.request.variables),
            operation_name=operation.request.operation_name,
            hide_suggestions=self._hide_suggestions,
        )
        if isinstance(executor, list):
            raise RequestRefused(format_request_errors(executor, "BAD_USER_INPUT"))
        if isinstance(executor, LevelExecutor):
            executor.plans = operation.document.plans
        return executor

    def _document(self, text: str) -> Document:
        outcome = self._documents.get(text)
        if outcome is None:
            outcome = self._examine(text)
            self._documents.put(text, outcome)
        if isinstance(outcome, RefusedDocument):
            raise RequestRefused(list(outcome.errors))
        return outcome

    def _examine(self, text: str) -> Document | RefusedDocument:
        limits = self._limits
        try:
            node = parse(
                text,
                max_lexical_tokens=limits.max_tokens,
                max_comments=limits.max_comments,
                allow_empty_selection_sets=False,
            )
        except GraphQLSyntaxError as error:
            # The parser has no other way to say which limit was passed.
            if error.message.endswith(f"contains more than {limits.max_tokens} tokens. Parsing aborted."):
                return _refused([limit_exceeded("tokens", "tokens", limits.max_tokens)], "LIMIT_EXCEEDED")
            if f"contains more than {limits.max_comments} comments" in error.message:
                return _refused([limit_exceeded("comments", "comments", limits.max_comments)], "LIMIT_EXCEEDED")
            return _refused([error], "GRAPHQL_PARSE_FAILED")
        shape = measure(node, self._schema)
        too_large = check_shape(shape, limits)
        if too_large:
            return _refused(too_large, "LIMIT_EXCEEDED")
        invalid = validate(
            self._schema,
            node,
            self._rules,
            max_errors=MAX_VALIDATION_ERRORS,
            hide_suggestions=self._hide_suggestions,
            allow_empty_selection_sets=False,
        )
        if invalid:
            return _refused(invalid, "GRAPHQL_VALIDATION_FAILED")
        operations = tuple(part for part in node.definitions if isinstance(part, OperationDefinitionNode))
        return Document(node, shape, operations)

    def _timed_out(self) -> Answer:
        seconds = self._limits.operation_timeout_seconds
        return _failure(request_error("OPERATION_TIMED_OUT", f"The operation took more than {seconds:g} seconds."))


class _Closable:
    """Gives `aclose` to a source that may have none (an iterator that is no generator)."""

    def __init__(self, events: AsyncIterator[Any]) -> None:
        self._events = events

    async def aclose(self) -> None:
        close = getattr(self._events, "aclose", None)
        if close is not None:
            await close()


def _refused(errors: list[GraphQLError], code: str) -> RefusedDocument:
    return RefusedDocument(tuple(format_request_errors(errors, code)))


def _chosen(document: Document, name: str | None) -> OperationDefinitionNode:
    """Return the operation that a request names, or the only one. Raises RequestRefused."""
    if name is None:
        if len(document.operations) == 1:
            return document.operations[0]
        message = (
            "The document has several operations: 'operationName' must say which to run."
            if document.operations
            else "The document has no operation."
        )
        raise RequestRefused([request_error("OPERATION_RESOLUTION_FAILURE", message)])
    for node in document.operations:
        if node.name and node.name.value == name:
            return node
    message = f"The document has no operation named '{name}'."
    raise RequestRefused([request_error("OPERATION_RESOLUTION_FAILURE", message)])


def _failure(error: FormattedError) -> Answer:
    """Return the answer of an operation that began and came to nothing."""
    return Answer(orjson.dumps({"errors": [error], "data": None}), (error,))


def _answer(result: ExecutionResult, errors: FieldErrorFormatter) -> Answer:
    response: dict[str, Any] = {}
    formatted = errors.format(result.errors) if result.errors else []
    if formatted:
        # Errors first, as the specification recommends.
        response["errors"] = formatted
    response["data"] = result.data
    try:
        body = orjson.dumps(response)
    except TypeError as error:
        # A scalar gave a value that JSON has no word for: a lone surrogate, an integer past 64 bits.
        return _failure(errors.format_unforeseen(error, "graphql_answer_not_json"))
    return Answer(body, tuple(formatted), cursor=_cursor(result.data))


def _cursor(data: dict[str, Any] | None) -> str | None:
    if data is None or len(data) != 1:
        return None
    (root,) = data.values()
    cursor = root.get("cursor") if isinstance(root, dict) else None
    return cursor if isinstance(cursor, str) else None
