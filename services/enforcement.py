"""How far a binding is true, place by place: derived from versions, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.enums import BindingState, EnforcementState, RegistryKind, Visibility
from models.records import BindingRecord, RegistryEnforcementRecord

PUBLIC = "The space is public: every namespace may pull from it, bound or not."
NO_TOKEN_SERVER = "A Docker Registry by itself can't tell who may pull: it lets in whoever has its credential."  # noqa: S105
WAITING = "It waits to be made true at the registry."
TAKING_AWAY = "It waits to be taken away at the registry."

_SEVERITY = list(EnforcementState)


@dataclass(frozen=True, slots=True)
class EnforcementStep:
    """How far a binding is true at one place."""

    state: EnforcementState
    message: str | None
    changed_at: datetime
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Enforcement:
    """How far a binding is true: at the registry, and on each cluster that this server looks after."""

    registry: EnforcementStep

    @property
    def state(self) -> EnforcementState:
        """The worst of the places."""
        return max((self.registry.state,), key=_SEVERITY.index)


def enforcement_of(binding: BindingRecord, target: RegistryEnforcementRecord | None) -> Enforcement:
    """Return how far a binding is true; `target` is its workspace at its registry."""
    changed_at = binding.bound_at if target is None else target.changed_at

    def step(state: EnforcementState, message: str | None) -> Enforcement:
        waits = state in (EnforcementState.PENDING, EnforcementState.FAILED)
        return Enforcement(
            EnforcementStep(state, message, changed_at, target.next_attempt_at if waits and target else None)
        )

    if binding.space_visibility is Visibility.PUBLIC and binding.state is BindingState.ACTIVE:
        return step(EnforcementState.NOT_APPLICABLE, PUBLIC)
    if target is not None and target.applied_version >= binding.version:
        return step(EnforcementState.ENFORCED, None)
    if binding.registry_kind is RegistryKind.DOCKER_REGISTRY:
        return step(EnforcementState.NOT_ENFORCEABLE, NO_TOKEN_SERVER)
    if target is not None and target.failure is not None:
        return step(EnforcementState.FAILED, target.failure)
    return step(EnforcementState.PENDING, WAITING if binding.state is BindingState.ACTIVE else TAKING_AWAY)
