"""The graphql-core `Executor` that runs a selection level by level."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution import Executor
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path, is_awaitable

from execution.plan import PlanCache, SelectionPlan, selection_plan
from execution.run import Run


class LevelExecutor(Executor[Any]):
    """Runs queries, the fields behind a mutation's root fields, and the payloads of subscriptions.

    Give it the `plans` of its document, so that those are worked out once.
    """

    plans: PlanCache | None = None

    def build_response(self, data: dict[str, Any] | None) -> Any:
        """Return the answer, and let go of the executor: its helpers lead back to it, and it to all that was loaded."""
        response = super().build_response(data)
        self.async_helpers = None  # type: ignore[assignment]
        return response

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Run the fields of one object, and everything behind them."""
        if self._is_left_alone():
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if path is None:
            plan = self._root_plan(parent_type, grouped_field_set)
        else:
            plan = selection_plan(self, parent_type, grouped_field_set)
        return Run(self, plan, source_value, path).start()

    def execute_fields_serially(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Run the fields of one object one after the other, each with everything behind it."""
        if self._is_left_alone():
            return super().execute_fields_serially(parent_type, source_value, path, grouped_field_set, position_context)
        plan = self._root_plan(parent_type, grouped_field_set)
        parts = [SelectionPlan(parent_type, [field]) for field in plan.fields]
        data: dict[str, Any] = {}
        for number, part in enumerate(parts):
            result = Run(self, part, source_value, path).start()
            if is_awaitable(result):
                return self._go_on_serially(data, result, parts[number + 1 :], source_value, path)
            data.update(result)  # type: ignore[arg-type]
        return data

    async def _go_on_serially(
        self,
        data: dict[str, Any],
        result: Awaitable[dict[str, Any]],
        parts: list[SelectionPlan],
        source_value: Any,
        path: Path | None,
    ) -> dict[str, Any]:
        data.update(await result)
        for part in parts:
            following = Run(self, part, source_value, path).start()
            data.update(await following if is_awaitable(following) else following)  # type: ignore[arg-type]
        return data

    def _root_plan(self, type_: GraphQLObjectType, grouped_field_set: GroupedFieldSet) -> SelectionPlan:
        plans = self._plans()
        conditions = plans.conditions(self)
        if conditions.has_fragment_variables:
            return selection_plan(self, type_, grouped_field_set)
        key = conditions.key(self)
        plan = plans.get(key)
        if plan is None:
            plan = selection_plan(self, type_, grouped_field_set)
            plans.put(key, plan)
        return plan

    def _plans(self) -> PlanCache:
        if self.plans is None:
            self.plans = PlanCache()
        return self.plans

    def _is_left_alone(self) -> bool:
        """Return whether the whole operation is graphql-core's to run."""
        return (
            self.abort_signal is not None or not self.error_propagation or self._plans().conditions(self).is_incremental
        )
