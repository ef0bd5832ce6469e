"""Declaring root fields: who may use each, and for mutations what leaves a trace."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from models.enums import AuditOutcome
from resolvers.context import Info, RequestContext
from resolvers.permission import ACCESS_METADATA, Access
from resolvers.public_errors import forbidden
from schema.payloads import Payload
from schema.user_error import shown
from services.user_errors import Forbidden, UserError, UserErrors

P = TypeVar("P", bound=Payload)

ANSWER_METADATA = "answer"
"""The key in the metadata of a root field of queries of what answers it: given the request context and arguments."""


class UndeclaredAccess(Exception):
    """A root field doesn't say who may use it."""


def require_declared(*roots: type) -> None:
    """Raise UndeclaredAccess when a field of a root type was not made by the functions of this module."""
    for root in roots:
        definition = get_object_definition(root, strict=True)
        for field in definition.fields:
            if not isinstance(field.metadata.get(ACCESS_METADATA), Access):
                raise UndeclaredAccess(f"{definition.name}.{field.name} doesn't declare who may use it.")


def query(access: Access, description: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a root field of queries; a viewer without access gets null and a FORBIDDEN error.

    The resolver takes the request context and the field's arguments: what else is asked makes no difference to it.
    """

    def declare(resolver: Callable[..., Any]) -> Any:
        async def answer(context: RequestContext, arguments: Mapping[str, Any]) -> Any:
            if not access.is_granted_to(context.scope):
                raise forbidden(access.refusal)
            result = resolver(context, **arguments)
            return await result if inspect.isawaitable(result) else result

        @functools.wraps(resolver)
        async def resolve(info: Info, **arguments: Any) -> Any:
            return await answer(info.context, arguments)

        # What strawberry makes the field's type and arguments of.
        signature = inspect.signature(resolver)
        _, *parameters = signature.parameters.values()
        info = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
        resolve.__signature__ = signature.replace(parameters=[info, *parameters])  # type: ignore[attr-defined]
        metadata = {ACCESS_METADATA: access, ANSWER_METADATA: answer}
        return strawberry.field(resolver=resolve, description=description, metadata=metadata)

    return declare


def subscription(access: Access, description: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a subscription; the resolver returns what is iterated.

    Of a `Followed`, what is told behind its opening must depend on the viewer's scope alone: it is told to all with
    that scope at once.
    """

    def declare(resolver: Callable[..., AsyncIterable[Any]]) -> Any:
        @functools.wraps(resolver)
        def subscribe(info: Info, **arguments: Any) -> AsyncIterable[Any]:
            if not access.is_granted_to(info.context.scope):
                raise forbidden(access.refusal)
            return resolver(info, **arguments)

        return strawberry.subscription(resolver=subscribe, description=description, metadata={ACCESS_METADATA: access})

    return declare


def mutation(
    access: Access, payload: type[P], description: str
) -> Callable[[Callable[[Info, Any], Awaitable[P]]], Any]:
    """Declare a mutation of one `input`.

    Its audit row is written before it begins and completed when it has ended, whatever the end; one that the
    viewer may not use leaves a row too, and nothing else happens. User errors become the payload's `errors`.
    """

    def declare(resolver: Callable[[Info, Any], Awaitable[P]]) -> Any:
        @functools.wraps(resolver)
        async def resolve(info: Info, input: Any) -> Any:  # noqa: A002 (the surface's word)
            context = info.context
            context.forget_loaded()
            name, given = info.field_name, input_as_data(input)
            audit = context.services.audit
            if not access.is_granted_to(context.scope):
                await audit.refuse(context.viewer, name, given, context.request_id, Forbidden.code)
                return payload(errors=[shown(Forbidden(access.refusal), context.scope)])
            row_id = await audit.begin(context.viewer, name, given, context.request_id)
            try:
                result = await resolver(info, input)
            except (UserError, UserErrors) as error:
                errors = error.errors if isinstance(error, UserErrors) else [error]
                result = payload(errors=[shown(each, context.scope) for each in errors])
            except asyncio.CancelledError:
                await audit.finish(row_id, AuditOutcome.CANCELLED)
                raise
            except BaseException:
                await audit.finish(row_id, AuditOutcome.FAILED)
                raise
            context.wait_anew()
            codes = [error.code.value for error in result.errors]
            await audit.finish(row_id, AuditOutcome.REFUSED if codes else AuditOutcome.SUCCEEDED, codes)
            return result

        field = strawberry.mutation(resolver=resolve, description=description, metadata={ACCESS_METADATA: access})
        for argument in field.arguments:
            argument.description = "Everything that it takes."
        return field

    return declare


def input_as_data(value: Any) -> Any:
    """Return an input as plain data under the surface's names, without what was left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            to_camel_case(field.name): input_as_data(getattr(value, field.name))
            for field in fields_of(value)
            if getattr(value, field.name) is not strawberry.UNSET
        }
    if isinstance(value, list):
        return [input_as_data(item) for item in value]
    return value.value if isinstance(value, Enum) else value
