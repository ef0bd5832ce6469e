"""What GraphiQL opens with runs against the schema as it is."""

import json
import os
from pathlib import Path

import pytest
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

ROOT = Path(__file__).resolve().parents[2]
TABS = ROOT / "console" / "src" / "default_tabs"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """The exported schema."""
    path = ROOT / "schema.graphql"
    if not path.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("schema.graphql is missing")
        pytest.skip("schema.graphql is missing")
    return build_schema(path.read_text())


@pytest.mark.parametrize("name", ["glance", "integrate_registry", "who_may_pull", "live_health", "live_events"])
def test_operations_are_valid(schema: GraphQLSchema, name: str) -> None:
    document = parse((TABS / f"{name}.graphql").read_text())

    assert [error.message for error in validate(schema, document)] == []


def test_variables_fit_each_operation_of_their_tab(schema: GraphQLSchema) -> None:
    document = parse((TABS / "integrate_registry.graphql").read_text())
    variables = json.loads((TABS / "integrate_registry.variables.json").read_text())
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]

    assert [node.name.value for node in operations if node.name] == ["CheckRegistry", "IntegrateRegistry"]
    for operation in operations:
        coerced = get_variable_values(schema, operation.variable_definitions or (), variables)
        errors: list[GraphQLError] = coerced if isinstance(coerced, list) else []
        assert [error.message for error in errors] == []


def test_no_tab_is_untested() -> None:
    assert {path.name for path in TABS.iterdir()} == {
        "glance.graphql",
        "integrate_registry.graphql",
        "integrate_registry.variables.json",
        "who_may_pull.graphql",
        "live_health.graphql",
        "live_events.graphql",
    }
