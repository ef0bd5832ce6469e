"""Spaces as people ask for them: checked by the rules of their registry's kind before anybody is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.enums import RegistryKind, Visibility
from registry_clients.kind import Ability, KindDescription
from registry_clients.kind import RegistryKind as ClientKind
from registry_clients.kinds import KIND_DESCRIPTIONS
from services.registry_input import InputErrors
from services.user_errors import InvalidInput

MOST_SPACES = 100
MOST_BYTES = 2**53
"""As far as a number is safe in JSON; 9 petabytes."""


@dataclass(frozen=True, slots=True)
class NewSpace:
    """A space to be made, as typed."""

    integration_id: int
    name: str
    visibility: Visibility = Visibility.PRIVATE
    storage_limit_bytes: int | None = None


def description_of(kind: RegistryKind) -> KindDescription:
    """Return what a kind of registry can do."""
    return KIND_DESCRIPTIONS[ClientKind(kind.value)]


def makes_spaces(kind: RegistryKind) -> bool:
    """Return whether spaces are made at the registry itself: where they aren't, they are declared here."""
    return Ability.CREATE_SPACES in description_of(kind).abilities


def keeps_visibility(kind: RegistryKind) -> bool:
    """Return whether the registry knows who may pull from a space: where it doesn't, that is kept here."""
    return Ability.SET_VISIBILITY in description_of(kind).abilities


def require_makeable(new: NewSpace, kind: RegistryKind) -> None:
    """Raise UserErrors when a registry of that kind can have no such space."""
    errors, description = InputErrors(), description_of(kind)
    if not description.is_space_name(new.name):
        errors.refuse(description.space_name_rule, ("input", "name"))
    limit_path = ("input", "storageLimitBytes")
    if new.storage_limit_bytes is not None:
        if Ability.QUOTAS not in description.abilities:
            errors.refuse(f"A {description.title} has no quotas: leave the limit out.", limit_path)
        elif not 0 < new.storage_limit_bytes <= MOST_BYTES:
            errors.refuse(f"A limit is 1 to {MOST_BYTES:,} bytes; left out, there is none.", limit_path)
    errors.raise_any()


def require_spaces(ids: Sequence[int]) -> None:
    """Raise InvalidInput unless there are 1 to 100 ids, each once."""
    if not 0 < len(ids) <= MOST_SPACES:
        raise InvalidInput(f"Give 1 to {MOST_SPACES} spaces at once; there are {len(ids)}.", ("input", "ids"))
    seen: set[int] = set()
    for index, id_ in enumerate(ids):
        if id_ in seen:
            raise InvalidInput("This space is named twice: name each once.", ("input", "ids", str(index)))
        seen.add(id_)
