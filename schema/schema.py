"""The schema, put together."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.declaring import require_declared
from schema.event_types import EVENT_TYPES
from schema.execution_hints import give_hints
from schema.roots.mutation import Mutation
from schema.roots.query import Query
from schema.roots.subscription import Subscription
from schema.scalars import SCALARS
from schema.user_error import USER_ERROR_TYPES


def build_schema() -> strawberry.Schema:
    """Return the schema. Takes half a second: once a process.

    Raises UndeclaredAccess when a root field doesn't say who may use it: such a server must not start.
    """
    require_declared(Query, Mutation, Subscription)
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*EVENT_TYPES, *USER_ERROR_TYPES],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    give_hints(schema)
    return schema
