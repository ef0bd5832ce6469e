"""Loaders: many keys of one operation, one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import strawberry
from aiodataloader import DataLoader

from models.reading import Readable
from resolvers.public_errors import PublicError
from services.viewer import ViewerScope

LOADED_METADATA = "loaded"
"""The key in a field's metadata under which its `LoadedField` lies."""

K = TypeVar("K")
V = TypeVar("V")


class Loader(DataLoader[K, V], Generic[K, V]):
    """A loader of stored things. Subclasses say how many of them are fetched at once."""

    def __init__(self, database: Readable, scope: ViewerScope) -> None:
        super().__init__()
        self.database = database
        self.scope = scope
        self._known: dict[K, V] = {}

    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        """Return the values in the order of the keys, as aiodataloader wants them."""
        found = await self.fetch(keys)
        return [found[key] if key in found else self.missing(key) for key in keys]

    async def load_keys(self, keys: Sequence[K]) -> Mapping[K, V]:
        """Return the values of many keys at once, by key; what was fetched for this operation isn't fetched again."""
        missing = [key for key in keys if key not in self._known]
        if missing:
            found = await self.fetch(missing)
            self._known.update((key, found[key] if key in found else self.missing(key)) for key in missing)
        return self._known

    def prime(self, key: K, value: V) -> Self:
        """Take a value that is known already."""
        self._known[key] = value
        super().prime(key, value)
        return self

    async def fetch(self, keys: Sequence[K]) -> Mapping[K, V]:
        """Return the values by key; what isn't there may be left out."""
        raise NotImplementedError

    def missing(self, key: K) -> V:
        """Return what stands for a key without a value."""
        return None  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class LoadedField:
    """A field that is a loader's value for an attribute of the record, null when that is None.

    `required` says in a word what it is, where it can't be null: then there is none only because it was removed while
    the operation ran. `made_by` makes the field of the record and a value that is there.
    """

    loader_class: type[Loader[Any, Any]]
    key: str
    required: str | None
    made_by: Callable[[Any, Any], Any] | None

    async def load_keys(self, context: Any, keys: Sequence[Any]) -> Mapping[Any, Any]:
        """Return the values of many keys, errors included."""
        found = await context.loader(self.loader_class).load_keys(keys)
        return {key: self._checked(found[key]) for key in keys}

    async def load(self, context: Any, record: Any) -> Any:
        """Return the field of a record. Raises PublicError for what was removed meanwhile."""
        value = self._checked(await context.loader(self.loader_class).load(getattr(record, self.key)))
        if isinstance(value, PublicError):
            raise value
        return value if value is None or self.made_by is None else self.made_by(record, value)

    def _checked(self, value: Any) -> Any:
        if value is None and self.required is not None:
            return PublicError(f"The {self.required} was removed while this was answered. Ask again.", "GONE")
        return value


def loaded(
    loader_class: type[Loader[Any, Any]],
    *,
    key: str,
    description: str,
    required: str | None = None,
    made_by: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """Declare a field: see `LoadedField`.

    Declared, not coded, so that an executor can see what a query needs without running it.
    """
    field = LoadedField(loader_class, key, required, made_by)

    def resolve(root: Any, info: strawberry.Info) -> Any:
        return None if getattr(root, key) is None else field.load(info.context, root)

    return strawberry.field(resolver=resolve, description=description, metadata={LOADED_METADATA: field})
