"""Runs GraphQL operations: what all transports share."""

from collections.abc import AsyncIterable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute_subscription_event,
    parse,
    validate,
)
from structlog.typing import FilteringBoundLogger

from execution import Followed, LevelExecutor
from server.graphql.channels import Channels
from server.graphql.deadlines import Deadlines
from server.graphql.document_shape import measure
from server.graphql.documents import Document, DocumentCache, RefusedDocument
from server.graphql.errors import FieldErrorFormatter, FormattedError, format_request_errors, request_error
from server.graphql.kept_answers import KeptAnswers, what_is_asked
from server.graphql.limits import Limits, check_list_cost, check_shape, limit_exceeded
from server.graphql.requests import GraphQLRequest
from server.graphql.sessions import Session, Versions
from server.graphql.source_variables import variables_beside_the_source
from server.graphql.subscriptions import Refusal, Subscription, SubscriptionObserver
from server.graphql.validation_rules import ValidationRules

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
    """Prepares and runs operations over one schema. Keeps no task beyond the calls and subscriptions that need it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        log: FilteringBoundLogger,
        *,
        allow_introspection: bool = True,
        executor_class: type[Executor[Any]] = LevelExecutor,
        subscription_observer: SubscriptionObserver[Answer] | None = None,
    ) -> None:
        """Without introspection, errors suggest no names either. `executor_class` runs the fields."""
        self._schema = schema
        self._limits = limits
        self._log = log
        self._hide_suggestions = not allow_introspection
        self._rules = ValidationRules(allow_introspection=allow_introspection)
        self._executor_class = executor_class
        self._documents = DocumentCache(limits.max_cached_documents, limits.max_cached_document_bytes)
        self._answers = KeptAnswers(limits.max_kept_answers_bytes, limits.max_kept_answer_bytes)
        self._deadlines = Deadlines(limits.operation_timeout_seconds)
        self._channels: Channels[Answer] = Channels()
        self._subscription_observer = subscription_observer

    def prepare(self, request: GraphQLRequest) -> Operation:
        """Return the operation that a request asks for. Raises RequestRefused."""
        document = self._document(request.query)
        operation = Operation(request, document, _chosen(document, request.operation_name))
        name = operation.node.name.value if operation.node.name else None
        too_costly = check_list_cost(document.shape.list_cost(name, request.variables), self._limits)
        if too_costly:
            raise RequestRefused(format_request_errors(too_costly, "LIMIT_EXCEEDED"))
        return operation

    async def execute(
        self, operation: Operation, session: Session, request_id: str, versions: Versions | None = None
    ) -> Answer:
        """Run a query or a mutation and return its answer, in time or as an error that says it took too long.

        Where nothing has changed since a query was answered, that answer is given again. `versions` are those of now,
        where they are known. Cancelled, it cancels what it began.
        """
        errors = FieldErrorFormatter(self._log, request_id)
        try:
            with self._deadlines.block() as block:
                if operation.type is not OperationType.QUERY:
                    return await self._run(operation, session.new_context(request_id), errors)
                if versions is None:
                    versions = await session.versions()
                asked = what_is_asked(operation)
                kept = None if asked is None else self._answers.find(asked, session, versions)
                if kept is not None:
                    return kept
                context = session.new_context(request_id)
                answer = await self._run(operation, context, errors)
                if asked is not None:
                    self._answers.keep(asked, session, context, versions, answer)
                return answer
        except RequestRefused as refused:
            return refused.answer
        except TimeoutError as error:
            if block.was_ended:
                return self._timed_out()
            return _failure(errors.format_unforeseen(error, "graphql_operation_failed"))
        except Exception as error:  # the boundary: a client gets an answer whatever happened
            return _failure(errors.format_unforeseen(error, "graphql_operation_failed"))

    async def _run(self, operation: Operation, context: object, errors: FieldErrorFormatter) -> Answer:
        executor = self._executor(operation, context)
        result = executor.execute_operation()
        if executor.is_awaitable(result):
            result = await result
        return _answer(cast("ExecutionResult", result), errors)

    def subscribe(
        self,
        operation: Operation,
        session: Session,
        request_id: str,
        send_at_once: Callable[[Answer], bool] | None = None,
    ) -> Subscription[Answer]:
        """Return a subscription: it yields an answer for each event, its source closed when it is.

        One that can't begin yields one answer, a request error. Those with the same document, variables and scope
        share their answers, as far as their source can be followed by several. `send_at_once` may be given those
        instead: it sends one without waiting, or returns False.
        """
        beginning = _Beginning(self, operation, session, request_id)
        return Subscription(beginning, self._channels, self._subscription_observer, send_at_once)

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
            self._rules.of(text, node),
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


class _Beginning:
    """A subscription that is to begin: its source, and the answers of its events."""

    __slots__ = ("_engine", "_errors", "_executor", "_is_shared", "_operation", "_request_id", "_session")

    def __init__(self, engine: GraphQLEngine, operation: Operation, session: Session, request_id: str) -> None:
        self._engine = engine
        self._operation = operation
        self._session = session
        self._request_id = request_id
        self._errors = FieldErrorFormatter(engine._log, request_id)
        self._executor: Executor[Any]
        self._is_shared = False

    async def begin(self) -> AsyncIterable[Any] | Refusal[Answer]:
        """Return the source of its events, or why there is none."""
        try:
            with self._engine._deadlines.block() as block:
                self._executor = self._engine._executor(self._operation, self._session.new_context(self._request_id))
                source = create_source_event_stream(self._executor)
                if self._executor.is_awaitable(source):
                    source = await source
        except RequestRefused as refused:
            return Refusal(refused.answer)
        except Exception as error:  # the boundary, as in execute
            return Refusal(self._failed(error, block.was_ended, "graphql_subscription_failed"))
        if isinstance(source, ExecutionResult):
            formatted = self._errors.format(source.errors or [])
            return Refusal(Answer(orjson.dumps({"errors": formatted}), tuple(formatted), is_request_error=True))
        self._is_shared = isinstance(source, Followed)
        return cast("AsyncIterable[Any]", source)

    def shared_by(self, followed: Followed[Any]) -> Hashable:
        """Return what all have in common that can be told the same."""
        document, node, given = self._operation.document, self._operation.node, self._operation.request.variables
        variables = {name: given[name] for name in variables_beside_the_source(document.node, node) if name in given}
        return (
            document,
            id(node),
            orjson.dumps(variables, option=orjson.OPT_SORT_KEYS),
            self._session.scope,
            followed.key,
        )

    async def answer(self, event: object) -> Answer:
        """Return the answer of an event."""
        session, request_id = self._session, self._request_id
        try:
            with self._engine._deadlines.block() as block:
                # Variables are coerced once; the copy for an event brings its own errors, and from us a
                # context of its own.
                executor = self._executor.build_per_event_executor(event)
                executor.context_value = (
                    session.new_shared_context(request_id) if self._is_shared else session.new_context(request_id)
                )
                result = execute_subscription_event(executor)
                if executor.is_awaitable(result):
                    result = await result
        except Exception as error:  # the boundary, as in execute
            return self._failed(error, block.was_ended, "graphql_event_failed")
        return _answer(cast("ExecutionResult", result), self._errors)

    def failure(self, error: Exception) -> Answer:
        """Return the answer that ends a subscription whose source has raised."""
        (formatted,) = self._errors.format([GraphQLError(str(error), original_error=error)])
        return _failure(formatted)

    def _failed(self, error: Exception, is_too_late: bool, what: str) -> Answer:
        if is_too_late and isinstance(error, TimeoutError):
            return self._engine._timed_out()
        return _failure(self._errors.format_unforeseen(error, what))


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
