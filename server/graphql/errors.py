"""Errors as clients see them: known ones with a code, everything unforeseen masked and logged once."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeGuard, runtime_checkable

from graphql import GraphQLError
from structlog.typing import FilteringBoundLogger

FormattedError = dict[str, Any]
"""An error of a GraphQL response: message, locations, path, extensions."""

MAX_LOCATIONS = 10
"""Locations told of one error: an argument written 600 times would name them all."""

_PREFIX = re.compile(r"(?:Variable '\$\w+'|Argument '\w+') has invalid value(?: at [\w.\[\]]+)?: ")
_QUOTED_VALUE = re.compile(r"(?P<kept>[?.])?(?:[,;]? [Ff]ound: |(?<=value): ).*", re.DOTALL)


@runtime_checkable
class PublicError(Protocol):
    """What an exception of a resolver has when it is meant for the client.

    A protocol, since resolvers may not import from here: any exception whose class says `is_public = True`.
    """

    is_public: bool
    code: str


def is_public(error: object) -> TypeGuard[PublicError]:
    """Tell whether an exception is meant for the client; its `str()` is then the message."""
    return getattr(type(error), "is_public", False) is True and isinstance(getattr(error, "code", None), str)


def request_error(code: str, message: str, **extensions: object) -> FormattedError:
    """Return an error that belongs to a request as a whole."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def format_request_errors(errors: Iterable[GraphQLError], code: str) -> list[FormattedError]:
    """Return the errors that refuse a request: of syntax, validation, limits or variables.

    `code` is for those that bring none. The values of variables and literals, which graphql-core quotes, are
    cut out: an input with a password and a mistake would come back, password and all.
    """
    return [
        _formatted(error, _without_values(error.message), {"code": code, **(error.extensions or {})})
        for error in errors
    ]


class FieldErrorFormatter:
    """Formats the errors of one executed operation, and logs what nobody foresaw."""

    def __init__(self, log: FilteringBoundLogger, request_id: str) -> None:
        self._log = log
        self._request_id = request_id

    def format(self, errors: Sequence[GraphQLError]) -> list[FormattedError]:
        """Return the errors for the client. The same fault at the items of one list is logged once."""
        formatted: list[FormattedError] = []
        unforeseen: dict[tuple[object, ...], list[GraphQLError]] = {}
        for error in errors:
            known = self._known(error)
            if known is not None:
                formatted.append(known)
                continue
            field = tuple(key for key in error.path or () if isinstance(key, str))
            unforeseen.setdefault((type(error.original_error), *field), []).append(error)
            formatted.append(_formatted(error, "Internal error", self._internal()))
        for alike in unforeseen.values():
            self._log_unforeseen(alike[0], occurrences=len(alike))
        return formatted

    def format_unforeseen(self, error: BaseException, event: str) -> FormattedError:
        """Log an exception that isn't any field's, and return the masked error."""
        self._log.error(event, request_id=self._request_id, exc_info=error)
        return {"message": "Internal error", "extensions": self._internal()}

    def _internal(self) -> dict[str, Any]:
        return {"code": "INTERNAL", "requestId": self._request_id}

    def _known(self, error: GraphQLError) -> FormattedError | None:
        original = error.original_error
        if is_public(original):
            given = getattr(original, "extensions", None)
            return _formatted(error, str(original), {**(given or {}), "code": original.code})
        if original is None or isinstance(original, GraphQLError):
            extensions = error.extensions or {}
            if "code" in extensions:
                return _formatted(error, error.message, dict(extensions))
            # graphql-core marks an argument that it couldn't coerce with its place in the document; a value
            # of ours that a scalar couldn't serialize has none of its own.
            if isinstance(original, GraphQLError) and original.nodes:
                return _formatted(error, _without_values(error.message), {"code": "BAD_USER_INPUT"})
        return None

    def _log_unforeseen(self, error: GraphQLError, occurrences: int) -> None:
        self._log.error(
            "graphql_field_failed",
            request_id=self._request_id,
            path=error.path,
            occurrences=occurrences,
            exc_info=error.original_error or error,
        )


def _formatted(error: GraphQLError, message: str, extensions: dict[str, Any]) -> FormattedError:
    formatted: FormattedError = {"message": message}
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations[:MAX_LOCATIONS]]
    if error.path is not None:
        formatted["path"] = error.path
    formatted["extensions"] = extensions
    return formatted


def _without_values(message: str) -> str:
    """Return a message of graphql-core without the value that it quotes.

    The variable's or argument's name and the path to the mistake stay.
    """
    prefix = _PREFIX.match(message)
    start = prefix.end() if prefix else 0
    quoted = _QUOTED_VALUE.search(message, start)
    if quoted is None:
        return message
    kept = message[: quoted.start()] + (quoted["kept"] or "")
    return kept if kept.endswith(("?", ".")) else kept + "."
