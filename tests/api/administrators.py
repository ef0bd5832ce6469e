"""What the surface says is for administrators."""

from __future__ import annotations

import re

from graphql import GraphQLObjectType, GraphQLOutputType

from tests.serving import shared_schema

WHO_SEES_IT = re.compile(r"administrators see (it|them)\.", re.IGNORECASE)


def for_administrators() -> dict[tuple[str, str], GraphQLOutputType]:
    """Return the fields that administrators alone see, the platform's or a workspace's: by type and name."""
    return {
        (type_.name, name): field.type
        for type_ in shared_schema()._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items()
        if WHO_SEES_IT.search(field.description or "")
    }
